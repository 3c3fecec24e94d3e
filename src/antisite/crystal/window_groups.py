"""How many groups windows fall into, and which is where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from .contrast import Floats, Mask
from .windows import Ints, Windows

Array = NDArray[np.float64]
_SAMPLE = 1000  # windows that decide
_LEAST_SAMPLE = 10
_COMPONENTS = 12
_FAINT = 0.12  # of the first component's variance; components below are noise or strain
_PURE = 50  # percentile of the change nearby
_COHESION = 0.4  # least mean silhouette of one group
_NO_WORSE = 0.06  # than the best mean silhouette
_MIXED = 0.2  # of a group's power is not that of two others together
_LEAST_PART = 0.1
_SHARP = 1.7  # changes from one group to the other per window; drift brings less
_SHARP_STEP = 0.25  # windows; a longer step between windows blurs the change
_FAR = 0.6  # squared distance of two centres, which drift does not bring
_THICK_AT_FRAME = 0.8  # windows; a domain that the frame cuts is thicker than what is seen of it
_THICK = 1.2  # windows; what is thinner is no domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """When groups of windows are believed.

    Parameters
    ----------
    max_groups : how many may be told apart.
    silhouette : least mean silhouette of windows that hold one thing only.
    distance : least cosine distance between the mean vectors of two groups.
    """

    max_groups: int
    silhouette: float
    distance: float

    def __call__(self, vectors: Floats, windows: Windows, *, rng: np.random.Generator) -> Ints:
        """Number of the group of every window, 0 the largest.

        Windows that change least on the spot hold one thing only. Those decide (Ward's tree, cut where
        the silhouette says); the others go to the nearest centre.

        Parameters
        ----------
        vectors : (rows, columns, n), not negative, of unit length.
        """
        whole = np.zeros(vectors.shape[:2], dtype=int)
        scores = strongest_components(vectors, windows.seen)
        pure = np.flatnonzero(pure_windows(scores, windows))
        if len(pure) < _LEAST_SAMPLE:
            return whole
        chosen = rng.permutation(pure)[:_SAMPLE]
        points = scores.reshape(-1, scores.shape[2])[chosen]
        group = self._cut(points, vectors.reshape(-1, vectors.shape[2])[chosen])
        if not group.any():
            return whole
        centres = np.array([points[group == i].mean(axis=0) for i in range(group.max() + 1)])
        return settle(join_gradual(scores, centres, windows), windows)

    def _cut(self, points: Array, vectors: Floats) -> Ints:
        """The largest number of groups that is clearly there."""
        tree, distances = linkage(points, "ward"), cdist(points, points)
        cuts: list[tuple[float, Ints]] = []
        for k in range(2, min(self.max_groups, len(points) - 1) + 1):
            group = np.asarray(fcluster(tree, k, "maxclust") - 1, dtype=np.int_)
            if group.max() != k - 1:
                continue
            means = np.array([vectors[group == i].mean(axis=0) for i in range(k)])
            if cdist(means, means, "cosine")[np.triu_indices(k, 1)].min() < self.distance:
                break  # a finer cut splits one of these again
            mixed = _mixtures(np.array([(vectors[group == i] ** 2).mean(axis=0) for i in range(k)]), group)
            if mixed and k - len(mixed) < 2:
                continue
            if mixed:
                own = np.setdiff1d(np.arange(k), mixed)
                centres = np.array([points[group == i].mean(axis=0) for i in own])
                group = cdist(points, centres).argmin(axis=1)
            silhouette = silhouettes(distances, group)
            if min(silhouette[group == i].mean() for i in range(group.max() + 1)) >= _COHESION:
                cuts.append((float(silhouette.mean()), group))
        best = max((s for s, _ in cuts), default=0.0)
        good = [group for s, group in cuts if s >= max(self.silhouette, best - _NO_WORSE)]
        return good[-1] if good else np.zeros(len(points), dtype=int)


def strongest_components(vectors: Floats, seen: Mask) -> Floats:
    """Vectors (rows, columns, n) in the few components (rows, columns, k) that tell them apart."""
    known = vectors[seen]
    mean = known.mean(axis=0)
    sample = known[:: max(1, len(known) // 4000)] - mean
    variances, axes = np.linalg.eigh(sample.T @ sample)
    k = int((variances[-_COMPONENTS:] >= _FAINT * variances[-1]).sum())
    return np.asarray((vectors - mean) @ axes[:, : -k - 1 : -1])


def pure_windows(scores: Floats, windows: Windows) -> Mask:
    """Windows (rows, columns) beside which less changes than beside half of those within a window."""
    change = np.asarray(
        sum(
            np.sum((np.gradient(scores, axis=axis) / step) ** 2, axis=2)
            for axis, step in enumerate(windows.step)
        )
    )
    change[~windows.seen] = np.inf
    size = [max(3, round(1 / step)) for step in windows.step]
    return np.asarray(windows.seen & (change <= ndimage.percentile_filter(change, _PURE, size=size)))


def _mixtures(powers: Array, group: Ints) -> list[int]:
    """Groups that hold what two larger ones hold together: windows across a boundary."""
    size = np.bincount(group)
    mixed = []
    for i, power in enumerate(powers):
        larger = np.flatnonzero((size >= size[i]) & (np.arange(len(size)) != i))
        for pair in combinations(larger, 2):
            parts = powers[list(pair)]
            share = np.linalg.lstsq(parts.T, power, rcond=None)[0]
            rest = np.linalg.norm(share @ parts - power)
            if share.min() >= _LEAST_PART and rest < _MIXED * np.linalg.norm(power):
                mixed.append(i)
                break
    return mixed


def join_gradual(
    scores: Floats, centres: Array, windows: Windows, *, far: float = _FAR, sharp: float = _SHARP
) -> Ints:
    """Nearest centre of each window (rows, columns), -1 where unseen, groups that flow into each other one.

    From one crystal to the next everything changes within half a window; drift bends a lattice slowly.

    Parameters
    ----------
    far : squared distance of two centres, beyond which they are not joined.
    sharp : changes from one group to the other per window, at which they are not joined.
    """
    group = cdist(scores.reshape(-1, scores.shape[2]), centres).argmin(axis=1).reshape(scores.shape[:2])
    group[~windows.seen] = -1
    blurred = min(1.0, _SHARP_STEP / float(windows.step.max()))
    number = np.arange(len(centres))
    beside = [ndimage.binary_dilation(group == i, iterations=3) for i in number]
    for i, j in combinations(number, 2):
        across = centres[j] - centres[i]
        if across @ across > far:
            continue
        way = (scores - centres[i]) @ across / (across @ across)
        between = beside[i] & beside[j] & np.isin(group, (i, j)) & (np.abs(way - 0.5) < 0.25)
        if between.any():
            slope = np.hypot(*(g / s for g, s in zip(np.gradient(way), windows.step, strict=True)))
            if np.median(slope[between]) < sharp * blurred:
                number[number == number[j]] = number[i]
    return np.asarray(np.where(group < 0, -1, number[group]))


def settle(group: Ints, windows: Windows) -> Ints:
    """Give windows of groups thinner than a window to the nearest thick one; number from the largest.

    What is thinner than a window is where windows meet something else: a boundary, a mask, one wild
    column. Windows without a group (-1) go the same way. The windows' centres stop half a window before
    the frame, the groups do not.
    """
    step = windows.step
    to_frame = [
        s * np.minimum(np.arange(n), np.arange(n)[::-1]) for s, n in zip(step, group.shape, strict=True)
    ]
    beyond = 0.5 + np.minimum(to_frame[0][:, None], to_frame[1])
    thickness = {}
    for k in np.unique(group[group >= 0]):
        reach = ndimage.distance_transform_edt(group == k, sampling=step) - step.max() / 2
        thickness[k] = float((reach + np.minimum(reach, beyond)).max())
        rim = np.concatenate([group[0], group[-1], group[:, 0], group[:, -1]])
        if k in rim:
            thickness[k] *= _THICK / _THICK_AT_FRAME
    thickest = max(thickness, key=lambda k: thickness[k])
    thick = [k for k, t in thickness.items() if t > _THICK] or [thickest]
    _, nearest = ndimage.distance_transform_edt(~np.isin(group, thick), sampling=step, return_indices=True)
    group = group[tuple(nearest)]
    return _largest_first(group, thick)


def _largest_first(group: Ints, kept: Sequence[int]) -> Ints:
    number = np.zeros(int(group.max()) + 1, dtype=int)
    number[sorted(kept, key=lambda k: -int((group == k).sum()))] = np.arange(len(kept))
    return np.asarray(number[group])


def silhouettes(distances: Array, group: Ints) -> Array:
    """Silhouette of each point, after Rousseeuw (1987), J. Comput. Appl. Math. 20, 53.

    Parameters
    ----------
    distances : (n, n)
    group : (n,), 0 to k - 1, none of them empty.

    Examples
    --------
    >>> at = np.array([0.0, 1.0, 10.0, 11.0])
    >>> silhouettes(np.abs(at - at[:, None]), np.array([0, 0, 1, 1])).round(2).tolist()
    [0.9, 0.89, 0.89, 0.9]
    """
    member = group[:, None] == np.arange(group.max() + 1)
    size = member.sum(axis=0)
    total = distances @ member
    own = total[member] / np.maximum(size[group] - 1, 1)
    other = np.where(member, np.inf, total / size).min(axis=1)
    return np.asarray((other - own) / np.maximum(np.maximum(own, other), 1e-12))
