"""Boundaries between domains: where the waves of one lattice give way to those of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask
from ..crystal.demodulation import Demodulator
from ..crystal.lattice import Lattice
from .domain_map import domains_at, domains_at_nodes
from .lines import sample_line

Array = NDArray[np.float64]
Numbers = NDArray[np.int8]
_WINDOW = 0.8  # √(cell area)
_INSIDE = 1.5  # √(cell area), away from other domains, where a wave is taken as typical
_TOLD_APART_BY = 3  # reflections
_FAR = 3.0  # √(cell area), how far windows may have misplaced a border
_LOW = 2.3  # 1/√(cell area), length of the reflections
_FINEST = 0.45  # 1/px
MIN_LENGTH = 4.0  # √(cell area)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Border:
    """Where two domains meet.

    Parameters
    ----------
    left, right : numbers of the domains, as one walks along the path.
    path : (n, 2) px as (y, x).
    """

    left: int
    right: int
    path: Array


def sharpen_domains(even: Floats, mask: Mask, domains: Numbers, lattices: Sequence[Lattice]) -> Numbers:
    """Move the borders of roughly known domains to where the waves of either lattice are equally strong.

    Parameters
    ----------
    even : (y, x), of even local contrast.
    mask : (y, x), True where pixels are ignored.
    domains : (y, x) number of the lattice of each pixel, -1 where none is known.
    """
    if len(lattices) < 2:
        return domains
    cell = mean_size(lattices)
    demodulator = Demodulator(even, mask, sigma=_WINDOW * cell)
    coarse = domains_at_nodes(domains, demodulator.nodes, demodulator.step)
    reach = [2 * int(np.ceil(_FAR * cell / s)) + 1 for s in demodulator.step]
    near = np.array([ndimage.maximum_filter(coarse == k, reach) for k in range(len(lattices))])
    y, x = (
        np.minimum(np.round(np.arange(n) / s), m - 1).astype(int)
        for n, s, m in zip(domains.shape, demodulator.step, coarse.shape, strict=True)
    )
    unsure = np.argwhere((near.sum(axis=0) > 1)[np.ix_(y, x)] & (domains >= 0))
    share = np.full((len(lattices), len(unsure)), -np.inf)
    for k, lattice in enumerate(lattices):
        own = near[k][y[unsure[:, 0]], x[unsure[:, 1]]]
        field = _presence(demodulator, coarse, k, lattice, cell)
        share[k, own] = ndimage.map_coordinates(
            field, (unsure[own] / demodulator.step).T, order=1, mode="nearest"
        )
    sharp = domains.copy()
    sharp[unsure[:, 0], unsure[:, 1]] = share.argmax(axis=0)
    return sharp


def mean_size(lattices: Sequence[Lattice]) -> float:
    """Mean √(cell area) of several lattices, px."""
    return float(np.mean([lattice.size for lattice in lattices]))


def _presence(demodulator: Demodulator, coarse: Numbers, k: int, lattice: Lattice, cell: float) -> Array:
    """(m, n), 1 where lattice k is, 0 where it is not, by the reflections that tell it from the others."""
    own, other = (
        _well_inside(m, demodulator.step, cell) for m in (coarse == k, (coarse != k) & (coarse >= 0))
    )
    found = []
    for g in lattice.low_reflections(longest=_LOW, finest=_FINEST) @ lattice.reciprocal:
        wave = np.abs(demodulator(g))
        inside, outside = float(np.median(wave[own])), float(np.median(wave[other]))
        found.append((inside - outside, outside, wave))
    found.sort(key=lambda f: -f[0])
    best = found[:_TOLD_APART_BY]
    apart = max(sum(difference for difference, _, _ in best), 1e-12)
    return np.asarray(sum(wave - outside for _, outside, wave in best) / apart)


def _well_inside(area: Mask, step: tuple[float, float], cell: float) -> Mask:
    """The part of an area that keeps clear of others, or all of it where it is too narrow."""
    inside = ndimage.distance_transform_edt(area, sampling=step) > _INSIDE * cell
    return inside if inside.any() else area


def find_borders(domains: Numbers, *, cell: float) -> list[Border]:
    """The borders between domains, each from frame, junction or end to the next, four cells long at least.

    Parameters
    ----------
    domains : (y, x), -1 where there is no crystal.
    cell : √(cell area), px.
    """
    from skimage.measure import find_contours

    stride = max(1, int(cell / 6))
    small = domains[::stride, ::stride]
    borders = []
    for k in range(int(small.max()) + 1):
        for contour in find_contours((small == k).astype(np.float32), 0.5):
            borders += [
                Border(left=k, right=other, path=path * stride)
                for other, path in _runs(contour, small, k)
                if other > k
            ]
    borders = [b for b in borders if np.hypot(*np.diff(b.path, axis=0).T).sum() >= MIN_LENGTH * cell]
    return [_as_walked(b, domains, cell=cell) for b in borders]


def _runs(contour: Array, domains: Numbers, k: int) -> list[tuple[int, Array]]:
    """Stretches of the contour of domain k, each with the number of the domain beyond it."""
    low, high = np.floor(contour).astype(int), np.ceil(contour).astype(int)
    first, second = domains[low[:, 0], low[:, 1]], domains[high[:, 0], high[:, 1]]
    beyond = np.where(first == k, second, first).astype(int)
    closed = bool(np.all(contour[0] == contour[-1]))
    change = np.flatnonzero(np.diff(beyond)) + 1
    if closed and len(change):
        contour, beyond = (np.roll(v[:-1], -change[0], axis=0) for v in (contour, beyond))
        change = np.flatnonzero(np.diff(beyond)) + 1
    parts = np.split(np.arange(len(beyond)), change)
    return [(int(beyond[part[0]]), contour[part]) for part in parts if len(part) > 1]


def _as_walked(border: Border, domains: Numbers, *, cell: float) -> Border:
    """The same with the path in the sense that has domain `left` to its left."""
    line = sample_line(border.path, spacing=cell)
    on_the_right = domains_at(domains, line.places + 0.5 * cell * line.normals)
    if (on_the_right == border.left).sum() > (on_the_right == border.right).sum():
        return Border(left=border.left, right=border.right, path=border.path[::-1])
    return border
