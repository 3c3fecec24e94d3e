"""How sure: null distributions, false-discovery rates, intervals of counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
_QUARTILE = 0.6744897501960817  # of the standard normal distribution
_LOPSIDED = 1.5  # distance of one quartile from the median over that of the other
USUAL = 2.5  # widths within which a value tells of the noise, not of a defect
_OTHERS = 0.2  # of the defects, those unlike the rest; at least one of them
# what is left of the variance of a Gaussian when only usual values are kept
USUAL_VARIANCE = 1 - 2 * USUAL * stats.norm.pdf(USUAL) / (1 - 2 * stats.norm.sf(USUAL))


def central_null(values: Array) -> tuple[float, float]:
    """Centre and width of the Gaussian of the ordinary values, whatever lies in the tails.

    The central quartiles (Efron 2004, J. Am. Stat. Assoc. 99, 96) tell which values are usual,
    within 2.5 widths; those give the width, twice as sharply as the quartiles themselves. Where
    the quartiles are lopsided, one of them lies among defects, and the shortest interval that
    holds half of all values takes their place.

    Examples
    --------
    >>> ordinary = stats.norm.ppf(np.linspace(0.0005, 0.9995, 1000))
    >>> for n_defects in (50, 450):
    ...     centre, width = central_null(np.append(ordinary, np.linspace(-9, -7, n_defects)))
    ...     print(round(centre, 2), round(width, 2))
    -0.06 1.02
    -0.0 1.0
    """
    if not len(values):
        return 0.0, 1.0
    ordered = np.sort(values)
    low, middle, high = np.quantile(ordered, (0.25, 0.5, 0.75))
    if max(middle - low, high - middle) > _LOPSIDED * min(middle - low, high - middle):
        return _null_of_shortest_half(ordered)
    return float(middle), _usual_width(ordered - middle, float(high - low) / (2 * _QUARTILE))


def _null_of_shortest_half(ordered: Array) -> tuple[float, float]:
    half = (len(ordered) + 1) // 2
    start = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
    core = ordered[start : start + half]
    centre, width = float(np.median(core)), float(np.ptp(core)) / (2 * _QUARTILE)
    for _ in range(20):  # half of all is more than half of the ordinary ones: the width shrinks to theirs
        centre = float(ordered[np.abs(ordered - centre) <= USUAL * width].mean())
        width = _usual_width(ordered - centre, width)
    return centre, width


def _usual_width(deviations: Array, width: float) -> float:
    """Width of the Gaussian of which the deviations within 2.5 rough widths are the middle."""
    usual = deviations[np.abs(deviations) <= USUAL * width]
    return max(float(np.sqrt(np.mean(usual**2) / USUAL_VARIANCE)) if len(usual) else 0.0, 1e-12)


def benjamini_hochberg(p_values: Array) -> Array:
    """q-values: the false-discovery rate at which each test would just be called.

    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.02, 0.5])).round(3).tolist()
    [0.03, 0.03, 0.5]
    """
    if not len(p_values):
        return np.zeros(0)
    return np.asarray(stats.false_discovery_control(p_values, method="bh"))


def selected_share(smallest_q: list[float], *, level: float) -> float:
    """Share of the families of tests that show anything at all, at least one of them.

    Each family is then tested at `level` times this share, so that many families do not add up
    their false discoveries (Benjamini & Bogomolov 2014, J. R. Stat. Soc. B 76, 297; the smallest
    q-value of a family is its Simes p-value).

    Examples
    --------
    >>> selected_share([0.001, 0.5, 0.8, 0.02], level=0.05)
    0.5
    """
    n = len(smallest_q)
    rank = np.arange(1, n + 1)
    passed = rank[np.sort(smallest_q) <= level * rank / max(n, 1)]
    return float(max(passed.max(initial=1), 1) / max(n, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectMixture:
    """Dark sites as a standard normal null, one Gaussian of defects, and a few defects anywhere below 0.

    With many defects in an image the false-discovery rate lets the faintest calls be mostly
    false; the mixture tells which (Efron 2004, J. Am. Stat. Assoc. 99, 96).

    Parameters
    ----------
    share : of the sites that are defects; 1 where there is nothing to fit, and no site is doubted.
    centre, spread : of the scores of the defects.
    others : density of defects unlike the rest, at every score between the centre and 0.
    """

    share: float
    centre: float
    spread: float
    others: float = 0.0

    def doubt(self, z: Array) -> Array:
        """Chance (n,) that a site is an ordinary one, given how many lie where it lies."""
        if self.share >= 1:
            return np.zeros(len(z))
        defect = self.share * stats.norm.pdf(z, self.centre, self.spread) + self.others
        usual = (1 - self.share) * stats.norm.pdf(z)
        doubt = 1 - np.where(z < self.centre, 1.0, defect / np.maximum(defect + usual, 1e-300))
        doubt[z > 0] = 1
        return np.asarray(doubt)

    def limit(self, level: float) -> float:
        """Score below which the doubt is at most `level`."""
        if self.share >= 1:
            return 0.0
        scores = np.linspace(self.centre, 0, 2000)
        return float(scores[np.searchsorted(self.doubt(scores), level)])


def fit_defect_mixture(z: Array, candidates: NDArray[np.bool_]) -> DefectMixture:
    """Share, centre and spread of the defects, by expectation maximisation.

    Parameters
    ----------
    z : (n,) scores whose null is the standard normal distribution.
    candidates : (n,) called by their q-values; with fewer than five there is nothing to fit.

    Examples
    --------
    >>> z = np.concatenate([stats.norm.ppf(np.linspace(0.001, 0.999, 999)), np.linspace(-9, -7, 50), [-2.5]])
    >>> mixture = fit_defect_mixture(z, z < -2.4)
    >>> mixture.doubt(z)[[-2, -1]].round(2).tolist(), round(mixture.limit(0.05), 1)
    ([0.0, 0.93], -4.2)
    """
    if candidates.sum() < 5:
        return DefectMixture(share=1.0, centre=0.0, spread=1.0)
    strong = candidates & (z <= np.median(z[candidates]))
    mixture = DefectMixture(
        share=float(candidates.mean()),
        centre=float(z[strong].mean()),
        spread=max(float(z[strong].std()), 1.0),
    )
    for _ in range(200):
        member = 1 - mixture.doubt(z)
        total = max(float(member.sum()), 1e-12)
        centre, before = float((member * z).sum() / total), mixture.centre
        spread = max(float(np.sqrt((member * (z - centre) ** 2).sum() / total)), 1.0)
        mixture = DefectMixture(share=float(member.mean()), centre=centre, spread=spread)
        if abs(centre - before) < 1e-6:
            break
    others = max(_OTHERS * mixture.share, 1 / len(z)) / max(-mixture.centre, 1.0)
    return replace(mixture, others=others)


def poisson_interval(n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a Poisson mean after counting n (Garwood 1936, Biometrika 28, 437).

    Examples
    --------
    >>> tuple(round(x, 2) for x in poisson_interval(3))
    (0.62, 8.77)
    """
    tail = (1 - level) / 2
    low = float(stats.chi2.ppf(tail, 2 * n) / 2) if n else 0.0
    return low, float(stats.chi2.ppf(1 - tail, 2 * n + 2) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One Gaussian of a mixture.

    Parameters
    ----------
    centre, spread : of the values that belong to it.
    share : of all values.
    overlap : expected share of its members that another mode claims.
    """

    centre: float
    spread: float
    share: float
    overlap: float


def mixture_modes(values: Array, *, max_modes: int = 3) -> list[Mode]:
    """Modes of a distribution, as many as the Bayesian information criterion wants, lowest first.

    Parameters
    ----------
    values : (n,); fewer than 8 are never split.
    """
    if not len(values):
        return []
    fits = [_fit_mixture(values, k) for k in range(1, max_modes + 1) if k == 1 or len(values) >= 8 * k]
    means, spreads, shares, _ = min(fits, key=lambda fit: fit[3])
    density = shares * stats.norm.pdf(values[:, None], means, spreads)
    member = density / np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
    overlap = [
        float(np.sum(member[:, k] * (1 - member[:, k])) / max(member[:, k].sum(), 1e-12))
        for k in range(len(means))
    ]
    return [
        Mode(centre=float(m), spread=float(s), share=float(w), overlap=o)
        for m, s, w, o in sorted(zip(means, spreads, shares, overlap, strict=True))
    ]


def _fit_mixture(values: Array, k: int) -> tuple[Array, Array, Array, float]:
    """Expectation maximisation from quantiles; centres, spreads, shares and the criterion."""
    floor = max(0.02, 0.1 * float(values.std()))
    means = np.quantile(values, (np.arange(k) + 0.5) / k)
    spreads = np.full(k, max(float(values.std()) / k, floor))
    shares = np.full(k, 1 / k)
    for _ in range(200):
        density = shares * stats.norm.pdf(values[:, None], means, spreads) + 1e-300
        member = density / density.sum(axis=1, keepdims=True)
        weight = np.maximum(member.sum(axis=0), 1e-9)
        before = means
        means = (member * values[:, None]).sum(axis=0) / weight
        spreads = np.maximum(np.sqrt((member * (values[:, None] - means) ** 2).sum(axis=0) / weight), floor)
        shares = weight / len(values)
        if np.abs(means - before).max() < 1e-5:
            break
    density = shares * stats.norm.pdf(values[:, None], means, spreads) + 1e-300
    criterion = -2 * float(np.log(density.sum(axis=1)).sum()) + (3 * k - 1) * np.log(len(values))
    return means, spreads, shares, criterion
