"""Lines across which a crystal is displaced: found as steps of the phases of its reflections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases

Array = NDArray[np.float64]
_DIRECTIONS = 12
_DEPTH = 1.3  # √(cell area) from the line to where a side is looked at first; then at twice that
_LENGTH = 2.0  # √(cell area), standard deviation of the window along the line
_UNEVEN = 0.03  # √(cell area), by which scan and strain displace a side of any crystal
_PRESENT = 0.35  # of the typical amplitude, on either side


def reflection_weights(phases: LatticePhases, lattice: Lattice) -> Array:
    """(n,) what the phase of each reflection tells: noise and uneven scan blur it; the sum is 1."""
    length = np.hypot(*(phases.index @ lattice.reciprocal).T)
    weight = 1 / (phases.noise**2 + (2 * np.pi * length * _UNEVEN * lattice.size) ** 2)
    return np.asarray(weight / weight.sum())


def measure_steps(phases: LatticePhases, *, cell: float, weight: Array) -> Array:
    """(my, mx) how much the phases step at each node, across the direction where they step most.

    0 is no step, 2 all reflections in antiphase. Either side is carried on to the node by its own
    gradient.

    Parameters
    ----------
    cell : √(cell area), px.
    weight : (n,), what each reflection tells.
    """
    waves = phases.waves * phases.seen
    nodes = waves.shape[1:]
    padded = [
        fft.next_fast_len(int(n + np.ceil(8 * cell / s))) for n, s in zip(nodes, phases.step, strict=True)
    ]
    spectra = fft.fft2(waves, padded)
    fy, fx = (fft.fftfreq(n) / s for n, s in zip(padded, phases.step, strict=True))
    size = np.zeros(nodes)
    for angle in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        along = fy[:, None] * np.sin(angle) + fx[None] * np.cos(angle)
        across = fy[:, None] * np.cos(angle) - fx[None] * np.sin(angle)
        lengthened = spectra * np.exp(-2 * (np.pi * _LENGTH * cell * along) ** 2)
        shift = np.exp(2j * np.pi * _DEPTH * cell * across)
        near, far, near_, far_ = (
            fft.ifft2(lengthened * s)[:, : nodes[0], : nodes[1]]
            for s in (shift, shift**2, shift.conj(), shift.conj() ** 2)
        )
        present = np.min([np.tensordot(weight, np.abs(w), 1) for w in (near, far, near_, far_)], axis=0)
        strange = np.where(present > _PRESENT, 2.0, 0.0)
        # the step as it is, nothing two cells beside a line; and freed of strain, nothing in a bent crystal
        for before, after in ((near_, near), (near_**2 * far_.conj(), near**2 * far.conj())):
            step = np.angle(after * before.conj())
            strange = np.minimum(strange, np.tensordot(weight, 1 - np.cos(step), 1))
        size = np.maximum(size, strange)
    return size
