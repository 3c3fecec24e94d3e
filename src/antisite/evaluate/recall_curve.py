"""Recall against strength: a smooth curve through planted defects, with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .scores import Score

Array = NDArray[np.float64]
# middle, logarithm of the width, and lapse: coarse at first, then as many nodes where the weight lies
_COARSE = (
    np.linspace(0, 1.5, 51),
    np.log(np.geomspace(0.01, 0.5, 16)),
    np.array([0, 0.003, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.8]),
)
_FINE = (24, 16, 24)
_LEAST_WEIGHT = 1e-5  # of the largest


@dataclass(frozen=True, slots=True, eq=False)
class RecallCurve:
    """Probability that a defect is found, against the size of its change.

    recall(s) = (1 − lapse) Φ((s − middle) / width): a noisy strength that must pass a limit, and a
    share that is missed for other reasons (Wichmann & Hill 2001, Percept. Psychophys. 63, 1293).
    What the planted defects leave open is kept as weights of many such curves.

    Parameters
    ----------
    middle, width, lapse : (m,) of the curves.
    weight : (m,), summing to 1; empty where nothing was planted.
    n : planted defects.
    """

    middle: Array
    width: Array
    lapse: Array
    weight: Array
    n: int

    def __call__(self, size: float) -> Score:
        """Recall of a change of this size (0 to 1), with its 95 % interval."""
        if not self.n:
            return Score(value=math.nan, low=0.0, high=1.0, n=0)
        recall = (1 - self.lapse) * special.ndtr((size - self.middle) / self.width)
        low, high = self._quantiles(recall, 0.025, 0.975)
        mean = float(np.clip(self.weight @ recall, low, high))
        return Score(value=mean, low=low, high=high, n=self.n)

    def limit(self, recall: float) -> Score:
        """Size of the change that is found with this probability; infinite where none up to 1.5 is."""
        if not self.n:
            return Score(value=math.inf, low=0.0, high=math.inf, n=0)
        within = np.minimum(recall / np.maximum(1 - self.lapse, 1e-9), 1)
        size = np.maximum(self.middle + self.width * special.ndtri(within), 0)
        low, high = self._quantiles(size, 0.025, 0.975)
        sizes = np.linspace(0, 1.5, 301)
        mean = (1 - self.lapse) * special.ndtr((sizes[:, None] - self.middle) / self.width) @ self.weight
        reached = np.flatnonzero(mean >= recall)
        value = float(sizes[reached[0]]) if len(reached) else math.inf
        return Score(value=value, low=min(low, value), high=max(high, value), n=self.n)

    def _quantiles(self, values: Array, *shares: float) -> tuple[float, ...]:
        order = np.argsort(values)
        reached = np.cumsum(self.weight[order])
        at = np.minimum(np.searchsorted(reached, shares), len(values) - 1)
        return tuple(float(v) for v in values[order][at])


def fit_recall(size: ArrayLike, n_found: ArrayLike, n: ArrayLike) -> RecallCurve:
    """The curve through counts of planted and found defects.

    Parameters
    ----------
    size : (k,) of the change, 0 to 1.
    n_found, n : (k,) how many were found, of how many.

    Examples
    --------
    >>> curve = fit_recall([0.1, 0.2, 0.3, 0.4, 0.5], [0, 5, 50, 95, 100], [100] * 5)
    >>> round(curve(0.3).value, 2), round(curve.limit(0.9).value, 2)
    (0.5, 0.38)
    """
    counts = tuple(np.asarray(values, dtype=float) for values in (size, n_found, n))
    nodes, weight = _weigh(_COARSE, *counts)
    axes = []
    for coarse, values, n_fine in zip(_COARSE, nodes.T, _FINE, strict=True):
        low, high = np.searchsorted(coarse, np.array([values.min(), values.max()]))
        axes.append(np.linspace(coarse[max(low - 1, 0)], coarse[min(high + 1, len(coarse) - 1)], n_fine))
    nodes, weight = _weigh(axes, *counts)
    return RecallCurve(nodes[:, 0], np.exp(nodes[:, 1]), nodes[:, 2], weight, int(counts[2].sum()))


def _weigh(axes: Sequence[Array], size: Array, found: Array, planted: Array) -> tuple[Array, Array]:
    """The curves (m, 3) on a grid that the counts leave possible, and their weights (m,)."""
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    middle, width, lapse = nodes[:, :1], np.exp(nodes[:, 1:2]), nodes[:, 2:]
    recall = np.clip((1 - lapse) * special.ndtr((size - middle) / width), 1e-6, 1 - 1e-6)
    # noise of a measured strength is usually near 6 %, within a factor e; a strong defect is rarely missed
    weight = -0.5 * np.log(width[:, 0] / 0.06) ** 2 - np.log(lapse[:, 0] + 0.01)
    weight += np.log(recall) @ found + np.log1p(-recall) @ (planted - found)
    weight = np.exp(weight - weight.max())
    kept = weight > _LEAST_WEIGHT
    return nodes[kept], weight[kept] / weight[kept].sum()
