"""Domains whose lattices differ by little: phases can be followed from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..crystal.lattice import Lattice
from ..crystal.lattice_relation import relate_lattices

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


def families(domains: NDArray[np.int8], lattices: Sequence[Lattice]) -> list[Family]:
    """Every domain with those that it differs from by a turn of less than 12°."""
    n = len(lattices)
    pairs = [(i, j) for i in range(n) for j in range(i) if _close(lattices[j], lattices[i])]
    links = coo_array((np.ones(len(pairs)), np.array(pairs).reshape(-1, 2).T), shape=(n, n))
    group = connected_components(links, directed=False)[1]
    area = np.bincount(domains[domains >= 0].ravel(), minlength=n)
    found = []
    for k in range(group.max() + 1):
        members = np.flatnonzero(group == k).tolist()
        first = lattices[members[0]]
        cells = [
            relate_lattices(first, lattices[i]).cell if i != members[0] else first.vectors for i in members
        ]
        mean = np.average(cells, axis=0, weights=np.maximum(area[members], 1))
        found.append(Family(members=tuple(members), lattice=replace(first, vectors=mean)))
    return found


def _close(first: Lattice, second: Lattice) -> bool:
    relation = relate_lattices(first, second)
    if not abs(relation.rotation) < _LOW_ANGLE:
        return False
    return bool(np.abs(relation.cell - first.vectors).max() < _ALIKE * first.size)
