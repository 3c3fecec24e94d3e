"""From electrons to numbers: gain, offset, read noise and rounding in one pass."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..render.compiled import compiled
from .random_streams import draw_key, random_bits, stream_start, uniform

_LAYERS = 256
_EDGE, _AREA = 3.6541528853610088, 0.00492867323399  # of 256 layers of equal area
_BYTE, _ONE = np.uint64(0xFF), np.uint64(1)


def read_out_counts(
    counts: NDArray[np.float32], *, gain: float, offset: float, read_noise: float, top: float, rng: Generator
) -> NDArray[np.float32]:
    """What the electronics make of counts.

    Parameters
    ----------
    counts : (..., y, x) electrons.
    gain : per electron.
    offset, read_noise : mean and standard deviation of a pixel without electrons.
    top : largest whole number that is kept; 0: no rounding, no limits.
    """
    rows = np.ascontiguousarray(counts, dtype=np.float32).reshape(-1, counts.shape[-1])
    values = np.empty_like(rows)
    layers, heights = _layers()
    _read_out_rows(values, rows, gain, offset, read_noise, top, draw_key(rng), layers, heights)
    return values.reshape(counts.shape)


@functools.cache
def _layers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Widths of the ziggurat's layers and the density there (Marsaglia and Tsang, 2000)."""
    widths = np.zeros(_LAYERS + 1)
    widths[0] = _AREA / math.exp(-0.5 * _EDGE**2)
    widths[1] = _EDGE
    for i in range(2, _LAYERS):
        widths[i] = math.sqrt(-2 * math.log(_AREA / widths[i - 1] + math.exp(-0.5 * widths[i - 1] ** 2)))
    return widths, np.exp(-0.5 * widths**2)


@compiled
def _read_out_rows(
    values: NDArray[np.float32],
    counts: NDArray[np.float32],
    gain: float,
    offset: float,
    read_noise: float,
    top: float,
    key: NDArray[np.uint64],
    layers: NDArray[np.float64],
    heights: NDArray[np.float64],
) -> None:
    """Fill the values, each row from a stream of its own."""
    for row in range(counts.shape[0]):
        state, step = stream_start(key, row)
        for x in range(counts.shape[1]):
            value = gain * counts[row, x] + offset
            if read_noise > 0:
                state += step
                bits = random_bits(state)
                normal = (2 * uniform(bits) - 1) * layers[bits & _BYTE]  # 53 bits: none chose the layer
                if abs(normal) >= layers[(bits & _BYTE) + _ONE]:
                    state, normal = _settle(normal, bits & _BYTE, state, step, layers, heights)
                value += read_noise * normal
            if top > 0:
                value = min(max(np.rint(value), 0.0), top)
            values[row, x] = value


@compiled
def _settle(
    x: float,
    layer: np.uint64,
    state: np.uint64,
    step: np.uint64,
    layers: NDArray[np.float64],
    heights: NDArray[np.float64],
) -> tuple[np.uint64, float]:
    """The state after and a standard normal number, when the first try fell on the rim of its layer."""
    while True:
        state += step
        v = uniform(random_bits(state))
        if layer == 0:
            while True:
                state += step
                away = -math.log(1 - v) / _EDGE
                if -2 * math.log(1 - uniform(random_bits(state))) > away * away:
                    return state, math.copysign(_EDGE + away, x)
                state += step
                v = uniform(random_bits(state))
        lower, upper = heights[layer], heights[layer + _ONE]
        if lower + v * (upper - lower) < math.exp(-0.5 * x * x):
            return state, x
        state += step
        bits = random_bits(state)
        layer = bits & _BYTE
        x = (2 * uniform(bits) - 1) * layers[layer]
        if abs(x) < layers[layer + _ONE]:
            return state, x
