"""Counts of electrons: exact Poisson numbers, quickly.

A mean below 2048 is split into the multiple of 32 below it, the eighth below what is left, and a rest:
P(m) = P(32 i) + P(j / 8) + P(rest). The first two are drawn from alias tables, the third is nearly always 0.
Larger means take PTRS (Hörmann, Insurance: Mathematics and Economics 12, 39 (1993)).
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError
from ..render.compiled import compiled
from .random_streams import draw_key, random_bits, stream_start, uniform

_PER_UNIT = 8  # fine levels
_COARSE = 32  # step of the coarse levels
_TABLED = 2048  # means below have tables
_FINE_BITS, _COARSE_BITS = 7, 10  # counts in a table: 128 and 1024, more than 11 standard deviations each way
_LARGEST = 1e15  # counts are exact in float64 up to here
_ALIAS_BITS, _ALIAS = np.uint64(10), np.uint64(1023)

Tables = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.float64]]


def sample_poisson(
    mean: NDArray[np.floating], *, rng: Generator, scale: float = 1.0, first_row: int = 0
) -> NDArray[np.floating]:
    """A Poisson number for every pixel.

    The same generator gives the same numbers, by however many threads, and for a part of the rows as for all.

    Parameters
    ----------
    mean : (..., y, x), float32 or float64; negative ones count as 0.
    scale : factor on the means.
    first_row : number of the first row, if these are some rows of a larger image.

    Returns
    -------
    NDArray
        Whole numbers, with the shape and the kind of number of `mean`.

    Raises
    ------
    InputError
        A mean is not finite or exceeds 1e15.
    """
    mean = np.asarray(mean)
    dtype = np.float32 if mean.dtype == np.float32 else np.float64
    rows = (-1, mean.shape[-1] if mean.ndim else 1)
    means: NDArray[np.floating] = np.ascontiguousarray(mean.astype(dtype, copy=False)).reshape(rows)
    counts = np.empty_like(means)
    if not _fill_rows(counts, means, float(scale), draw_key(rng), first_row, _alias_tables()):
        raise InputError(
            f"expected counts must be finite and at most {_LARGEST:g} in a pixel (lower the dose)"
        )
    return counts.reshape(mean.shape)


@functools.cache
def _alias_tables() -> Tables:
    """Tables of the fine and of the coarse levels, and the smallest count of each coarse table."""
    coarse = np.arange(0.0, _TABLED, _COARSE)
    lowest = np.maximum(np.floor(coarse) - 2 ** (_COARSE_BITS - 1), 0)
    fine = np.arange(0.0, _COARSE, 1 / _PER_UNIT)
    fine_tables = _make_alias_tables(fine, np.zeros_like(fine), 2**_FINE_BITS)
    return fine_tables, _make_alias_tables(coarse, lowest, 2**_COARSE_BITS), lowest


@compiled
def _make_alias_tables(
    means: NDArray[np.float64], lowest: NDArray[np.float64], width: int
) -> NDArray[np.uint64]:
    """Walker's tables by Vose's method: thresholds of 54 bits over aliases of 10."""
    tables = np.empty((means.size, width), np.uint64)
    share, small, large = np.empty(width), np.empty(width, np.int64), np.empty(width, np.int64)
    for level in range(means.size):
        mean, low = means[level], lowest[level]
        mode = int(mean - low)
        share[:] = 0.0
        share[mode] = 1.0
        for k in range(mode + 1, width):
            share[k] = share[k - 1] * mean / (low + k)
        for k in range(mode - 1, -1, -1):
            share[k] = share[k + 1] * (low + k + 1) / mean
        share *= width / share.sum()
        n_small, n_large = 0, 0
        for k in range(width):
            tables[level, k] = ~_ALIAS | np.uint64(k)  # always itself
            if share[k] < 1:
                small[n_small] = k
                n_small += 1
            else:
                large[n_large] = k
                n_large += 1
        while n_small > 0 and n_large > 0:
            n_small -= 1
            k, other = small[n_small], large[n_large - 1]
            tables[level, k] = np.uint64(share[k] * 2.0**54) << _ALIAS_BITS | np.uint64(other)
            share[other] -= 1 - share[k]
            if share[other] < 1:
                n_large -= 1
                small[n_small] = other
                n_small += 1
    return tables


@compiled
def _draw(table: NDArray[np.uint64], width_bits: np.uint64, bits: np.uint64) -> np.uint64:
    """A count from an alias table."""
    place = bits >> (np.uint64(64) - width_bits)
    entry = table[place]
    own = ((bits << width_bits) >> _ALIAS_BITS) < (entry >> _ALIAS_BITS)
    return place if own else entry & _ALIAS


@compiled
def _fill_rows(
    counts: NDArray[np.floating],
    means: NDArray[np.floating],
    scale: float,
    key: NDArray[np.uint64],
    first_row: int,
    tables: Tables,
) -> bool:
    """Draw all rows; whether all means could be used."""
    fine_tables, coarse_tables, lowest = tables
    usable = True
    for row in range(means.shape[0]):
        state, step = stream_start(key, first_row + row)
        for x in range(means.shape[1]):
            mean = means[row, x] * scale
            if mean < _TABLED:
                mean = max(mean, 0.0)
                count = 0.0
                if mean >= _COARSE:
                    level = int(mean / _COARSE)
                    mean -= level * _COARSE
                    state += step
                    drawn = _draw(coarse_tables[level], np.uint64(_COARSE_BITS), random_bits(state))
                    count = lowest[level] + drawn
                level = int(mean * _PER_UNIT)
                mean -= level / _PER_UNIT
                state += step
                count += _draw(fine_tables[level], np.uint64(_FINE_BITS), random_bits(state))
                state += step
                share = uniform(random_bits(state))
                if share >= 1 - mean:  # less than exp(-mean)
                    count += _invert(share, mean)
                counts[row, x] = count
            elif mean <= _LARGEST:
                state, counts[row, x] = _transformed_rejection(mean, state, step)
            else:
                usable = False
                counts[row, x] = 0
    return usable


@compiled
def _invert(share: float, mean: float) -> int:
    """The count below which a share of the distribution lies."""
    term = math.exp(-mean)
    total, count = term, 0
    while share >= total and count < 30:
        count += 1
        term *= mean / count
        total += term
    return count


@compiled
def _transformed_rejection(mean: float, state: np.uint64, step: np.uint64) -> tuple[np.uint64, float]:
    """The state after and a Poisson number with a mean of 10 or more."""
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    sure = 0.9277 - 3.6224 / (b - 2)
    while True:
        state += step
        u = uniform(random_bits(state)) - 0.5
        state += step
        v = uniform(random_bits(state))
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        count = math.floor((2 * a / edge + b) * u + mean + 0.43)
        if edge >= 0.07 and v <= sure:
            return state, float(count)
        if count < 0 or (edge < 0.013 and v > edge):
            continue
        weight = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b)
        if weight <= 0 or math.log(weight) <= _log_probability(count, mean):
            return state, float(count)


@compiled
def _log_probability(count: int, mean: float) -> float:
    """Logarithm of the probability of a count, without loss at large means."""
    if count < 10:
        return count * math.log(mean) - mean - math.lgamma(count + 1.0)
    away = (mean - count) / count
    series = (1 / 12 - (1 / 360 - 1 / (1260.0 * count * count)) / (count * float(count))) / count
    return count * (math.log1p(away) - away) - 0.5 * math.log(2 * math.pi * count) - series
