"""Two lattices on top of each other, which no single lattice describes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import NoLatticeError
from .bragg_spots import bragg_spots
from .cell import reduce_cell
from .contrast import Floats, Mask, flatten
from .lattice import Lattice
from .spacing import measure_spectrum

Array = NDArray[np.float64]
_NEAR = 0.06  # of a reciprocal cell, between a spot and its place
_EXPLAINED = 0.9  # of the power in spots, by two lattices together
_OWN = 0.15  # of it, by each alone
_LARGEST_CELL = 2.5  # spacings squared; larger cells explain anything
_LARGEST_KNOWN = 4.0  # of a cell that is known already; that of a moiré is larger, or explains little
_UNLIKE = 0.05  # of the power, what two lattices of unlike cells must explain beyond two of one crystal
_STRONGEST = 10  # spots that may span a lattice
_BOTH = 0.75  # of the area, where both must be
_ROOM = 6.0  # widths of the Gaussian window in the image, at least
_STRONG = 0.4  # of its usual strength, where a lattice is


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """Two lattices that share one area.

    Parameters
    ----------
    first, second : (2, 2) px, cell vectors as (y, x), the lattice with more power first.
    turn : rad, smallest turn of the second lattice against the first, 0 to π/2.
    ratio : spacing of the second over that of the first.
    """

    first: Array
    second: Array
    turn: float
    ratio: float


def find_overlap(
    pixels: Floats, mask: Mask, *, spacing: float, known: Lattice | None = None
) -> Overlap | None:
    """The two lattices of a moiré, None where one lattice explains the spots or each has its own place.

    The strongest spots of the spectrum span small lattices; two of them that together explain what
    neither does alone, and whose waves run through the same places, lie on top of each other.

    Parameters
    ----------
    pixels : (y, x), standardised.
    mask : (y, x), True where pixels are ignored, such as other domains.
    spacing : a0 in px.
    known : the lattice that was fitted to all pixels; one that explains the spots is the only one.
    """
    flat = flatten(pixels, mask, sigma=1.5 * spacing)
    spots, weights = bragg_spots(measure_spectrum(flat, mask), spacing=spacing)
    small = known is not None and known.cell_area < _LARGEST_KNOWN * spacing**2
    if known is not None and small and _lies_on(spots, known.reciprocal) @ weights > _EXPLAINED:
        return None
    pair = _two_lattices(spots, weights, spacing)
    if pair is None:
        return None
    first, second = (np.asarray(np.linalg.inv(one).T) for one in pair)
    if not _together(flat, mask, spots, weights, pair):
        return None
    return Overlap(
        first=first,
        second=second,
        turn=_turn(first, second),
        ratio=float(np.sqrt(abs(np.linalg.det(second) / np.linalg.det(first)))),
    )


def refuse_overlap(pixels: Floats, mask: Mask, *, spacing: float, known: Lattice | None = None) -> None:
    """Say so where two lattices overlap.

    Parameters
    ----------
    pixels, mask, spacing, known : as in `find_overlap`.

    Raises
    ------
    NoLatticeError
        Two lattices overlap.
    """
    overlap = find_overlap(pixels, mask, spacing=spacing, known=known)
    if overlap is not None:
        first, second = (np.hypot(*reduce_cell(cell).T).min() for cell in (overlap.first, overlap.second))
        raise NoLatticeError(
            f"no lattice found: the image must show one lattice in one place, but two lattices overlap "
            f"(moiré), {first:.1f} and {second:.1f} px and turned by {np.degrees(overlap.turn):.1f}° against "
            "each other: choose a place where one layer lies alone"
        )


def _two_lattices(spots: Array, weights: Array, spacing: float) -> tuple[Array, Array] | None:
    """Reciprocal vectors (2, 2) each, the stronger lattice first."""
    cells = _cells(spots[:_STRONGEST], spacing)
    if not cells:
        return None
    on = np.array([_lies_on(spots, cell) for cell in cells])
    power = on @ weights
    if power.max() > _EXPLAINED:
        return None
    best, found = 0.0, None
    for i, j in combinations(np.argsort(-power)[:60], 2):
        together = float((on[i] | on[j]) @ weights)
        alone = min(float((on[i] & ~on[j]) @ weights), float((on[j] & ~on[i]) @ weights))
        worth = together - _UNLIKE * abs(np.log(abs(np.linalg.det(cells[i]) / np.linalg.det(cells[j]))))
        if alone > _OWN and together > _EXPLAINED and worth > best:
            best, found = worth, (cells[i], cells[j])
    return found


def _cells(spots: Array, spacing: float) -> list[Array]:
    """Reciprocal cells that pairs of spots, or their sum and difference halved, span."""
    cells: list[Array] = []
    for pair in combinations(spots, 2):
        cell = reduce_cell(np.array(pair))
        area = abs(float(np.linalg.det(cell)))
        if area > 0 and 1 / area < _LARGEST_CELL * spacing**2 and np.hypot(*cell[0]) > 0.25 / spacing:
            cells.append(cell)
    return cells


def _lies_on(spots: Array, cell: Array) -> NDArray[np.bool_]:
    index = spots @ np.linalg.inv(cell)
    return np.asarray((np.abs(index - np.round(index)) < _NEAR).all(axis=1))


def _together(flat: Floats, mask: Mask, spots: Array, weights: Array, pair: tuple[Array, Array]) -> bool:
    """Whether the strongest waves that belong to one lattice only run through the same places."""
    on = [_lies_on(spots, cell) for cell in pair]
    waves = [spots[np.argmax(weights * own * ~other)] for own, other in (on, on[::-1])]
    others = np.concatenate([spots, -spots])
    apart = [np.hypot(*(others - wave).T) for wave in waves]
    nearest = min(float(distance[distance > 0].min()) for distance in apart)
    sigma = 3 / (2 * np.pi * nearest)  # the nearest other wave is a hundredth of its strength there
    if _ROOM * sigma > min(flat.shape):
        return False
    reduced = max(1, int(sigma / 4))
    inside = ~mask[::reduced, ::reduced]
    strengths = []
    for wave in waves:
        y, x = (np.exp(-2j * np.pi * f * np.arange(n)) for f, n in zip(wave, flat.shape, strict=True))
        seen = ndimage.gaussian_filter((flat * y[:, None] * x).astype(np.complex64), sigma)
        strength = np.abs(seen)[::reduced, ::reduced]
        strengths.append(strength > _STRONG * np.quantile(strength[inside], 0.9))
    return bool((strengths[0] & strengths[1])[inside].mean() > _BOTH)


def _turn(first: Array, second: Array) -> float:
    """Smallest turn [rad] between directions of the shortest repeats of two lattices."""
    index = np.array([(1, 0), (0, 1), (1, 1), (1, -1)])
    angles = []
    for cell in (first, second):
        repeats = index @ reduce_cell(cell)
        length = np.hypot(*repeats.T)
        angles.append(np.arctan2(*repeats[length < 1.05 * length.min()].T))
    between = (angles[0][:, None] - angles[1] + np.pi / 2) % np.pi - np.pi / 2
    return float(np.abs(between).min())
