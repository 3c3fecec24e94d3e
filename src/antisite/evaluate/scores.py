"""How good the findings are: every number with its count and its 95 % interval.

All intervals are closed formulas, so nothing here is random. Proportions: Wilson (1927). F1: it is
2 J / (1 + J) of the proportion J = tp / (tp + fp + fn), so its interval is that of J. Area under ROC:
Newcombe (2006), method 5, which does not shrink to nothing at 1. Quantiles: order statistics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import bdtr

from .scored_sites import ScoredSites, scored_sites

Z95 = 1.959963984540054
ANY_DEFECT = "any defect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number, its 95 % interval and how many cases it rests on; NaN where there are none."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RocArea:
    """Area under the receiver operating characteristic with its 95 % interval."""

    value: float
    low: float
    high: float
    n_positive: int
    n_negative: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What was found (true positives), invented (false positives) and missed (false negatives)."""

    tp: int
    fp: int
    fn: int
    precision: Score
    recall: Score
    f1: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Localisation:
    """Distance of found defects from their labels [px]."""

    median: Score
    p95: Score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Everything `evaluate_result` measures.

    Parameters
    ----------
    detection : at the flags as they were given.
    roc : area under ROC of `score`, for any defect and for each label against all perfect sites.
    localisation : of the defects found [px].
    kind_accuracy : of the defects found, how many have the right kind.
    confusion : labels (rows) × kinds given (columns), counts; an empty label is an unlabelled site.
    n_scored : sites scored.
    n_left_out : sites not scored, by reason.
    """

    detection: Detection
    roc: dict[str, RocArea]
    localisation: Localisation
    kind_accuracy: Score
    confusion: pd.DataFrame
    n_scored: int
    n_left_out: dict[str, int]


def evaluate_result(
    sites: pd.DataFrame,
    defects: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    nn: float,
    a: float,
    shape: tuple[int, int],
) -> Scores:
    """Score one result against the truth, by the rule of `antisite.evaluate.scored_sites`.

    Parameters
    ----------
    sites, defects : tables of `docs/table.md`.
    truth : from `antisite.io.annotations`.
    nn : px, nearest-neighbour distance.
    a : px, √(cell area).
    shape : (y, x) px of the image.
    """
    return _score_table(scored_sites(sites, defects, truth, nn=nn, a=a, shape=shape))


def _score_table(scored: ScoredSites) -> Scores:
    table = scored.table
    found = table[(table["kind"] != "none") & (table["found"] != "none")]
    right = int(is_right_kind(found["label"], found["kind"], found["found"]).sum())
    return Scores(
        detection=detection(table["kind"] != "none", table["found"] != "none"),
        roc=_roc_areas(table),
        localisation=localisation(found["distance"]),
        kind_accuracy=proportion(right, len(found)),
        confusion=pd.crosstab(table["label"], table["found"]),
        n_scored=len(table),
        n_left_out=scored.n_left_out,
    )


def is_right_kind(label: ArrayLike, kind: ArrayLike, found: ArrayLike) -> NDArray[np.bool_]:
    """Whether the kind given says what is true.

    Without a composition nobody can tell which atom is there: a dim site is right for a substitution,
    and so is a bright one where the label does not say that the site is dim.

    Parameters
    ----------
    label, kind, found : (N,) word of the source, its kind, and the kind given.
    """
    word, true, given = (np.asarray(values, dtype=object) for values in (label, kind, found))
    nameless = (given == "dim_site") | ((given == "bright_site") & (word == "substitution"))
    return np.asarray((given == true) | ((true == "substitution") & nameless), dtype=bool)


def _roc_areas(table: pd.DataFrame) -> dict[str, RocArea]:
    perfect = table["kind"] == "none"
    negatives = table.loc[perfect, "score"]
    areas = {ANY_DEFECT: roc_area(table.loc[~perfect, "score"], negatives)}
    for label, rows in table[~perfect].groupby("label"):
        areas[str(label)] = roc_area(rows["score"], negatives)
    return areas


def detection(true: ArrayLike, flagged: ArrayLike) -> Detection:
    """Counts, precision, recall and F1 of flags.

    Parameters
    ----------
    true, flagged : (N,) bool

    Examples
    --------
    >>> detection([1, 1, 0, 0], [1, 0, 1, 0]).f1.value
    0.5
    """
    is_true, is_flagged = np.asarray(true, dtype=bool), np.asarray(flagged, dtype=bool)
    tp = int((is_true & is_flagged).sum())
    fp, fn = int(is_flagged.sum()) - tp, int(is_true.sum()) - tp
    jaccard = proportion(tp, tp + fp + fn)
    low, value, high = (2 * j / (1 + j) for j in (jaccard.low, jaccard.value, jaccard.high))
    return Detection(
        tp=tp,
        fp=fp,
        fn=fn,
        precision=proportion(tp, tp + fp),
        recall=proportion(tp, tp + fn),
        f1=Score(value=value, low=low, high=high, n=jaccard.n),
    )


def proportion(k: int, n: int) -> Score:
    """A share, k of n, with Wilson's interval; of nothing, NaN between 0 and 1.

    Examples
    --------
    >>> round(proportion(10, 10).low, 3)
    0.722
    """
    if n == 0:
        return Score(value=math.nan, low=0.0, high=1.0, n=0)
    low, high = wilson(k / n, n)
    # at 0 and n the interval ends exactly there, which rounding would miss
    return Score(value=k / n, low=low if k else 0.0, high=high if k < n else 1.0, n=n)


def wilson(p: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share p that was seen in n cases, which need not be whole."""
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(max(p * (1 - p) / n, 0) + Z95**2 / (4 * n**2))
    return centre - half, centre + half


