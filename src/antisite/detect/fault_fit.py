"""A fault as the phases all round it have it: how far it displaces the crystal, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases, reflection_weights
from .fault_model import FaultValues, Surroundings, fit_values
from .lines import distance_to, locate, sample_line

Array = NDArray[np.float64]
_NEAR, _FAR = 2.0, 7.0  # √(cell area) from the line: windows nearer see both sides
_ALONG = 24.0  # √(cell area) of a long line, to either side of its middle or its end
_SEEN, _PRESENT = 0.5, 0.4  # share of the window; of the typical amplitude
_LEAST = 30  # nodes on either side
_CHOICES = 3  # lattice vectors tried at an end
_PROMISING, _FEW, _MANY = 2, 3, 12  # choices that are followed; rounds before and then


def fit_fault(
    phases: LatticePhases,
    lattice: Lattice,
    path: Array,
    shift: Array,
    inside: tuple[bool, bool],
    *,
    others: Sequence[Array] = (),
) -> FaultValues | None:
    """The displacement across a fault and the places of its ends, or None where too little is seen round it.

    Parameters
    ----------
    path : (n, 2) px as (y, x), straight where it ends inside the crystal.
    shift : (2,) fractions of a and b, of the right side against the left, roughly.
    inside : whether the start and the end of the path lie inside the crystal.
    others : paths of other lines; what lies nearer to them is left out.
    """
    seen = _look_round(phases, lattice, path, inside, others=others)
    if min(seen.right.sum(), (~seen.right).sum()) < _LEAST:
        return None
    choices = product(
        *(
            _shortest(sign * shift, lattice) if there else np.zeros((1, 2))
            for sign, there in zip((-1, 1), inside, strict=True)
        )
    )
    ends = np.array([0, seen.line.length / lattice.size])
    fits = [
        fit_values(seen, lattice, FaultValues(shift=shift, ends=ends, whole=np.array(whole)), rounds=_FEW)
        for whole in choices
    ]
    fits.sort(key=lambda fit: fit.misfit)
    followed = [fit_values(seen, lattice, fit, rounds=_MANY) for fit in fits[:_PROMISING]]
    best = min(followed, key=lambda fit: fit.misfit)
    return (best.exchanged() if all(inside) and best.ends[0] > best.ends[1] else best).reduced()


def free_of(
    fit: FaultValues, phases: LatticePhases, lattice: Lattice, path: Array, inside: tuple[bool, bool]
) -> LatticePhases:
    """Phases without the step and the fields of a fault.

    Nothing is seen near it, where both sides mix, nor beyond an end at another line, where no side is told.
    """
    seen, away = _everywhere(phases, lattice, path, inside)
    beyond = ((seen.along < 0) & (not inside[0])) | ((seen.along > seen.line.length) & (not inside[1]))
    waves = np.abs(phases.waves) * fit.unwound(seen, lattice).reshape(phases.waves.shape)
    told = (away > _NEAR * lattice.size) & ~beyond
    return replace(phases, waves=waves, seen=phases.seen * told.reshape(phases.seen.shape))


def _look_round(
    phases: LatticePhases,
    lattice: Lattice,
    path: Array,
    inside: tuple[bool, bool],
    *,
    others: Sequence[Array],
) -> Surroundings:
    """The nodes that tell of a fault."""
    cell = lattice.size
    seen, away = _everywhere(phases, lattice, path, inside)
    along, length = seen.along, seen.line.length
    reach = max(_ALONG * cell, length / 2 + _FAR * cell if all(inside) else 0.0)
    own = (away > _NEAR * cell) & (away < _FAR * cell) & (seen.far < reach)
    own &= (phases.seen > _SEEN).ravel() & (phases.strength > _PRESENT).ravel()
    own &= ((along > 0) | inside[0]) & ((along < length) | inside[1])
    for other in others:
        own[own] = distance_to(other, seen.places[own]) > away[own]
    return seen.select(own)


def _everywhere(
    phases: LatticePhases, lattice: Lattice, path: Array, inside: tuple[bool, bool]
) -> tuple[Surroundings, Array]:
    """All nodes with the phases there, and how far they lie from a fault, px."""
    line = sample_line(path[[0, -1]] if any(inside) else path, spacing=1.0)
    places = np.indices(phases.seen.shape).reshape(2, -1).T * np.array(phases.step)
    along, across = locate(places, line)
    away = line.away(along, across)
    begin = {(True, False): 0.0, (False, True): line.length}.get(inside, line.length / 2)
    waves = phases.waves.reshape(len(phases.index), -1)
    seen = Surroundings(
        places=places,
        along=along,
        far=np.abs(along - begin),
        right=across > 0,
        unit=waves / np.maximum(np.abs(waves), 1e-12),
        index=phases.index,
        weight=reflection_weights(phases, lattice),
        line=line,
        inside=inside,
    )
    return seen, away


def _shortest(burgers: Array, lattice: Lattice) -> Array:
    """(n, 2) the lattice vectors that make a Burgers vector shortest."""
    whole = np.array(list(product(range(-2, 3), repeat=2)))
    length = np.hypot(*((burgers + whole) @ lattice.vectors).T)
    return whole[np.argsort(length)[:_CHOICES]].astype(float)
