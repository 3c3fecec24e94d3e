"""Random fields with a power-law spectrum, and powers of e: the same bits on every processor.

Fourier transforms, logarithms and powers end in other digits on other processors. What follows from them is
rounded to a grid far coarser than that and far finer than shows; from there on only sums and products are
taken, in the order written.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..render.compiled import compiled

_GRID = 2.0**-12  # standard deviations
_SQUARINGS = 8


def power_law_field(
    shape: tuple[int, int], *, exponent: float, rng: Generator, largest: int = 128
) -> NDArray[np.float32]:
    """A random Gaussian field with a power spectrum 1 / f^exponent, mean 0 and standard deviation 1.

    Frames larger than `largest` px are interpolated from a coarser grid: their field has nothing finer.

    Parameters
    ----------
    shape : (y, x) px
    """
    from scipy.ndimage import spline_filter1d

    if 0 in shape:
        return np.zeros(shape, np.float32)
    # A quarter more than the frame, so that opposite edges are not alike.
    coarse = [min(n, largest) for n in shape]
    period = [n + n // 4 + 1 for n in coarse]
    fy = np.fft.fftfreq(period[0], shape[0] / coarse[0])[:, None]
    fx = np.fft.rfftfreq(period[1], shape[1] / coarse[1])
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = math.inf
    amplitude = frequency ** (-exponent / 2)
    if exponent == 0:
        amplitude[0, 0] = 0
    values = np.fft.irfft2(np.fft.rfft2(rng.normal(size=period)) * amplitude, s=period)
    values = values[: coarse[0], : coarse[1]]
    values = (values - values.mean()) / max(values.std(), 1e-300)
    wider = [axis for axis in (0, 1) if shape[axis] > coarse[axis]]
    for axis in wider:
        values = spline_filter1d(values, order=3, axis=axis, mode="mirror")
    field = (np.round(values / _GRID) * _GRID).astype(np.float32)
    if 1 in wider:
        field = np.ascontiguousarray(_spline_rows(np.ascontiguousarray(field.T), shape[1]).T)
    return _spline_rows(field, shape[0]) if 0 in wider else field


def exponential(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Powers of e, for values between −30 and 30 to four digits, with no help from a library."""
    result = np.empty_like(values)
    _fill_exponential(result.reshape(-1), np.ascontiguousarray(values).reshape(-1))
    return result


@compiled
def _spline_rows(weights: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """(n, m) a cubic spline through fewer rows, at least two, by the weights (few, m) of its B-splines."""
    few, m = weights.shape
    result = np.empty((n, m), np.float32)
    step = (few - 1) / (n - 1)
    for k in range(n):
        place = k * step
        i = min(int(place), few - 2)
        t = place - i
        rest = 1 - t
        a = np.float32(rest * rest * rest / 6)
        b = np.float32((4 - 6 * (t * t) + 3 * (t * t * t)) / 6)
        c = np.float32((4 - 6 * (rest * rest) + 3 * (rest * rest * rest)) / 6)
        d = np.float32(t * t * t / 6)
        p, q, r = weights[abs(i - 1)], weights[i], weights[i + 1]
        s = weights[min(i + 2, 2 * few - 4 - i)]  # mirrored at the last row, like p at the first
        for j in range(m):
            result[k, j] = (a * p[j] + b * q[j]) + (c * r[j] + d * s[j])
    return result


@compiled
def _fill_exponential(result: NDArray[np.float32], values: NDArray[np.float32]) -> None:
    for i in range(values.size):
        y = np.float64(values[i]) / 2.0**_SQUARINGS
        power = 1 + y * (1 + y * (0.5 + y * (1 / 6 + y / 24)))
        for _ in range(_SQUARINGS):
            power *= power
        result[i] = power