def roc_area(positives: ArrayLike, negatives: ArrayLike) -> RocArea:
    """Probability that a defect scores higher than a perfect site, ties counted half.

    Parameters
    ----------
    positives, negatives : (N,) and (M,) scores, higher is stranger.

    References
    ----------
    R. G. Newcombe, Statistics in Medicine 25, 559 (2006), method 5.

    Examples
    --------
    >>> roc_area([2, 3], [1, 2]).value
    0.875
    """
    high, low = np.asarray(positives, dtype=float), np.sort(np.asarray(negatives, dtype=float))
    n, m = len(high), len(low)
    if n == 0 or m == 0:
        return RocArea(value=math.nan, low=0.0, high=1.0, n_positive=n, n_negative=m)
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    area = float(below.mean() / (2 * m))
    return RocArea(
        value=area,
        low=_roc_lower(area, n, m),
        high=1 - _roc_lower(1 - area, n, m),
        n_positive=n,
        n_negative=m,
    )


def _roc_lower(area: float, n: int, m: int) -> float:
    """The smallest true area whose 95 % range still reaches the measured one."""

    def excess(t: float) -> float:
        spread = 1 + ((n + m) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))
        return (area - t) ** 2 - Z95**2 * t * (1 - t) * spread / (n * m)

    tiny = 1e-12
    return float(brentq(excess, 0.0, area - tiny)) if area > tiny else 0.0


def localisation(distances: ArrayLike) -> Localisation:
    """Median and 95th percentile of distances [px], NaN for none."""
    ordered = np.sort(np.asarray(distances, dtype=float))
    return Localisation(median=_quantile(ordered, 0.5), p95=_quantile(ordered, 0.95))


def _quantile(ordered: NDArray[np.float64], q: float) -> Score:
    """Between two order statistics lies the true quantile in 95 of 100 samples; infinite where too few."""
    n = len(ordered)
    if n == 0:
        return Score(value=math.nan, low=0.0, high=math.inf, n=0)
    fewer = bdtr(np.arange(n), n, q)  # chance that at most k of n lie below the quantile
    below, above = np.flatnonzero(fewer <= 0.025), np.flatnonzero(fewer >= 0.975)
    return Score(
        value=float(np.quantile(ordered, q)),
        low=float(ordered[below[-1]]) if len(below) else 0.0,
        high=float(ordered[above[0]]) if len(above) else math.inf,
        n=n,
    )
