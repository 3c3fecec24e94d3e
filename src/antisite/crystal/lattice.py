"""The repeat of the crystal: two vectors, found in the autocorrelation and checked in the spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..errors import InputError, NoLatticeError
from .bragg_spots import bragg_spots, enlarge_cell
from .cell import half_plane, reduce_cell
from .contrast import Floats
from .spacing import Spectrum, correlation_maxima, smoothed_correlation

Array = NDArray[np.float64]
MIN_CELL = 6.0  # px, least √(cell area) at which columns can be told apart
MIN_REPEAT = 3.0  # px
_TALL = (0.75, 0.6, 0.45)  # of the tallest maximum, tried in this order
_EXPLAINED = 0.95  # of the spots that the best cell explains
MIN_COHERENCE = 0.12
_HIGHEST = 3  # index of a low reflection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """Two vectors that carry the image onto itself.

    Parameters
    ----------
    vectors : (2, 2) px, rows a and b as (y, x); reduced (Gauss), a the shorter.
    coherence : mean autocorrelation at the lattice's own shifts, 3 to 6 spacings long, above its mean.
    """

    vectors: Array
    coherence: float

    @property
    def reciprocal(self) -> Array:
        """(2, 2) 1/px, rows a* and b*: a*·a = 1, a*·b = 0."""
        return np.asarray(np.linalg.inv(self.vectors).T)

    @property
    def cell_area(self) -> float:
        """px²."""
        return float(abs(np.linalg.det(self.vectors)))

    @property
    def size(self) -> float:
        """√(cell area) in px: how large a cell is, whatever its shape."""
        return float(np.sqrt(self.cell_area))

    @property
    def lengths(self) -> tuple[float, float]:
        """Lengths of a and b, px."""
        a, b = np.hypot(*self.vectors.T)
        return float(a), float(b)

    @property
    def gamma(self) -> float:
        """Angle between a and b, rad."""
        a, b = self.vectors
        return float(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))

    @property
    def angle(self) -> float:
        """Direction of a, rad in [0, π), from +x towards +y."""
        return float(np.arctan2(*self.vectors[0]) % np.pi)

    def fractions(self, positions: Array) -> Array:
        """(n, 2) px as (y, x) → coordinates along a and b."""
        return positions @ self.reciprocal.T

    def positions(self, fractions: Array) -> Array:
        """(n, 2) coordinates along a and b → px as (y, x)."""
        return fractions @ self.vectors

    def low_reflections(self, *, longest: float, finest: float) -> NDArray[np.int_]:
        """Indices (n, 2) of the reflections that an image may show, of each opposite pair one.

        Parameters
        ----------
        longest : 1/√(cell area), length of a reflection; farther ones are faint.
        finest : 1/px, of either component; pixels blur what is finer.
        """
        index = half_plane(_HIGHEST)
        spots = index @ self.reciprocal
        fine = np.abs(spots).max(axis=1) < finest
        return np.asarray(index[fine & (np.hypot(*spots.T) * self.size < longest)])


def fit_lattice(spectrum: Spectrum, *, spacing: float) -> Lattice:
    """The smallest cell whose shifts return the image and whose spots explain its spectrum.

    Parameters
    ----------
    spacing : px, from `estimate_spacing`.

    Raises
    ------
    NoLatticeError
        No shift returns the image onto itself.
    InputError
        A cell has fewer than six pixels across.
    """
    correlation = smoothed_correlation(spectrum, spacing=spacing)
    shifts, heights = correlation_maxima(correlation, separation=spacing / 2)
    vectors = _refine(_choose(shifts, heights, spectrum, spacing), shifts)
    vectors = enlarge_cell(vectors, spectrum)
    vectors = _refine(vectors, shifts)
    coherence = _coherence(vectors, correlation)
    # chance alone makes few cells match each other
    needed = max(MIN_COHERENCE, 2 / np.sqrt(np.prod(spectrum.shape) / abs(np.linalg.det(vectors))))
    if coherence < needed:
        raise NoLatticeError(
            f"no lattice found: shifted by its best repeat the image matches itself with a coherence of "
            f"{coherence:.2f}, a crystal of this size with at least {needed:.2f}"
        )
    lattice = Lattice(vectors=_orient(vectors), coherence=coherence)
    if lattice.lengths[0] < MIN_REPEAT:
        raise NoLatticeError(
            f"no lattice found: a repeat must be at least {MIN_REPEAT:g} px long to be seen, "
            f"got {lattice.lengths[0]:.1f} px"
        )
    if lattice.size < MIN_CELL:
        raise InputError(
            f"a unit cell must be at least {MIN_CELL:g} px across, got {lattice.size:.1f} px: "
            "record at a higher magnification"
        )
    return lattice


def same_lattice(lattice: Lattice, other: Lattice, *, tolerance: float = 0.12) -> bool:
    """Whether two lattices have the same shifts, to a share of a cell: less is drift or strain."""
    index = lattice.fractions(other.vectors)
    near = np.abs(index - np.round(index)).max() < tolerance
    return bool(near and round(abs(float(np.linalg.det(np.round(index))))) == 1)


def _orient(vectors: Array) -> Array:
    """The same lattice with a pointing right or down, and b clockwise from it as seen."""
    a, b = reduce_cell(vectors)
    if np.arctan2(*a) % np.pi != np.arctan2(*a) % (2 * np.pi):
        a = -a
    if np.linalg.det([b, a]) < 0:  # rows are (y, x): b follows a clockwise as seen, y down
        b = -b
    return np.array([a, b])


def _choose(shifts: Array, heights: Array, spectrum: Spectrum, spacing: float) -> Array:
    """The smallest cell spanned by two tall maxima that explains the Bragg spots as well as any.

    The tallest maxima are tried first: a shift that carries only some columns onto others makes a
    lower one. Where drift lowers those of one direction, lower ones must do.
    """
    length = np.hypot(*shifts.T)
    near = (length > 3) & (length < 10 * spacing)
    shifts, heights = shifts[near], heights[near]
    spots, weights = bragg_spots(spectrum, spacing=spacing)
    tallest = heights.max(initial=0)
    cells = {
        share: _cells(shifts[heights > share * tallest][:40], spots, weights, least=0.3 * spacing**2)
        for share in _TALL
    }
    best = max((explained for some in cells.values() for _, explained, _ in some), default=-1.0)
    for some in cells.values():
        good = [cell for cell in some if cell[1] >= _EXPLAINED * best]
        if good:
            return min(good, key=lambda cell: cell[0])[2]
    raise NoLatticeError("no lattice found: the image repeats in no two directions")


def _cells(shifts: Array, spots: Array, weights: Array, *, least: float) -> list[tuple[float, float, Array]]:
    """Area [px²], share of the spots explained, and vectors of the cells that pairs of shifts span."""
    cells = []
    for i, j in combinations(range(len(shifts)), 2):
        cell = reduce_cell(shifts[[i, j]])
        area = float(abs(np.linalg.det(cell)))
        if area >= least:
            index = spots @ cell.T
            explained = weights[(np.abs(index - np.round(index)) < 0.12).all(axis=1)].sum()
            cells.append((area, float(explained), cell))
    return cells


def _refine(vectors: Array, shifts: Array) -> Array:
    """Least squares through every correlation maximum that the lattice meets, shell after shell."""
    tree = cKDTree(shifts)
    for shells in (1, 2, 3, 5, 8):
        index = half_plane(shells)
        expected = index @ vectors
        expected = np.where((expected[:, :1] < 0), -expected, expected)
        index = np.where(((index @ vectors)[:, :1] < 0), -index, index)
        distance, match = tree.query(expected)
        near = distance < 0.2 * np.sqrt(abs(np.linalg.det(vectors)))
        if near.sum() >= 3 and np.linalg.matrix_rank(index[near]) == 2:
            vectors = np.linalg.lstsq(index[near].astype(float), shifts[np.asarray(match)[near]], rcond=None)[
                0
            ]
    return vectors


def _coherence(vectors: Array, correlation: Floats) -> float:
    reach = correlation.shape[0] // 2
    index = half_plane(12)
    a0 = float(np.linalg.norm(reduce_cell(vectors)[0]))
    near = index @ vectors
    length = np.hypot(*near.T)
    ring = (length > 2.5 * a0) & (length < min(6.5 * a0, reach - 1))
    if ring.sum() < 4:
        ring = (length > 0.5 * a0) & (length < reach - 1)
    if not ring.any():
        return 0.0
    values = ndimage.map_coordinates(correlation, (near[ring] + reach).T, order=1)
    return float(np.clip(values.mean() - correlation.mean(), 0, 1))
