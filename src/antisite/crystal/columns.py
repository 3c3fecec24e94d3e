"""Columns: where the lattice wants them, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from .contrast import Floats
from .distortion import Distortion
from .lattice import Lattice
from .sublattices import Sublattice

Array = NDArray[np.float64]
_NEIGHBOURS = 9
_SETTLED = 0.3  # px, the last step towards a place that is known
_SAME = 1.5  # px, between two that are one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sites:
    """Where the lattice wants something, missing columns included.

    Parameters
    ----------
    positions : (n, 2) px as (y, x).
    sublattice : (n,) index into the sublattices.
    cells : (n, 2) number of the cell along a and b.
    """

    positions: Array
    sublattice: NDArray[np.int_]
    cells: NDArray[np.int_]

    def __len__(self) -> int:
        return len(self.positions)


def predict_sites(
    lattice: Lattice, distortion: Distortion, sublattices: Sequence[Sublattice], *, shape: tuple[int, int]
) -> Sites:
    """Every site of every sublattice within the frame."""
    turning = np.hypot(*(distortion.around.burgers @ distortion.vectors).T).sum()
    far = float(np.abs(distortion.displacement).max()) + float(turning) + lattice.size
    corners = np.array([(y, x) for y in (-far, shape[0] + far) for x in (-far, shape[1] + far)])
    reach = lattice.fractions(corners)
    i, j = (
        np.arange(np.floor(low) - 1, np.ceil(high) + 1)
        for low, high in zip(reach.min(axis=0), reach.max(axis=0), strict=True)
    )
    everywhere = np.stack(np.meshgrid(i, j, indexing="ij"), axis=-1).reshape(-1, 2)
    positions, owner, cells = [], [], []
    for number, sublattice in enumerate(sublattices):
        wanted = lattice.positions(everywhere + sublattice.fraction)
        near = _inside(wanted, shape, -far)
        place, known = _displaced(wanted[near], distortion)
        seen = _inside(place, shape, -0.5)
        positions.append(place[seen])
        cells.append(everywhere[near][known][seen].astype(int))
        owner.append(np.full(len(cells[-1]), number))
    return Sites(
        positions=np.concatenate(positions), sublattice=np.concatenate(owner), cells=np.concatenate(cells)
    )


def _displaced(wanted: Array, distortion: Distortion) -> tuple[Array, NDArray[np.int_]]:
    """Where the crystal has places that the lattice wants, and which of those (n, 2) each is.

    The displacement is known where a column is, not where it was wanted. On the far side of a cut, where
    the displacement jumps by a Burgers vector, the same place of the lattice may be met once more.
    """
    burgers = distortion.around.burgers @ distortion.vectors
    jumps = np.unique(np.vstack([np.zeros((1, 2)), burgers, -burgers]).round(6), axis=0)
    places, which = [], []
    for jump in jumps:
        place = wanted + jump
        for _ in range(3):
            before = place
            place = wanted + distortion.at(place)
        settled = (
            np.hypot(*(place - before).T) < _SETTLED if len(jumps) > 1 else np.ones(len(wanted), dtype=bool)
        )
        places.append(place[settled])
        which.append(np.flatnonzero(settled))
    place, number = np.concatenate(places), np.concatenate(which)
    if len(jumps) == 1:
        return place, number
    again = cKDTree(place).query_pairs(_SAME, output_type="ndarray")
    kept = np.ones(len(place), dtype=bool)
    kept[again.max(axis=1)] = False
    order = np.flatnonzero(kept)
    order = order[np.argsort(number[order], kind="stable")]
    return place[order], number[order]


def _inside(positions: Array, shape: tuple[int, int], margin: float) -> NDArray[np.bool_]:
    """Whether positions lie on pixels, `margin` px away from the frame; negative ones allow room outside."""
    return np.asarray(np.all((positions > margin) & (positions < np.array(shape) - 1 - margin), axis=1))


def measure_shifts(smooth: Floats, positions: Array, *, reach: float) -> Array:
    """Offset (n, 2) px from each position to the nearest maximum; NaN where there is none within `reach` px.

    Parameters
    ----------
    smooth : (y, x), an image blurred to about a fifth of the column distance.
    positions : (n, 2) px as (y, x).
    """
    spline = ndimage.spline_filter(smooth, order=3, output=np.float32)
    step = 0.5
    place = positions.copy()
    limit = reach / 2
    peak = np.ones(len(place), dtype=bool)
    for _ in range(3):  # Newton steps towards the maximum
        around = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
        at = (place[:, None] + step * np.array(around)).reshape(-1, 2)
        value = ndimage.map_coordinates(spline, at.T, order=3, prefilter=False, mode="nearest")
        c, up, down, right, left, pp, mm, pm, mp = value.reshape(-1, 9).T.astype(float)
        gy, gx = (up - down) / (2 * step), (right - left) / (2 * step)
        hyy, hxx = (up - 2 * c + down) / step**2, (right - 2 * c + left) / step**2
        hxy = (pp + mm - pm - mp) / (4 * step**2)
        determinant = hyy * hxx - hxy**2
        peak = (determinant > 0) & (hyy + hxx < 0)
        safe = np.where(peak, determinant, 1.0)
        move = np.column_stack([-(hxx * gy - hxy * gx) / safe, -(hyy * gx - hxy * gy) / safe])
        length = np.maximum(np.hypot(*move.T), 1e-12)
        place += np.where(peak, np.minimum(1, limit / length), 0)[:, None] * move
    shift = place - positions
    shift[~peak | (np.hypot(*shift.T) > reach)] = np.nan
    return shift


def settle_sites(positions: Array, shifts: Array) -> Array:
    """Positions (n, 2) moved by the median shift of their nine nearest neighbours.

    A column's own shift would walk off to its neighbour where the column is dim or missing.
    """
    known = np.isfinite(shifts).all(axis=1)
    if known.sum() < _NEIGHBOURS:
        return positions
    _, near = cKDTree(positions[known]).query(positions, k=_NEIGHBOURS)
    return positions + np.median(shifts[known][near], axis=1)


def nearest_distance(lattice: Lattice, sublattices: Sequence[Sublattice]) -> float:
    """Distance in px between nearest columns, hollows left out."""
    places = np.array([s.fraction for s in sublattices if not s.hollow])
    span = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    difference = places[:, None, None] - places[None, :, None] + span
    distance = np.linalg.norm(lattice.positions(difference.reshape(-1, 2)), axis=1)
    return float(distance[distance > 1e-6].min())
