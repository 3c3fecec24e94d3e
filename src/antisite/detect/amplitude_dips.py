"""Lines along which the lattice itself is weak: a thin layer of something else in the crystal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..crystal.lattice_phases import LatticePhases
from .line_directions import along_and_across

Array = NDArray[np.float64]
_LENGTH = 3.0  # √(cell area), standard deviation of the window along the line
_BESIDE = 1.8  # √(cell area) from the line, where the lattice is as strong as usual
_SEEN = 0.5  # share of the window


def measure_dips(phases: LatticePhases, *, cell: float) -> Array:
    """(my, mx) how much weaker reflections are at a node than on both sides, where that shows most.

    A layer that shares some reflections with the crystal round it weakens only the others: of all
    reflections the mean of the weakened half is told, 0 for none, 1 where they vanish.

    Parameters
    ----------
    phases : of one crystal.
    cell : √(cell area), px.
    """
    amplitude = np.abs(phases.waves)
    amplitude /= np.median(amplitude[:, phases.seen > _SEEN], axis=1)[:, None, None]
    amplitude[:, phases.seen <= _SEEN] = 1.0
    n, *nodes = amplitude.shape
    margin = [int(np.ceil(4 * cell / s)) for s in phases.step]
    padded = np.pad(amplitude, ((0, 0), *((m, m) for m in margin)), mode="edge")
    size = [fft.next_fast_len(k, real=True) for k in padded.shape[1:]]
    spectra = fft.rfft2(padded, size)
    fy, fx = fft.fftfreq(size[0]) / phases.step[0], fft.rfftfreq(size[1]) / phases.step[1]
    half = max(2, n // 2)
    deepest = np.zeros(nodes)
    for along, across in along_and_across(fy, fx):
        kernel = np.exp(-2 * (np.pi * _LENGTH * cell * along) ** 2)
        kernel *= np.cos(2 * np.pi * _BESIDE * cell * across) - 1
        dips = fft.irfft2(spectra * kernel, size)[:, margin[0] :, margin[1] :][:, : nodes[0], : nodes[1]]
        deepest = np.maximum(deepest, np.sort(dips, axis=0)[-half:].mean(axis=0))
    return deepest
