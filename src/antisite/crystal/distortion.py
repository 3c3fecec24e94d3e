"""Drift and strain: how far the crystal in the image is displaced from a perfect lattice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import NoLatticeError
from .contrast import Floats, Mask
from .demodulation import WINDOW, Demodulator
from .dislocation_field import DislocationField
from .lattice import Lattice

Array = NDArray[np.float64]
_ENOUGH = 0.05  # power of a reflection over that of the strongest candidate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distortion:
    """A displacement field on a coarse grid.

    Parameters
    ----------
    displacement : (2, m, n) px as (dy, dx): where the crystal is, less where the lattice wants it, without
        what turns round dislocations.
    amplitude : (m, n), local strength of the lattice, 1 where it is typical and 0 without a crystal.
    step : (y, x) px between two nodes; the first lies on pixel (0, 0).
    around : what turns round dislocations.
    vectors : (2, 2) px, the cell vectors in which that counts.
    """

    displacement: Array
    amplitude: Array
    step: tuple[float, float]
    around: DislocationField = field(default_factory=DislocationField)
    vectors: Array = field(default_factory=lambda: np.eye(2))

    def at(self, positions: Array) -> Array:
        """Displacement (n, 2) px at positions (n, 2) px."""
        nodes = (positions / self.step).T
        smooth = np.column_stack(
            [ndimage.map_coordinates(u, nodes, order=1, mode="nearest") for u in self.displacement]
        )
        return smooth + self.around.at(positions) @ self.vectors if len(self.around) else smooth

    def strength_at(self, positions: Array, *, blur: float = 0.0) -> Array:
        """Local strength (n,) of the lattice at positions (n, 2) px, averaged over `blur` px around them."""
        strength = self.amplitude
        if blur:
            seen = (strength > 0).astype(float)
            mean, weight = (
                ndimage.gaussian_filter(f, [blur / s for s in self.step]) for f in (strength, seen)
            )
            strength = np.where(strength > 0, mean / np.maximum(weight, 1e-9), 0)
        return np.asarray(
            ndimage.map_coordinates(strength, (positions / self.step).T, order=1, mode="nearest")
        )


def fit_distortion(
    flat: Floats, mask: Mask, lattice: Lattice, *, around: DislocationField | None = None
) -> tuple[Lattice, Distortion]:
    """Refine a lattice by the phases of two reflections, and measure what is left as a displacement.

    Geometric phase (Hÿtch, Snoeck & Kilaas 1998, Ultramicroscopy 74, 131) with a Gaussian window
    of 2 √(cell area); masked pixels carry no weight.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.
    around : dislocations; without them phases that wind cannot be unwrapped.
    """
    from skimage.restoration import unwrap_phase

    demodulator = Demodulator(flat, mask, sigma=WINDOW * lattice.size)
    index = _two_reflections(demodulator, lattice)
    around = around or DislocationField()
    turning = around.at(demodulator.places()).reshape(*demodulator.nodes, 2)
    waves, spots = [], []
    for hk, g in zip(index, index @ lattice.reciprocal, strict=True):
        wave = demodulator(g) * np.exp(2j * np.pi * turning @ hk)
        shift = _mean_gradient(wave, demodulator.step)
        spots.append(g + shift)
        waves.append(wave * np.exp(-2j * np.pi * demodulator.ramp(shift)))
    spots_ = np.array(spots)
    refined = Lattice(
        vectors=np.linalg.inv(np.linalg.solve(index.astype(float), spots_)).T, coherence=lattice.coherence
    )
    amplitude = np.prod([np.abs(w) / _typical(np.abs(w), demodulator.weight) for w in waves], axis=0) ** 0.5
    amplitude *= demodulator.weight > 0.2
    phases = np.array(
        [unwrap_phase(np.ma.masked_array(np.angle(w), mask=amplitude < 0.2)).filled(np.nan) for w in waves]
    )
    trust = np.where(np.isfinite(phases).all(axis=0), np.clip(amplitude, 0, 1) ** 2, 0)
    phases -= np.nanmedian(phases, axis=(1, 2), keepdims=True)
    displacement = np.linalg.solve(-2 * np.pi * spots_, np.nan_to_num(phases).reshape(2, -1))
    displacement = _spread(displacement.reshape(phases.shape), trust)
    return refined, Distortion(
        displacement=displacement,
        amplitude=amplitude,
        step=demodulator.step,
        around=around,
        vectors=refined.vectors,
    )


def _two_reflections(demodulator: Demodulator, lattice: Lattice) -> NDArray[np.int_]:
    """Indices (2, 2) of the two strongest low reflections that are not collinear."""
    index = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2), (2, -1), (1, -2)])
    g = index @ lattice.reciprocal
    index, g = index[np.abs(g).max(axis=1) < 0.42], g[np.abs(g).max(axis=1) < 0.42]
    strength = np.array([np.sum(np.abs(demodulator(f)) ** 2 * demodulator.weight) for f in g])
    first = int(np.argmax(strength))
    cross = np.abs(g[:, 0] * g[first, 1] - g[:, 1] * g[first, 0])
    apart = cross > 0.4 * np.hypot(*g.T) * np.hypot(*g[first])
    if not apart.any():
        raise NoLatticeError("no lattice found: the image repeats along one direction only")
    # a phase that slips by a turn must slip the lattice onto itself, not half a cell aside
    whole = apart & (np.abs(index[:, 0] * index[first, 1] - index[:, 1] * index[first, 0]) == 1)
    whole &= strength > _ENOUGH * strength[apart].max()
    second = int(np.argmax(np.where(whole if whole.any() else apart, strength, -1)))
    return np.asarray(index[[first, second]])


def _mean_gradient(wave: NDArray[np.complex128], step: tuple[float, float]) -> Array:
    """Mean phase gradient as a frequency, 1/px (y, x)."""
    turn_y = np.angle(np.sum(wave[1:] * wave[:-1].conj()))
    turn_x = np.angle(np.sum(wave[:, 1:] * wave[:, :-1].conj()))
    return np.array([turn_y / step[0], turn_x / step[1]]) / (2 * np.pi)


def _typical(amplitude: Array, weight: Array) -> float:
    """The amplitude of good crystal: the 75 % quantile of what is inside the mask."""
    if not (weight > 0.2).any():
        raise NoLatticeError("no lattice found: too little of the crystal lies clear of its borders")
    return float(np.quantile(amplitude[weight > 0.2], 0.75)) or 1.0


def _spread(field: Array, trust: Array) -> Array:
    """Smooth a field a little where it is trusted, and carry it on to where it is not."""
    out = np.zeros_like(field)
    known = np.zeros(trust.shape)
    for sigma in (1, 3, 9, 27, 81):
        weight = ndimage.gaussian_filter(trust, sigma)
        share = (1 - known) * np.clip(weight / 0.2, 0, 1)
        for target, values in zip(out, field, strict=True):
            smooth = ndimage.gaussian_filter(values * trust, sigma) / np.maximum(weight, 1e-9)
            target += share * smooth
        known += share
    return out / np.maximum(known, 1e-9)
