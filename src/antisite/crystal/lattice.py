"""The repeat of the crystal: two vectors, found in the autocorrelation and checked in the spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..errors import InputError, NoLatticeError
from .contrast import Floats
from .spacing import Spectrum, correlation_maxima, parabola_offset, smoothed_correlation

Array = NDArray[np.float64]
MIN_CELL = 6.0  # px, least √(cell area) at which columns can be told apart
MIN_COHERENCE = 0.12
_SPOT_ROOM = 6.0  # bins between a spot and the next that its own width does not fill
_EQUAL = 1e-12  # squared lengths that differ by less are equal: a hexagon has several shortest vectors
_ON_A_LINE = 1e-18


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
    vectors = _superlattice(vectors, spectrum)
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
    if lattice.size < MIN_CELL:
        raise InputError(
            f"a unit cell must be at least {MIN_CELL:g} px across, got {lattice.size:.1f} px: "
            "record at a higher magnification"
        )
    return lattice


def reduce_cell(vectors: Array) -> Array:
    """Gauss reduction: the two shortest vectors of the same lattice, the shorter first."""
    a, b = sorted(vectors, key=lambda v: float(v @ v))
    while a @ a > _ON_A_LINE * (b @ b):
        shorter = b - np.round(a @ b / (a @ a)) * a
        if shorter @ shorter >= (1 - _EQUAL) * (b @ b):
            break
        a, b = sorted((a, shorter), key=lambda v: float(v @ v))
    return np.array([a, b])


def same_lattice(lattice: Lattice, other: Lattice, *, tolerance: float = 0.12) -> bool:
    """Whether two lattices have the same shifts, to a share of a cell: less is drift or strain."""
    index = lattice.fractions(other.vectors)
    near = np.abs(index - np.round(index)).max() < tolerance
    return bool(near and round(abs(float(np.linalg.det(np.round(index))))) == 1)


def half_plane(reach: int) -> NDArray[np.int_]:
    """Indices (n, 2) up to `reach` without (0, 0), of each opposite pair one."""
    return np.array([(i, j) for i in range(reach + 1) for j in range(-reach, reach + 1) if i > 0 or j > 0])


def _orient(vectors: Array) -> Array:
    """The same lattice with a pointing right or down, and b clockwise from it as seen."""
    a, b = reduce_cell(vectors)
    if np.arctan2(*a) % np.pi != np.arctan2(*a) % (2 * np.pi):
        a = -a
    if np.linalg.det([b, a]) < 0:  # rows are (y, x): b follows a clockwise as seen, y down
        b = -b
    return np.array([a, b])


def _choose(shifts: Array, heights: Array, spectrum: Spectrum, spacing: float) -> Array:
    """The smallest cell spanned by two tall maxima that explains the Bragg spots as well as any."""
    length = np.hypot(*shifts.T)
    near = (length > 3) & (length < 10 * spacing)
    shifts, heights = shifts[near], heights[near]
    tall = heights > 0.6 * np.sort(heights)[-4:].mean() if len(heights) else heights > 0
    shifts = shifts[tall][:40]
    spots, weights = bragg_spots(spectrum, spacing=spacing)
    cells = []
    for i, j in combinations(range(len(shifts)), 2):
        cell = reduce_cell(shifts[[i, j]])
        area = abs(np.linalg.det(cell))
        if area < 0.3 * spacing**2:
            continue
        index = spots @ cell.T
        explained = weights[(np.abs(index - np.round(index)) < 0.12).all(axis=1)].sum()
        cells.append((area, float(explained), cell))
    if not cells:
        raise NoLatticeError("no lattice found: the image repeats in no two directions")
    best = max(explained for _, explained, _ in cells)
    return min((c for c in cells if c[1] >= 0.95 * best), key=lambda c: c[0])[2]


def bragg_spots(spectrum: Spectrum, *, spacing: float, n: int = 40) -> tuple[Array, Array]:
    """The strongest spots of the power spectrum that stand clear of their surroundings.

    Returns
    -------
    frequencies : (k, 2) 1/px as (y, x), x ≥ 0, k ≤ n.
    weights : (k,) powers, their sum 1: the satellites of a shaking scan weigh little.
    """
    power, reach = _centred(spectrum, spacing)
    smooth = ndimage.gaussian_filter(power, 1)
    around = ndimage.percentile_filter(smooth[::2, ::2], 60, size=(15, 15))
    around = np.maximum(around.repeat(2, 0).repeat(2, 1)[: smooth.shape[0], : smooth.shape[1]], 1e-12)
    peak = (smooth == ndimage.maximum_filter(smooth, size=7)) & (smooth > 8 * around)
    peak[[0, -1]] = peak[:, [0, -1]] = False
    y, x = np.nonzero(peak)
    f = (np.column_stack([y - reach[0], x]) + parabola_offset(np.log(smooth + 1e-12), y, x)) / spectrum.shape
    keep = np.hypot(*f.T) > 0.1 / spacing
    f, strength = f[keep], smooth[y, x][keep] - around[y, x][keep]
    order = np.argsort(-strength, kind="stable")[:n]
    return f[order], strength[order] / max(float(strength[order].sum()), 1e-12)


def _centred(spectrum: Spectrum, spacing: float) -> tuple[Floats, tuple[int, int]]:
    """Power below 2.6 per spacing with zero frequency in row `reach[0]`, column 0."""
    limit = min(2.6 / spacing, 0.45)
    reach = (int(limit * spectrum.shape[0]), int(limit * spectrum.shape[1]))
    rows = np.arange(-reach[0], reach[0] + 1)
    return spectrum.power[rows][:, : reach[1] + 1], reach


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


def _superlattice(vectors: Array, spectrum: Spectrum) -> Array:
    """A larger cell where spots stand at halves or thirds of the reciprocal lattice."""
    for divisor in (2, 3):
        reciprocal = np.asarray(np.linalg.inv(vectors).T, dtype=float)
        fractions = [(i, j) for i in range(divisor) for j in range(divisor) if (i, j) > (0, 0)]
        seen = [
            g
            for g in fractions
            if _spot_stands_out(np.asarray(np.array(g) / divisor @ reciprocal), reciprocal, spectrum)
        ]
        if seen:
            rows = np.vstack([np.eye(2), np.array(seen) / divisor])
            vectors = np.linalg.inv(_basis(rows, divisor) @ reciprocal).T
    return reduce_cell(vectors)


def _basis(rows: Array, divisor: int) -> Array:
    """Basis of the lattice that holds rows of multiples of 1/divisor (Hermite normal form)."""
    m = np.round(rows * divisor).astype(int)
    for column in range(2):
        while np.count_nonzero(m[column:, column]) > 1:
            block = np.abs(m[column:, column]).astype(float)
            pivot = column + int(np.argmin(np.where(block > 0, block, np.inf)))
            m[[column, pivot]] = m[[pivot, column]]
            m[column + 1 :] -= (m[column + 1 :, column] // m[column, column])[:, None] * m[column]
        if m[column, column] == 0:
            pivot = column + int(np.argmax(np.abs(m[column:, column])))
            m[[column, pivot]] = m[[pivot, column]]
    return m[:2] / divisor


def _spot_stands_out(offset: Array, reciprocal: Array, spectrum: Spectrum) -> bool:
    """Whether two of the spots `offset` from a lattice point tower over what surrounds them.

    They must reach 8 % of the amplitude of the strongest spot: less makes neighbours differ
    by less than any defect that is looked for, and may come from a shaking scan.
    """
    index = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)])
    corners = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ reciprocal
    room = float(np.hypot(*((corners - offset) * spectrum.shape).T).min())  # bins to the next lattice point
    if room < _SPOT_ROOM:
        return False
    lattice_points = index[np.abs(index).sum(axis=1) > 0] @ reciprocal
    strongest = _spot_power(lattice_points, reciprocal, spectrum, room=room)[0].max()
    inside, outside = _spot_power(index @ reciprocal + offset, reciprocal, spectrum, room=room)
    return bool(np.sum((inside > 4 * outside) & (inside > 0.08**2 * strongest)) >= 2)


def _spot_power(f: Array, reciprocal: Array, spectrum: Spectrum, *, room: float) -> tuple[Floats, Floats]:
    """Largest power within 2 bins of each frequency, and farther round it but clear of the next spot."""
    f = f[(np.hypot(*f.T) < 2.2 * np.hypot(*reciprocal.T).max()) & (np.abs(f).max(axis=1) < 0.42)]
    f = np.where(f[:, 1:] < 0, -f, f)
    at = np.unique(np.round(f * spectrum.shape).astype(int), axis=0)
    span = np.arange(-8, 9)
    rows = (at[:, 0, None, None] + span[:, None]) % spectrum.shape[0]
    columns = at[:, 1, None, None] + span
    box = spectrum.power[
        np.where(columns < 0, -rows, rows), np.minimum(np.abs(columns), spectrum.power.shape[1] - 1)
    ]
    radius = np.hypot(span[:, None], span)
    ring = (radius >= 3.5) & (radius <= max(room - 2.5, 4))
    return box[:, radius <= 2].max(axis=1, initial=0), box[:, ring].max(axis=1, initial=0)


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
