"""Domains whose lattices differ by little: phases can be followed from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..crystal.lattice import Lattice
from ..crystal.lattice_relation import Relation, relate_lattices

_LOW_ANGLE = np.radians(12)  # beyond it the cores of a boundary are too near to each other
_ALIKE = 0.25  # of a cell vector, between the vectors of two members


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """Domains of nearly one lattice.

    Parameters
    ----------
    members : their numbers.
    lattice : the mean of theirs.
    """

    members: tuple[int, ...]
    lattice: Lattice


def families(
    domains: NDArray[np.int8], lattices: Sequence[Lattice], pairs: Sequence[tuple[int, int]]
) -> list[Family]:
    """Every domain alone, then the pairs of neighbours that differ by a turn of less than 12°.

    Parameters
    ----------
    domains : (y, x), -1 where there is no crystal.
    pairs : domains that share a border.
    """
    found = [Family(members=(k,), lattice=lattice) for k, lattice in enumerate(lattices)]
    area = np.bincount(domains[domains >= 0].ravel(), minlength=len(lattices))
    for i, j in sorted({(min(pair), max(pair)) for pair in pairs if min(pair) >= 0 and pair[0] != pair[1]}):
        relation = relate_lattices(lattices[i], lattices[j])
        if _close(lattices[i], relation):
            cells = [lattices[i].vectors, relation.cell]
            mean = np.average(cells, axis=0, weights=np.maximum(area[[i, j]], 1))
            found.append(Family(members=(i, j), lattice=replace(lattices[i], vectors=mean)))
    return found


def _close(first: Lattice, relation: Relation) -> bool:
    if not abs(relation.rotation) < _LOW_ANGLE:
        return False
    return bool(np.abs(relation.cell - first.vectors).max() < _ALIKE * first.size)
