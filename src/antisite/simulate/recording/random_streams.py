"""Random numbers for compiled code: every row of an image has its own stream, whoever computes it.

The generator is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) with a start and an odd increment of its own
for each row, 127 bits drawn from a numpy `Generator`.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..render.compiled import compiled

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MIX_3, _MIX_4 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_BITS_1, _BITS_2 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_BITS_4, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ALTERNATE = np.uint64(0xAAAAAAAAAAAAAAAA)
_1, _2, _4, _11 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(11)
_27, _30, _31, _33, _56 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(33), np.uint64(56)
_UNIT = 2.0**-53


def draw_key(rng: Generator) -> NDArray[np.uint64]:
    """Two numbers from which the streams of all rows follow."""
    return rng.integers(0, 2**64, size=2, dtype=np.uint64)


@compiled
def stream_start(key: NDArray[np.uint64], row: int) -> tuple[np.uint64, np.uint64]:
    """State and increment of a row's stream."""
    at = np.uint64(row) * _GOLDEN
    step = key[1] + at
    step = (step ^ (step >> _33)) * _MIX_3
    step = (step ^ (step >> _33)) * _MIX_4
    step = (step ^ (step >> _33)) | _1
    bits = step ^ (step >> _1)  # an increment with few changes of bit mixes badly
    bits = bits - ((bits >> _1) & _BITS_1)
    bits = (bits & _BITS_2) + ((bits >> _2) & _BITS_2)
    bits = (((bits + (bits >> _4)) & _BITS_4) * _BYTES) >> _56
    if bits < np.uint64(24):
        step = step ^ _ALTERNATE
    return random_bits(key[0] + at), step


@compiled
def random_bits(state: np.uint64) -> np.uint64:
    """64 random bits of a state; the next state is the sum of state and increment."""
    state = (state ^ (state >> _30)) * _MIX_1
    state = (state ^ (state >> _27)) * _MIX_2
    return state ^ (state >> _31)


@compiled
def uniform(bits: np.uint64) -> float:
    """A number in [0, 1) made of random bits."""
    return (bits >> _11) * _UNIT
