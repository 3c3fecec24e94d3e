"""Images whose darkest or brightest values were cut off: where the signal would have been."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ...crystal.contrast import Floats

Array = NDArray[np.float64]
_N_GROUPS = 24  # of pixels of like brightness
_PILED = 5e-4  # share of the pixels on one value, from which on it is a limit
_HEAPED = 3.0  # times as many as on the next value: fewer are pixels without an electron
_MOST = 0.75  # share of a group that may be cut off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clipping:
    """What cutting off did to pixels of like brightness.

    Parameters
    ----------
    seen : (n,) value, of the mean cell, ascending.
    restored : (n,) value, what the mean cell would be without cutting off.
    spread : (n,) variance that cutting off leaves, over that without.
    """

    seen: Array
    restored: Array
    spread: Array


def find_limits(values: Floats) -> tuple[float, float]:
    """Lowest and highest value that could be recorded; infinite where no values are piled up.

    Whole numbers up to 255 have eight bits; they end before where their range was changed after cutting off.
    """
    low, high = float(values.min()), float(values.max())
    ends = (0.0, 255.0) if has_eight_bits(values) else (-math.inf, math.inf)
    return (low if _is_cut(values, low, 1) else ends[0]), (high if _is_cut(values, high, -1) else ends[1])


def has_eight_bits(values: Floats) -> bool:
    """Whether all values are whole numbers from 0 to 255."""
    within = float(values.min()) >= 0 and float(values.max()) <= 255
    return within and bool((values == np.rint(values)).all())


def measure_clipping(values: Floats, drawn: Floats, *, limits: tuple[float, float]) -> Clipping:
    """The means of groups of pixels, as if nothing had been cut off from normally distributed noise.

    Parameters
    ----------
    values : (n,), as recorded.
    drawn : (n,), the mean cell there.
    limits : lowest and highest value that is kept.
    """
    edges = np.quantile(drawn, np.linspace(0, 1, _N_GROUPS + 1))
    group = np.clip(np.searchsorted(edges, drawn, side="right") - 1, 0, _N_GROUPS - 1)
    count = np.maximum(np.bincount(group, minlength=_N_GROUPS), 1)
    seen = np.bincount(group, drawn, _N_GROUPS) / count
    mean = np.bincount(group, values, _N_GROUPS) / count
    variance = np.bincount(group, values.astype(float) ** 2, _N_GROUPS) / count - mean**2
    restored, spread = seen.copy(), np.ones(_N_GROUPS)
    for end, sign in ((limits[0], 1), (limits[1], -1)):
        if not _is_cut(values, end, sign):
            continue
        share = np.bincount(group, sign * (values - end) <= 0, _N_GROUPS) / count
        share = np.clip(share, 0, _MOST)
        cut = (share > _PILED) & (variance > 0)
        above = -norm.ppf(np.maximum(share, 1e-9))  # mean over the limit, in standard deviations
        left = (above**2 + 1) * norm.cdf(above) + above * norm.pdf(above)
        left -= (above * norm.cdf(above) + norm.pdf(above)) ** 2
        sigma = np.sqrt(np.maximum(variance, 0) / left)
        # What the limit added to the mean: more robust than the mean of the normal distribution itself.
        added = sigma * (norm.pdf(above) - above * norm.cdf(-above))
        restored = np.where(cut, restored - sign * added, restored)
        spread = np.where(cut, spread * left, spread)
    known = count > 1
    return Clipping(seen=seen[known], restored=restored[known], spread=spread[known])


def _is_cut(values: Floats, end: float, sign: int) -> bool:
    """Whether more values lie on an end than a distribution that runs out there would have.

    Pixels without an electron are as many as the next, those with one, let expect.
    """
    there = float(np.mean(values == end))
    if there < _PILED:
        return False
    inside = values[values > end] if sign > 0 else values[values < end]
    if not inside.size:
        return False
    following = float(np.mean(values == (inside.min() if sign > 0 else inside.max())))
    return there > _HEAPED * following
