"""Lines across which a crystal is displaced: found as steps of the phases of its reflections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ..crystal.lattice_phases import LatticePhases
from .line_directions import along_and_across

Array = NDArray[np.float64]
_DEPTH = 1.3  # √(cell area) from the line to where a side is looked at first; then at twice that
_LENGTH = 2.0  # √(cell area), standard deviation of the window along the line
_PRESENT = 0.35  # of the typical amplitude, on either side
_CHANCE = 0.01  # of images in which noise alone may make such a step


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
    for along, across in along_and_across(fy, fx):
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


def steps_by_chance(steps: Array, phases: LatticePhases, *, window: float, cell: float) -> Array:
    """(my, mx) the step that noise and uneven scan exceed anywhere in one image of a hundred.

    They displace either side by two components, whose squares together are a χ² of two degrees of freedom;
    its size is that of the usual step. Windows cut by frame or mask are noisier.

    Parameters
    ----------
    steps : (my, mx), from `measure_steps`.
    window : px, standard deviation of the window in which the phases were measured.
    cell : √(cell area), px.
    """
    own = phases.seen > 0.5
    if not own.any():
        return np.zeros(steps.shape)
    length = float(np.hypot(window, _LENGTH * cell))
    directions = np.pi * length / window  # that do not overlap
    places = directions * own.sum() * np.prod(phases.step) / (2 * np.pi * window * length)
    largest_of_all = 1 - 0.5 ** (1 / directions)  # chance that a step in one direction is the median
    usual = float(np.median(steps[own])) / -np.log(largest_of_all)
    whole = ndimage.gaussian_filter(phases.seen, [_LENGTH * cell / s for s in phases.step], mode="constant")
    return np.asarray(usual * np.log(max(places, 1.0) / _CHANCE) / np.clip(whole, 0.05, 1.0))
