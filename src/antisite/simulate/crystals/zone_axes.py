"""The lattice of a structure, and a basis of it that has one vector along the beam."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ...crystal.cell import lattice_basis

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

_SAME = 0.05  # Å, places that differ by less are the same
_EVEN = 1e-6  # lengths and angles whose difference is relatively smaller are equal
_PROBES = 12  # atoms on which a translation is tried before all the others


def primitive_cell(atoms: Atoms) -> tuple[Floats, Ints]:
    """The lattice of all translations that repeat a structure, and one of each set of atoms that it joins.

    Returns
    -------
    lattice : (3, 3) Å, rows; the structure's own cell if no smaller one repeats it.
    index : (n,) the atoms of one primitive cell.
    """
    cell = atoms.cell.array
    fractions = into_cell(np.linalg.solve(cell.T, atoms.positions.T).T)
    kinds, counts = np.unique(atoms.numbers, return_counts=True)
    rarest = np.flatnonzero(atoms.numbers == kinds[np.argmin(counts)])
    n = len(rarest)
    basis, joined = np.eye(3), [np.zeros((0, 2), dtype=int)]
    # the translations within the cell are a group whose order divides n
    left = np.round((fractions[rarest] - fractions[rarest[0]]) * n) / n
    left = left[(np.abs(left - np.round(left)) > 1e-9).any(axis=1)]
    trees = {int(kind): _periodic_tree(fractions[atoms.numbers == kind]) for kind in kinds}
    while len(left):
        shift, left = left[:1], left[1:]
        carried = _carried(shift, fractions, atoms.numbers, trees, cell)
        if len(carried):
            basis = lattice_basis(np.concatenate([basis, shift]), n)
            joined.append(np.stack([np.arange(len(atoms)), carried], axis=1))
            beyond = left @ np.linalg.inv(basis)
            left = left[(np.abs(beyond - np.round(beyond)) > 1e-6).any(axis=1)]
    index = np.unique(join_pairs(np.concatenate(joined), len(atoms)), return_index=True)[1]
    return basis @ cell, index


def join_pairs(pairs: Ints, n: int) -> Ints:
    """(n,) label of the set that each of n things belongs to, when the things of each pair are in one set."""
    links = coo_array((np.ones(len(pairs), dtype=bool), pairs.T), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1])


def zone_basis(lattice: Floats, direction: Floats) -> Floats:
    """(3, 3) Å, rows: a right-handed basis of the lattice, the last vector the shortest along the direction.

    Seen along it the first two are the shortest of the projected lattice, at an angle of 90° or more.

    Parameters
    ----------
    lattice : (3, 3) Å, rows: any basis.
    direction : (3,) Å, some vector of the lattice.
    """
    along = np.round(direction @ np.linalg.inv(lattice)).astype(int)
    a, b, beam = _completed(along // math.gcd(*along.tolist())) @ lattice
    unit = beam / np.linalg.norm(beam)

    def overlap(one: Floats, other: Floats) -> float:
        return float(one @ other - (one @ unit) * (other @ unit))

    # a pair that is reduced already stays as it is, so that a file's own first vector lies along x
    while abs(overlap(a, b)) > (0.5 + _EVEN) * min(overlap(a, a), overlap(b, b)):
        if overlap(b, b) < overlap(a, a):
            a, b = b, a
        b = b - np.round(overlap(a, b) / overlap(a, a)) * a
    if overlap(a, b) > _EVEN * overlap(a, a):
        b = -b
    if np.linalg.det([a, b, beam]) < 0:
        a, b = (b, a) if overlap(a, b) < -_EVEN * overlap(a, a) else (a, -b)
    return np.array([a, b, beam])


def _completed(along: Ints) -> Ints:
    """(3, 3) whole numbers of determinant ±1 whose last row is the given one, which has no common divisor."""
    left, steps = along.copy(), np.eye(3, dtype=int)
    while np.abs(left).sum() > 1:
        big, small = _largest_and_smallest(left)
        times = left[big] // left[small]
        left[big] -= times * left[small]
        steps[big] -= times * steps[small]
    place = int(np.flatnonzero(left)[0])
    steps[place] *= left[place]
    order = [i for i in range(3) if i != place] + [place]
    return np.asarray(np.round(np.linalg.inv(steps[order]).T).astype(int))


def _largest_and_smallest(numbers: Ints) -> tuple[int, int]:
    nonzero = np.flatnonzero(numbers)
    sizes = np.abs(numbers[nonzero])
    small = int(nonzero[np.argmin(sizes)])
    rest = nonzero[nonzero != small]
    return int(rest[np.argmax(np.abs(numbers[rest]))]), small


def _periodic_tree(fractions: Floats) -> cKDTree[Any, Any]:
    return cKDTree(fractions, boxsize=np.ones(3))


def _carried(
    shift: Floats, fractions: Floats, numbers: Ints, trees: dict[int, cKDTree[Any, Any]], cell: Floats
) -> Ints:
    """Index (N,) of the atom on whose place a translation carries each; empty if it does not repeat all."""
    target = np.zeros(len(numbers), dtype=int)
    for chosen in (np.arange(0, len(numbers), max(1, len(numbers) // _PROBES)), np.arange(len(numbers))):
        for kind, tree in trees.items():
            these = chosen[numbers[chosen] == kind]
            moved = into_cell(fractions[these] + shift)
            nearest = np.flatnonzero(numbers == kind)[tree.query(moved)[1]]
            off = moved - fractions[nearest]
            if (np.linalg.norm((off - np.round(off)) @ cell, axis=1) > _SAME).any():
                return np.zeros(0, dtype=int)
            target[these] = nearest
    return target


def into_cell(fractions: Floats) -> Floats:
    """Into [0, 1); what lies a rounding error below 1 is 0."""
    inside = fractions % 1
    return np.where(inside > 1 - 1e-9, 0.0, inside)
