"""How well found lines and dislocation cores agree with true ones.

Paths are (n, 2) px (y, x). A line is judged by its points, evenly spread, not by its corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .matching import match_positions

Array = NDArray[np.float64]

FOUND = 0.8
"""Share of a true line that must be covered for it to count as found."""
_NEAR = 0.5  # share of a found line that must lie near true ones, or it is false
_CHUNK = 2_000_000  # distances held at once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineScores:
    """Found lines against true ones.

    Parameters
    ----------
    covered : (n true,) share of each true line that lies near a found one.
    median, p95 : (n true,) px, distance of the found points to the line they belong to; NaN where none do.
    pairs : (k, 2) indices of a found line and of the true line that most of it belongs to; sorted.
    false : (m,) indices of found lines of which less than half lies near true ones.
    """

    covered: Array
    median: Array
    p95: Array
    pairs: NDArray[np.intp]
    false: NDArray[np.intp]

    @property
    def found(self) -> NDArray[np.bool_]:
        """(n true,) whether at least 0.8 of the line is covered."""
        return np.asarray(self.covered >= FOUND)

    @property
    def recall(self) -> float:
        """Share of the true lines that are found, NaN without any."""
        return float(self.found.mean()) if len(self.covered) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoreScores:
    """Found dislocation cores against true ones.

    Parameters
    ----------
    pairs : (k, 2) indices of a found and of its true core.
    n_found, n_true : how many there are.
    distance : (k,) px, of each pair.
    burgers_right : (k,) whether the Burgers vector is the true one; all False where none are given.
    """

    pairs: NDArray[np.intp]
    n_found: int
    n_true: int
    distance: Array
    burgers_right: NDArray[np.bool_]

    @property
    def n_false(self) -> int:
        """How many found cores have no true one."""
        return self.n_found - len(self.pairs)


def score_lines(
    found: Sequence[ArrayLike], truth: Sequence[ArrayLike], *, within: float, step: float = 1.0
) -> LineScores:
    """How much of every true line is found, how near, and what is found where nothing is.

    Parameters
    ----------
    found, truth : paths, each (n, 2) px with at least two points.
    within : px, how near counts (1.5 lattice spacings are usual).
    step : px between the points by which lines are judged.

    Raises
    ------
    InputError
        `within` is not positive, or a path holds fewer than two points or numbers that are not finite.

    Examples
    --------
    >>> scores = score_lines([[[0, 0], [0, 60]]], [[[1, 0], [1, 100]]], within=3)
    >>> scores.covered.round(2).tolist(), scores.median.tolist(), scores.recall
    ([0.62], [1.0], 0.0)
    """
    if not within > 0:
        raise InputError(f"within must be positive [px], got {within:g} (1.5 lattice spacings)")
    paths, true_paths = [_as_path(path) for path in found], [_as_path(path) for path in truth]
    points = [spread_points(path, step=step) for path in paths]
    covered = np.array(
        [(_nearest(spread_points(path, step=step), paths)[0] <= within).mean() for path in true_paths]
    )
    belongs = [_nearest(line, true_paths) for line in points]
    near = [distance <= within for distance, _ in belongs]
    is_false = np.array([hits.mean() < _NEAR for hits in near], dtype=bool)
    pairs: list[tuple[int, int]] = []
    distances: list[list[Array]] = [[] for _ in true_paths]
    for i in np.flatnonzero(~is_false):
        distance, which = belongs[i]
        pairs.append((int(i), int(np.bincount(which[near[i]]).argmax())))
        for j in np.unique(which):
            distances[j].append(distance[which == j])
    quantiles = [_quantiles(values) for values in distances]
    median, p95 = np.array(quantiles).reshape(-1, 2).T
    return LineScores(
        covered=covered.reshape(-1),
        median=median,
        p95=p95,
        pairs=np.array(pairs, dtype=np.intp).reshape(-1, 2),
        false=np.flatnonzero(is_false),
    )


def score_cores(
    found: ArrayLike,
    truth: ArrayLike,
    *,
    within: float,
    found_burgers: ArrayLike | None = None,
    true_burgers: ArrayLike | None = None,
    tolerance: float = 0.3,
) -> CoreScores:
    """Which true dislocation cores are found, how near, and whether their Burgers vectors are right.

    Parameters
    ----------
    found, truth : (N, 2) and (M, 2) px.
    within : px, a pair may not lie farther apart.
    found_burgers, true_burgers : (N, 2) and (M, 2), both in the same unit; NaN where unknown, which is wrong.
    tolerance : share of a true Burgers vector by which the found one may differ.

    Raises
    ------
    InputError
        `within` is not positive, or a position is not a pair of finite numbers.
    """
    places, true_places = (np.asarray(array, dtype=float).reshape(-1, 2) for array in (found, truth))
    pairs = match_positions(places, true_places, within=within)
    distance = np.hypot(*(places[pairs[:, 0]] - true_places[pairs[:, 1]]).T)
    right = np.zeros(len(pairs), dtype=bool)
    if found_burgers is not None and true_burgers is not None:
        first = np.asarray(found_burgers, dtype=float).reshape(-1, 2)[pairs[:, 0]]
        second = np.asarray(true_burgers, dtype=float).reshape(-1, 2)[pairs[:, 1]]
        right = np.hypot(*(first - second).T) <= tolerance * np.hypot(*second.T)
    return CoreScores(
        pairs=pairs,
        n_found=len(places),
        n_true=len(true_places),
        distance=distance,
        burgers_right=right,
    )


def spread_points(path: ArrayLike, *, step: float = 1.0) -> Array:
    """(n, 2) px, points along a path at even distances of at most `step` px, its ends among them."""
    corners = _as_path(path)
    along = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
    places = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(places, along, axis) for axis in corners.T], axis=1)


def distance_to_path(points: ArrayLike, path: ArrayLike) -> Array:
    """(N,) px, distance of points (N, 2) to the nearest place of a path (n, 2), corners or not.

    Examples
    --------
    >>> distance_to_path([[1, 5], [0, 13]], [[0, 0], [0, 10]]).tolist()
    [1.0, 3.0]
    """
    corners = _as_path(path)
    start, run = corners[:-1], np.diff(corners, axis=0)
    lengths = np.maximum((run**2).sum(axis=1), 1e-300)
    places = np.asarray(points, dtype=float).reshape(-1, 2)
    parts = []
    for chunk in np.array_split(places, max(1, len(places) * len(run) // _CHUNK)):
        offset = chunk[:, None] - start
        share = np.clip((offset * run).sum(axis=-1) / lengths, 0, 1)
        parts.append(np.sqrt(((offset - share[..., None] * run) ** 2).sum(axis=-1)).min(axis=1))
    return np.concatenate(parts)


def _nearest(points: Array, paths: Sequence[Array]) -> tuple[Array, NDArray[np.intp]]:
    """Distance to the nearest of some paths, and which it is; infinitely far where there are none."""
    if not paths:
        return np.full(len(points), np.inf), np.zeros(len(points), dtype=np.intp)
    distances = np.stack([distance_to_path(points, path) for path in paths])
    return distances.min(axis=0), distances.argmin(axis=0)


def _quantiles(values: Sequence[Array]) -> tuple[float, float]:
    if not values:
        return float("nan"), float("nan")
    median, p95 = np.quantile(np.concatenate(values), [0.5, 0.95])
    return float(median), float(p95)


def _as_path(path: ArrayLike) -> Array:
    array = np.asarray(path, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 2 or not np.isfinite(array).all():
        raise InputError(
            f"a path must be two or more points (y, x) of finite numbers [px], got shape {array.shape}"
        )
    return array
