"""Twin lamellae: some layers in which a crystal is mirrored, too thin to be told as a domain by windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, special

from ..crystal.contrast import Floats, Mask
from ..crystal.demodulation import Demodulator
from ..crystal.lattice import Lattice
from .line_tracing import trace_lines
from .lines import distance_to, sample_line

Array = NDArray[np.float64]
_ROWS = ((1, 0), (0, 1), (1, 1), (1, -1))  # cell vectors, along which layers may be mirrored
_WINDOW = 1.2  # √(cell area): reflections of the crystal itself lie near
_APART = 0.25  # 1/√(cell area), of a mirrored reflection from the nearest of the crystal itself
_ALONG = 1.5  # √(cell area), standard deviation of the window along the layers
_THERE = 0.35  # of the amplitude in a crystal that is mirrored as a whole
_CLEAR = 3.0  # times the usual amplitude there, of noise and of other reflections
_REACH = 8.0  # √(cell area) to either side, where the amplitude is added up
_RIM = 0.1  # of the largest amplitude, where it ends
_SOLID = 0.8  # of the amplitude that layers side by side have: those of several faults lie apart
_TILT = np.radians(12)  # between a trace and the row: a broad one is traced aslant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lamella:
    """Mirrored layers.

    Parameters
    ----------
    path : (2, 2) px as (y, x), the line in the middle.
    thickness : px
    layers : how many rows; not rounded.
    mirrored : the lattice inside.
    """

    path: Array
    thickness: float
    layers: float
    mirrored: Lattice

    def within(self, other: Lamella) -> bool:
        """Whether it lies in another, which was traced twice."""
        reach = other.thickness / 2 + self.mirrored.size
        return float(np.median(distance_to(other.path, sample_line(self.path, spacing=1.0).places))) < reach

    def rim(self, side: int, layers: int) -> Array:
        """(2, 2) px, its boundary to the left (-1) or right (1) of the path, if it has so many layers."""
        normal = sample_line(self.path, spacing=1.0).normals[0]
        return np.asarray(self.path + side * layers * self.thickness / self.layers / 2 * normal)


def find_lamellae(even: Floats, hidden: Mask, lattice: Lattice, index: NDArray[np.int_]) -> list[Lamella]:
    """Lamellae in one crystal: lines along which reflections of its mirror image stand out.

    Their amplitude, over that of a crystal which is mirrored as a whole, adds up to the thickness across the
    line.

    Parameters
    ----------
    even : (y, x), of even contrast.
    hidden : (y, x), True where there is none of this crystal.
    index : (n, 2) of the visible reflections.
    """
    demodulator = Demodulator(even, hidden, sigma=_WINDOW * lattice.size)
    inside = demodulator.weight > 0.5 * demodulator.weight.max()
    typical = np.array(
        [np.sqrt(np.median(np.abs(demodulator(g)[inside]) ** 2)) for g in index @ lattice.reciprocal]
    )
    found: list[Lamella] = []
    for row in _ROWS:
        along = row @ lattice.vectors
        length = float(np.hypot(*along))
        along = along / length
        mirror = 2 * np.outer(along, along) - np.eye(2)
        mirrored = Lattice(vectors=lattice.vectors @ mirror, coherence=lattice.coherence)
        spots = index @ mirrored.reciprocal
        at = spots @ lattice.vectors.T
        apart = np.hypot(*((at - np.round(at)) @ lattice.reciprocal).T) * lattice.size > _APART
        if not apart.any():
            continue
        waves = np.array([demodulator(g) for g in spots[apart]])
        lengthened = np.abs(_lengthened(waves, demodulator.step, along, over=_ALONG * lattice.size))
        share = np.average(lengthened / typical[apart, None, None], axis=0, weights=typical[apart])
        share *= inside
        usual = float(np.median(share[inside]))
        limit = max(_THERE, _CLEAR * usual)
        for path in trace_lines(share / limit, demodulator.step, cell=lattice.size):
            lamella = _measured(
                path,
                np.sqrt(np.clip(share**2 - usual**2, 0, None)),
                demodulator.step,
                along,
                lattice,
                mirrored,
                length,
            )
            if lamella is not None and not any(lamella.within(other) for other in found):
                found.append(lamella)
    return found


def _lengthened(
    waves: NDArray[np.complex128], step: tuple[float, float], along: Array, *, over: float
) -> NDArray[np.complex128]:
    """Waves (n, my, mx) averaged along a direction, with a window of standard deviation `over` px."""
    nodes = waves.shape[1:]
    padded = [fft.next_fast_len(n + int(3 * over / s)) for n, s in zip(nodes, step, strict=True)]
    fy, fx = (fft.fftfreq(n) / s for n, s in zip(padded, step, strict=True))
    frequency = fy[:, None] * along[0] + fx[None] * along[1]
    spectra = fft.fft2(waves, padded) * np.exp(-2 * (np.pi * over * frequency) ** 2)
    return np.asarray(fft.ifft2(spectra)[:, : nodes[0], : nodes[1]])


def _measured(
    path: Array,
    share: Array,
    step: tuple[float, float],
    along: Array,
    lattice: Lattice,
    mirrored: Lattice,
    row_length: float,
) -> Lamella | None:
    """A rough line as a lamella, or None where it does not run along the row or is no solid slab."""
    cell, centre = lattice.size, path.mean(axis=0)
    reach = (path - centre) @ along
    if np.ptp(reach) < np.cos(_TILT) * np.hypot(*(path[-1] - path[0])):
        return None
    line = sample_line(centre + np.array([[reach.min()], [reach.max()]]) * along, spacing=0.5 * cell)
    across = np.arange(-_REACH, _REACH + 0.01, 0.25) * cell
    places = line.places[:, None] + across[:, None] * line.normals[0]
    nodes = (places / step).reshape(-1, 2).T
    values = ndimage.map_coordinates(share, nodes, order=1, mode="constant", cval=np.nan)
    values = values.reshape(places.shape[:2])
    outside = np.isnan(values).mean(axis=0) > 0.5
    profile = np.where(outside, 0, np.nan_to_num(np.nanmedian(np.where(outside, 0, values), axis=0)))
    there = ndimage.label(profile > _RIM * profile.max())[0]
    own = there == there[int(np.argmax(profile))]
    if ndimage.binary_dilation(own)[outside].any():
        return None  # it runs on beyond the frame
    thickness = float(profile[own].sum()) * 0.25 * cell
    expected = float(special.erf(thickness / (2 * np.sqrt(2) * _WINDOW * cell)))
    if profile.max() < _SOLID * expected:
        return None
    middle = float(np.average(across[own], weights=profile[own]))
    spacing = lattice.cell_area / row_length
    return Lamella(
        path=line.places[[0, -1]] + middle * line.normals[0],
        thickness=thickness,
        layers=thickness / spacing,
        mirrored=mirrored,
    )
