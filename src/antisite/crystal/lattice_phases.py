"""Phases of the reflections of one crystal, all over the image: what breaks a lattice shows in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .cell import lattice_basis, reduce_cell
from .contrast import Floats, Mask
from .demodulation import Demodulator
from .lattice import Lattice

Array = NDArray[np.float64]
_VISIBLE = 6.0  # power of a reflection over that between reflections
_MOST = 6  # reflections that are looked at
_WIDE = 1.0  # √(cell area), window in which reflections are told
_PRESENT = 3.0  # power of a reflection over that between reflections, in most of the crystal
_NEARLY_EVERYWHERE = 0.15  # quantile of the power that must stand out
_FAINT = 1e-4  # power, of that of the strongest reflection
_CHANCE = 0.01  # of images in which noise may make a phase wind
_UNEVEN = 0.03  # √(cell area), by which scan and strain displace any crystal
_FINEST = 0.42  # 1/px, of either component of a reflection


def _is_new(hk: NDArray[np.int_], before: list[NDArray[np.int_]]) -> bool:
    """Whether no reflection before has the same parities: only some may tell of half a cell vector."""
    return not any(((hk - other) % 2 == 0).all() for other in before)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatticePhases:
    """Local complex amplitudes of the strongest reflections, freed of the ideal lattice.

    Parameters
    ----------
    index : (n, 2) indices h, k of the reflections, the strongest first.
    waves : (n, my, mx) amplitude × exp(iφ), φ = -2π g·u where the crystal is displaced by u; the typical
        amplitude is 1.
    noise : (n,) standard deviation of a wave's noise, of its typical amplitude.
    step : (y, x) px between two nodes; the first lies on pixel (0, 0).
    seen : (my, mx), share of the window that is not masked.
    """

    index: NDArray[np.int_]
    waves: NDArray[np.complex128]
    noise: Array
    step: tuple[float, float]
    seen: Array

    @property
    def strength(self) -> Array:
        """(my, mx) mean amplitude of the reflections, 1 where it is typical."""
        return np.asarray(np.abs(self.waves).mean(axis=0))


def visible_reflections(flat: Floats, mask: Mask, lattice: Lattice) -> NDArray[np.int_]:
    """Indices (n, 2) of the reflections that stand out of the noise, the strongest first, two at least.

    Six are enough, but for those that alone tell of half a cell vector.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    """
    demodulator = Demodulator(flat, mask, sigma=_WIDE * lattice.size)
    inside = demodulator.weight > 0.5 * demodulator.weight.max()
    found = []
    for hk in lattice.low_reflections(longest=3.2, finest=_FINEST):
        power = float(np.median(np.abs(demodulator(hk @ lattice.reciprocal)[inside]) ** 2))
        found.append((power, hk))
    found.sort(key=lambda f: -f[0])
    chosen: list[NDArray[np.int_]] = []
    for power, hk in found:
        if len(chosen) >= _MOST and not _is_new(hk, chosen):
            continue
        if len(chosen) >= 2:
            between = demodulator((hk + 0.5) @ lattice.reciprocal)[inside]
            if power < _VISIBLE * float(np.median(np.abs(between) ** 2)) / np.log(2):
                continue
        chosen.append(hk)
    if np.linalg.matrix_rank(chosen) < 2:
        chosen += [next(hk for _, hk in found if np.linalg.matrix_rank([chosen[0], hk]) == 2)]
    return np.array(chosen)


def measure_phases(
    flat: Floats,
    mask: Mask,
    lattice: Lattice,
    index: NDArray[np.int_],
    *,
    window: float,
    oversampling: float = 1.0,
) -> LatticePhases:
    """Local amplitudes and phases of some reflections of a lattice.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    index : (n, 2) of the reflections, from `visible_reflections`.
    window : standard deviation of the Gaussian window, px.
    oversampling : nodes per node that the window needs.
    """
    demodulator = Demodulator(flat, mask, sigma=window, oversampling=oversampling)
    inside = demodulator.weight > 0.5 * demodulator.weight.max()
    waves = np.array([demodulator(g) for g in index @ lattice.reciprocal])
    between = np.array([demodulator(g) for g in (index + 0.5) @ lattice.reciprocal])
    power, dark = (np.median(np.abs(w[:, inside]) ** 2, axis=1) for w in (waves, between))
    return LatticePhases(
        index=index,
        waves=waves / np.sqrt(power)[:, None, None],
        noise=np.sqrt(dark / np.log(2) / power),
        step=demodulator.step,
        seen=demodulator.weight,
    )


def reflection_weights(phases: LatticePhases, lattice: Lattice) -> Array:
    """(n,) what the phase of each reflection tells: noise and uneven scan blur it; the sum is 1."""
    length = np.hypot(*(phases.index @ lattice.reciprocal).T)
    weight = 1 / (phases.noise**2 + (2 * np.pi * length * _UNEVEN * lattice.size) ** 2)
    return np.asarray(weight / weight.sum())


def measure_calm_phases(
    flat: Floats,
    mask: Mask,
    lattice: Lattice,
    index: NDArray[np.int_],
    *,
    window: float,
    oversampling: float = 1.0,
) -> LatticePhases:
    """The same in a window so wide that noise makes no phase wind, in 99 of 100 images.

    Where noise cancels a wave its phase winds. In one window of its own that has a chance of exp(-1/σ²),
    σ² being the power of the noise over that of the wave; it falls with the area of the window.

    Parameters
    ----------
    flat, mask, lattice, index, oversampling : as in `measure_phases`.
    window : px, standard deviation of the narrowest Gaussian window that may be used.
    """
    phases = measure_phases(flat, mask, lattice, index, window=window, oversampling=oversampling)
    first = phases.index[0]
    second = next((i for i, hk in enumerate(phases.index) if first[0] * hk[1] != first[1] * hk[0]), 0)
    noise = float(max(phases.noise[0], phases.noise[second]))
    windows = float((~mask).sum()) / (2 * np.pi * window**2)
    most = 1 / np.sqrt(np.log(max(windows, 1.0) / _CHANCE))
    if noise <= most:
        return phases
    return measure_phases(
        flat, mask, lattice, index, window=window * noise / float(most), oversampling=oversampling
    )


def smallest_cell(flat: Floats, mask: Mask, lattice: Lattice) -> Lattice:
    """The lattice whose reflections are there nearly everywhere; the same, or one with a smaller cell.

    The spectrum of a domain holds streaks of the faults in it and spots of its neighbours, and
    some fall where a larger cell would have reflections. Those stand out in places only.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    """
    demodulator = Demodulator(flat, mask, sigma=_WIDE * lattice.size)
    inside = demodulator.weight > 0.5
    if not inside.any():
        return lattice
    seen = []
    for hk in lattice.low_reflections(longest=4, finest=_FINEST):
        wave, between = (demodulator(at @ lattice.reciprocal)[inside] for at in (hk, hk + 0.5))
        power, noise = (float(np.quantile(np.abs(w) ** 2, _NEARLY_EVERYWHERE)) for w in (wave, between))
        seen.append((power, power > _PRESENT * noise, hk))
    strongest = max((power for power, _, _ in seen), default=0.0)
    rows = np.array([hk for power, clear, hk in seen if clear and power > _FAINT * strongest])
    if len(rows) < 2 or np.linalg.matrix_rank(rows) < 2:
        return lattice
    basis = lattice_basis(rows.astype(float), 1)
    if round(abs(np.linalg.det(basis))) <= 1:
        return lattice
    return replace(
        lattice, vectors=reduce_cell(np.asarray(np.linalg.inv(basis @ lattice.reciprocal).T, dtype=float))
    )
