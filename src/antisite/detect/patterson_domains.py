"""Domains told apart by the Patterson functions of windows, one class after the other.

After Guo et al. (2021), npj Comput. Mater. 7, 180, scheme B: windows of several cells, their
autocorrelation as a descriptor that does not care where a window was cut, and a one-class support vector
machine whose outliers are the other domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..crystal.contrast import Floats
from ..crystal.domains import DomainFinder
from ..crystal.patterson import patterson
from ..crystal.window_groups import join_gradual, pure_windows, settle, silhouettes, strongest_components
from ..crystal.windows import Ints, Windows

Array = NDArray[np.float64]
_SHORTEST = 0.4  # spacings; shorter lags hold the columns' own width and the noise
_FARTHEST = 0.45  # of a window; farther lags meet too little of themselves
_SAMPLE = 1000  # windows that are learnt from
_LEAST = 5  # windows of a domain
_SEED = 0.05  # of the windows left, the densest, from which a domain grows
_ROUNDS = 12
_WIDTH = 3.0  # root-mean-square distances from the middle of a class: width of the kernel
_WITHIN = 0.5  # of the least likely member's kernel sum, where a class ends
_SHARP = 2.0  # changes per window from one domain to the next: twins make 2.7, drift 1.7
_COHESION = 0.4  # least mean silhouette of one class
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PattersonDomainFinder(DomainFinder):
    """Groups windows by a one-class support vector machine: its outliers are the next domain.

    The machine learns the densest part of the windows that hold one thing only, takes in whatever lies
    within its boundary, learns again until nothing changes, and hands what is left to the next. One
    domain unless the classes clearly lie apart.

    Parameters
    ----------
    nu : share of a class outside the support vectors' boundary. It was not published; a small one lets
        the boundary follow the class, as outliers have been set apart before.
    distance : least cosine distance between the mean Patterson functions of two domains.

    Notes
    -----
    The kernel is Gaussian, as wide as three root-mean-square distances of the class from its middle: γ was
    not published either, and a narrower kernel makes outliers of ordinary scatter.
    """

    nu: float = 0.05
    distance: float = 0.05

    def group(self, windows: Windows, *, rng: Generator) -> Ints:
        """Number (len(y), len(x)) of the domain of each window, 0 the largest."""
        whole = np.zeros(windows.seen.shape, dtype=int)
        vectors = local_pattersons(windows)
        scores = strongest_components(vectors, windows.seen)
        pure = np.flatnonzero(pure_windows(scores, windows))
        if len(pure) < 2 * _LEAST:
            return whole
        chosen = rng.permutation(pure)[:_SAMPLE]
        points = scores.reshape(-1, scores.shape[2])[chosen].astype(float)
        classes = self._classes(points)
        classes = self._believed(classes, points)
        if classes.max() < 1:
            return whole
        centres = np.array([points[classes == k].mean(axis=0) for k in range(classes.max() + 1)])
        return settle(join_gradual(scores, centres, windows, far=np.inf, sharp=_SHARP), windows)

    def _classes(self, points: Array) -> Ints:
        """Number of the class of each point, in the order in which they were learnt; -1 for none."""
        classes = np.full(len(points), -1)
        number = 0
        left = np.arange(len(points))
        while len(left) >= _LEAST and number < self.max_domains:
            own = self._learn(points[left])
            if own.sum() >= _LEAST:
                classes[left[own]] = number
                number += 1
            left = left[~own]
        return classes

    def _learn(self, points: Array) -> NDArray[np.bool_]:
        """Points of the class around the densest place; some at least."""
        from sklearn.svm import OneClassSVM

        distances = cdist(points, points)
        n = max(_LEAST, int(_SEED * len(points)))
        nearest = np.argpartition(distances, n - 1, axis=1)[:, :n]
        densest = np.take_along_axis(distances, nearest, axis=1).mean(axis=1).argmin()
        own = np.zeros(len(points), dtype=bool)
        own[nearest[densest]] = True
        for _ in range(_ROUNDS):
            members = points[own]
            scatter = float(((members - members.mean(axis=0)) ** 2).sum(axis=1).mean())
            gamma = 1 / max(2 * _WIDTH**2 * scatter, 1e-12)
            model = OneClassSVM(nu=self.nu, gamma=gamma).fit(members)
            inside = model.score_samples(points) >= _WITHIN * model.score_samples(members).min()
            if np.array_equal(inside, own):
                break
            own = inside
        return own

    def _believed(self, classes: Ints, points: Array) -> Ints:
        """Classes after those that do not lie apart were put together, the nearest first."""
        known = classes >= 0
        group, at = classes[known], points[known]
        distances = cdist(at, at)
        while len(np.unique(group)) > 1:
            group = np.unique(group, return_inverse=True)[1]
            means = np.array([at[group == k].mean(axis=0) for k in range(group.max() + 1)])
            # half the squared distance of unit vectors is their cosine distance
            apart = cdist(means, means, "sqeuclidean") / 2 + np.diag(np.full(len(means), np.inf))
            first, second = np.unravel_index(apart.argmin(), apart.shape)
            silhouette = silhouettes(distances, group)
            alone = min(silhouette[group == k].mean() for k in range(len(means)))
            clear = silhouette.mean() >= self.silhouette and alone >= _COHESION
            if clear and apart[first, second] >= self.distance:
                break
            group[group == second] = first
        believed = np.full(len(classes), -1)
        believed[known] = np.unique(group, return_inverse=True)[1]
        return believed


def local_pattersons(windows: Windows) -> Floats:
    """Patterson functions of windows, of unit length, (rows, columns, lags).

    Each is divided by that of the Hann window it is seen through.
    """
    side, spacing = windows.side, windows.spacing
    hann = np.hanning(side + 2)[1:-1].astype(np.float32)
    shape = hann[:, None] * hann
    reach = int(_FARTHEST * side)
    y, x = np.mgrid[: reach + 1, -reach : reach + 1]
    length = np.hypot(y, x)
    kept = (length >= _SHORTEST * spacing) & (length <= reach) & ((y > 0) | (x > 0))
    columns = slice(side - 1 - reach, side + reach)
    own = patterson(shape[None])[0, : reach + 1, columns][kept]
    cuts = np.lib.stride_tricks.sliding_window_view(windows.image, (side, side))
    at = np.stack(np.meshgrid(windows.y, windows.x, indexing="ij"), axis=-1).reshape(-1, 2)
    vectors = np.empty((len(at), int(kept.sum())), dtype=np.float32)
    for start in range(0, len(at), _CHUNK):
        chosen = at[start : start + _CHUNK]
        segments = cuts[chosen[:, 0], chosen[:, 1]]
        segments = (segments - segments.mean(axis=(1, 2), keepdims=True)) * shape
        vectors[start : start + _CHUNK] = patterson(segments)[:, : reach + 1, columns][:, kept] / own
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vectors.reshape(len(windows.y), len(windows.x), -1)
