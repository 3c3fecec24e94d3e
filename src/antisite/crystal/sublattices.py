"""The motif: one mean unit cell, its columns and its hollow places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .contrast import Floats, Mask
from .distortion import Distortion
from .lattice import Lattice

Array = NDArray[np.float64]
_BINS = 3  # per px
_MAX_PIXELS = 3_000_000
_NOISE = 0.02  # of the motif's range, noise that makes no maximum of its own
_MOST_BLUR = 0.09  # √(cell area); more would merge columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sublattice:
    """One place of the cell, and all that stands there.

    Parameters
    ----------
    name : A, B, … from bright to dark; `hollow` (or `hollow 1`, …) where no column stands.
    fraction : (2,) coordinates along a and b.
    level : brightness above the darkest place, over that of A.
    persistence : how far the motif falls, over its range, before a brighter column is met.
    """

    name: str
    fraction: Array
    level: float
    persistence: float

    @property
    def hollow(self) -> bool:
        """Whether no column stands here."""
        return self.name.startswith("hollow")


@dataclass(frozen=True, slots=True, kw_only=True)
class SublatticeFinder:
    """Finds the columns of a motif.

    Parameters
    ----------
    persistence : of the motif's range, least fall around a column.
    shoulder : of the motif's range, least level of a column seen only by symmetry.
    """

    persistence: float = 0.12
    shoulder: float = 0.3

    def __call__(self, motif: Floats, lattice: Lattice) -> list[Sublattice]:
        """The columns, from bright to dark.

        Parameters
        ----------
        motif : (nb, na), one unit cell.
        """
        span = float(motif.max() - motif.min()) or 1.0
        level = (motif - motif.min()) / span
        tops, falls = persistent_maxima(level, least=self.persistence)
        tops, falls = self._with_shoulders(level, tops, falls, lattice)
        height = sample_cell(level, tops)
        order = np.argsort(-height, kind="stable")
        return [
            Sublattice(
                name=_letters(n), fraction=tops[i], level=float(height[i]), persistence=float(falls[i])
            )
            for n, i in enumerate(order)
        ]

    def _with_shoulders(
        self, level: Floats, tops: Array, falls: Array, lattice: Lattice
    ) -> tuple[Array, Array]:
        """Add the brighter triangle centre of a hexagonal cell when it is no maximum of its own."""
        a, b = lattice.lengths
        hexagonal = b < 1.15 * a and abs(abs(lattice.gamma - np.pi / 2) - np.pi / 6) < 0.17
        if not hexagonal or len(tops) != 1:
            return tops, falls
        third = np.array([1 / 3, 1 / 3 if lattice.gamma < np.pi / 2 else 2 / 3])
        centres = (tops[0] + np.array([third, -third])) % 1
        height = sample_cell(level, centres)
        bright, dark = int(np.argmax(height)), int(np.argmin(height))
        if height[bright] > self.shoulder and height[bright] - height[dark] > self.persistence:
            return np.vstack([tops, centres[bright]]), np.append(falls, 0.0)
        return tops, falls


def mean_cell(flat: Floats, mask: Mask, lattice: Lattice, distortion: Distortion) -> Floats:
    """One unit cell (nb, na): the mean of all pixels that share a place in the cell.

    Three bins a pixel, smoothed until two halves of the cells agree; of large images a regular
    part of the rows is enough.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.
    """
    a, b = lattice.lengths
    shape = (max(8, round(_BINS * b)), max(8, round(_BINS * a)))
    stride = max(1, int(np.ceil(flat.size / _MAX_PIXELS)))
    y, x = np.nonzero(~mask[::stride])
    y *= stride
    positions = np.column_stack([y, x]).astype(float)
    fractions = lattice.fractions(positions - distortion.at(positions))
    cell = np.floor(fractions).astype(int)
    fractions -= cell
    bins = (fractions[:, 1] * shape[0]).astype(int) % shape[0] * shape[1]
    bins += (fractions[:, 0] * shape[1]).astype(int) % shape[1]
    n = shape[0] * shape[1]
    bins += (cell.sum(axis=1) % 2) * n
    total = np.bincount(bins, flat[y, x], 2 * n).reshape(2, *shape).astype(float)
    count = np.bincount(bins, minlength=2 * n).reshape(2, *shape).astype(float)
    return _smooth_until_equal(total, count, most=_MOST_BLUR * _BINS * lattice.size)


def _smooth_until_equal(total: Array, count: Array, *, most: float) -> Floats:
    """Mean of two halves under the least blur that makes their difference small, at most `most` bins."""
    sigma = 1.0
    while True:
        sums, counts = (ndimage.gaussian_filter(v, (0, sigma, sigma), mode="wrap") for v in (total, count))
        halves = sums / np.maximum(counts, 1e-6)
        mean = sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1e-6)
        if np.std(halves[0] - halves[1]) / 2 < _NOISE * np.ptp(mean) or sigma >= most:
            return np.asarray(mean, dtype=np.float32)
        sigma = min(1.3 * sigma, most)


def bin_fractions(shape: tuple[int, ...]) -> Array:
    """Fractions (nb na, 2) along a and b of the bins of a mean cell (nb, na)."""
    fb, fa = np.meshgrid(*((np.arange(n) + 0.5) / n for n in shape), indexing="ij")
    return np.column_stack([fa.ravel(), fb.ravel()])


def periodic_distance(difference: Array, lattice: Lattice) -> Array:
    """Shortest distance in px of differences (n, 2) of fractional coordinates."""
    wrapped = difference - np.round(difference)
    span = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    return np.asarray(
        np.linalg.norm(lattice.positions((wrapped[:, None] + span).reshape(-1, 2)), axis=1)
        .reshape(-1, 9)
        .min(axis=1)
    )


def persistent_maxima(level: Floats, *, least: float) -> tuple[Array, Array]:
    """Maxima of a periodic map that fall by at least `least` before a higher one is met.

    Returns
    -------
    fractions : (n, 2) along a and b, sub-bin, highest first.
    falls : (n,)
    """
    peak = level == ndimage.maximum_filter(level, size=5, mode="wrap")
    i, j = np.nonzero(peak)
    order = np.argsort(-level[i, j], kind="stable")
    i, j = i[order], j[order]
    height = level[i, j]
    falls = height - float(level.min())
    tiled = np.tile(level, (3, 3))
    home = (i + level.shape[0], j + level.shape[1])
    everywhere = [(i + di * level.shape[0], j + dj * level.shape[1]) for di in range(3) for dj in range(3)]
    alive = np.ones(len(i), dtype=bool)
    alive[0] = False  # nothing is higher: it falls to the bottom
    for threshold in np.arange(1, 0, -0.01) * float(level.max()):
        if not alive.any():
            break
        region = ndimage.label(tiled >= threshold)[0]
        own = region[home]
        met = np.zeros(len(i), dtype=bool)
        for rows, columns in everywhere:
            same = (region[rows, columns][None] == own[:, None]) & (own[:, None] > 0)
            met |= np.tril(same, -1).any(axis=1)
        dies = met & alive
        falls[dies] = height[dies] - threshold
        alive &= ~met
    keep = falls >= least
    return sub_bin(level, i[keep], j[keep]), falls[keep].astype(float)


def sub_bin(level: Floats, i: NDArray[np.int_], j: NDArray[np.int_]) -> Array:
    """Fractions (n, 2) along a and b of maxima at bins (i, j), sub-bin by a parabola."""
    padded = np.pad(level, 1, mode="wrap").astype(float)
    offset = []
    for di, dj in ((1, 0), (0, 1)):
        before, after = padded[i + 1 - di, j + 1 - dj], padded[i + 1 + di, j + 1 + dj]
        bend = before - 2 * padded[i + 1, j + 1] + after
        offset.append(np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0))
    shift = np.clip(np.array(offset), -0.5, 0.5)
    return np.column_stack(
        [(j + 0.5 + shift[1]) / level.shape[1] % 1, (i + 0.5 + shift[0]) / level.shape[0] % 1]
    )


def sample_cell(level: Floats, fractions: Array) -> Array:
    """Values (n,) of a mean cell (nb, na) at fractions (n, 2) along a and b."""
    at = (fractions[:, ::-1] * level.shape - 0.5).T
    return np.asarray(ndimage.map_coordinates(level, at, order=1, mode="grid-wrap"))


def _letters(n: int) -> str:
    return chr(65 + n) if n < 26 else f"A{n - 25}"
