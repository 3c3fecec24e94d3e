"""The small turn between two domains whose phases can be followed from one to the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases
from ..crystal.lattice_relation import relate_lattices

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_LEAST_SHARE = 0.3  # of a domain that must be left to be measured
_WHOLE = 0.98  # share of the window that must be seen: half of one tells the phase of its middle


def turn_between(
    phases: LatticePhases, lattice: Lattice, sides: tuple[Flags, Flags], *, clear: float
) -> float:
    """Misorientation [rad] of two sides of a wall, measured where its cores are not felt.

    The field of an endless wall is that of a plain turn from about one distance between its cores on; nearer
    by, most of the turn sits in the cores themselves, where no phase is measured.

    Parameters
    ----------
    phases : of both sides together, against `lattice`.
    sides : (my, mx) nodes of either side.
    clear : px, distance from the other side beyond which cores are not felt; less where little is left.
    """
    lattices = []
    for own, other in (sides, sides[::-1]):
        distance = ndimage.distance_transform_edt(~other, sampling=phases.step)
        wanted = clear
        while (own & (distance > wanted)).sum() < _LEAST_SHARE * own.sum():
            wanted *= 0.8
        lattices.append(mean_lattice(phases, lattice, own & (distance > wanted)))
    return abs(relate_lattices(*lattices).rotation)


def mean_lattice(phases: LatticePhases, lattice: Lattice, nodes: Flags) -> Lattice:
    """The lattice that the mean phase gradients at some nodes make of `lattice`.

    Parameters
    ----------
    nodes : (my, mx), where to look.
    """
    gradient = np.empty((len(phases.waves), 2))
    good = nodes & (phases.seen > _WHOLE)
    for n, wave in enumerate(phases.waves):
        for axis in (0, 1):
            both = np.logical_and(*(np.take(good, range(i, good.shape[axis] - 1 + i), axis) for i in (0, 1)))
            first, second = (np.take(wave, range(i, wave.shape[axis] - 1 + i), axis)[both] for i in (0, 1))
            gradient[n, axis] = np.angle((second * first.conj()).sum()) / (2 * np.pi * phases.step[axis])
    weight = 1 / np.maximum(phases.noise, 0.02)
    change = np.linalg.lstsq(phases.index * weight[:, None], gradient * weight[:, None], rcond=None)[0]
    return replace(lattice, vectors=np.linalg.inv(lattice.reciprocal + change).T)
