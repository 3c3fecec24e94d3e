"""Lines traced in a map of evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
_SURE = 1.25  # evidence somewhere on a line; it is traced as far as there is more than 1
_END = 0.5  # of the evidence that is usual on a line, where it ends
_BRANCH = 2.0  # √(cell area) from the middle of a line; what lies farther belongs to another
_ONE_LINE = 0.75  # of the evidence in a cloud, along one path; else it branches
_FEW = 3
_RIVAL, _LOBE = 2, 0.7  # nodes to either side; of the highest near by, that a line has
MIN_LENGTH = 6.0  # √(cell area)


def trace_lines(evidence: Array, step: tuple[float, float], *, cell: float) -> list[Array]:
    """Paths (n, 2) px as (y, x) of the lines along which there is evidence above 1.

    Parameters
    ----------
    evidence : (my, mx)
    step : (y, x) px between two nodes.
    cell : √(cell area), px; a line is at least six of it long.
    """
    lines = []
    for cloud in _clouds(evidence, evidence > 1):
        paths = _branches(cloud * np.array(step), evidence[tuple(cloud.T)], cell=cell)
        if len(paths) > 1:
            own = np.zeros(evidence.shape, dtype=bool)
            own[tuple(cloud.T)] = True
            near = ndimage.binary_dilation(own & _ridges(evidence), np.ones((3, 3), dtype=bool))
            paths = [
                path
                for part in _clouds(evidence, own & near)
                for path in _branches(part * np.array(step), evidence[tuple(part.T)], cell=cell)
            ]
        for path in paths:
            strength = read_nodes(evidence, path, step)
            path = path[_longest_run(strength > _END * np.median(strength))]
            if len(path) > 1 and np.hypot(*np.ptp(path, axis=0)) >= MIN_LENGTH * cell:
                lines.append(path)
    return lines


def _clouds(evidence: Array, wanted: NDArray[np.bool_]) -> list[NDArray[np.int_]]:
    """Nodes (n, 2) of the connected parts of what is wanted, where evidence is sure somewhere."""
    label = ndimage.label(wanted, structure=np.ones((3, 3)))[0]
    clouds = []
    for k, box in enumerate(ndimage.find_objects(label), 1):
        own = label[box] == k
        if own.sum() >= _FEW and evidence[box][own].max() >= _SURE:
            clouds.append(np.argwhere(own) + [part.start for part in box])
    return clouds


def _ridges(field: Array) -> NDArray[np.bool_]:
    """Nodes (my, mx) highest of those near by, across the direction in which a map bends down most."""
    slope_y, slope_x = np.gradient(field)
    (yy, yx), xx = np.gradient(slope_y), np.gradient(slope_x)[1]
    across = np.arctan2(2 * yx, xx - yy) / 2 + np.pi / 2  # of the least curvature, rad from +x
    turn = np.round(across / (np.pi / 4)).astype(int) % 4
    one, n = np.zeros((2 * _RIVAL + 1,) * 2, dtype=bool), 2 * _RIVAL + 1
    lines = [one.copy() for _ in range(4)]
    lines[0][_RIVAL] = lines[2][:, _RIVAL] = True
    lines[1], lines[3] = np.eye(n, dtype=bool), np.eye(n, dtype=bool)[::-1]
    highest = [ndimage.maximum_filter(field, footprint=line, mode="nearest") for line in lines]
    lobes = field < _LOBE * ndimage.maximum_filter(field, n, mode="nearest")
    return np.asarray((field >= np.choose(turn, highest)) & ~lobes)


def _branches(places: Array, weight: Array, *, cell: float) -> list[Array]:
    """The path through a cloud of places (n, 2); of a cloud that branches, straight paths one by one."""
    paths = []
    while len(places) >= _FEW:
        path, own = _ordered(places, weight, bin_width=cell)
        if np.average(own, weights=weight) < _ONE_LINE:
            across = _best_line(places, weight, reach=_BRANCH * cell)
            on = across < _BRANCH * cell
            path, _ = _ordered(places[on], weight[on], bin_width=cell)
            own = across < 1.5 * _BRANCH * cell
        paths.append(path)
        places, weight = places[~own], weight[~own]
    return paths


def _best_line(places: Array, weight: Array, *, reach: float) -> Array:
    """Distance (n,) px from the straight line through two places that has most weight within reach."""
    some = places[:: max(1, len(places) // 60)]
    i, j = np.triu_indices(len(some), 1)
    along = some[j] - some[i]
    length = np.hypot(*along.T)
    i, along = i[length > 2 * reach], along[length > 2 * reach]
    if not len(i):
        return np.zeros(len(places))
    normal = np.column_stack([along[:, 1], -along[:, 0]]) / np.hypot(*along.T)[:, None]
    offset = (some[i] * normal).sum(axis=1)
    near = np.abs(places @ normal.T - offset) < reach
    best = int(np.argmax(weight @ near))
    return np.asarray(np.abs(places @ normal[best] - offset[best]))


def read_nodes(field: Array, path: Array, step: tuple[float, float]) -> Array:
    """Values (n,) of a map on nodes at places (n, 2) px."""
    return np.asarray(ndimage.map_coordinates(field, (path / step).T, order=1, mode="nearest"))


def _longest_run(true: NDArray[np.bool_]) -> slice:
    """The longest stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], true.astype(int), [0]]))).reshape(-1, 2)
    return slice(*max(edges, key=lambda run: int(run[1] - run[0]))) if len(edges) else slice(0, 0)


def _ordered(places: Array, weight: Array, *, bin_width: float) -> tuple[Array, NDArray[np.bool_]]:
    """Weighted mean place in each bin along the longest direction of a cloud, and which places tell of it."""
    centred = places - np.average(places, axis=0, weights=weight)
    axes = np.linalg.eigh((centred * weight[:, None]).T @ centred)[1]
    across, along = (centred @ axes).T
    number = np.floor((along - along.min()) / bin_width).astype(int)
    kept = np.ones(len(places), dtype=bool)
    for _ in range(2):
        total = np.bincount(number, weight * kept)
        middle = np.bincount(number, weight * kept * across) / np.maximum(total, 1e-12)
        usual = ndimage.median_filter(middle, size=9, mode="nearest")
        kept = np.abs(across - usual[number]) < _BRANCH * bin_width
    total = np.bincount(number, weight * kept)
    mean = np.column_stack([np.bincount(number, weight * kept * p) for p in places.T])
    return np.asarray(mean[total > 0] / total[total > 0, None]), kept
