"""Atoms gathered into columns by their lateral place, and the different columns that this gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...errors import InputError
from .column_atoms import ColumnAtoms
from .zone_axes import into_cell, join_pairs

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

BRIGHTNESS_POWER = 1.7  # of the atomic number; for order and sketches, not for physics
_HEIGHT_DIGITS = 3  # of an Å


def light_of(numbers: Ints) -> Floats:
    """(N,) rough brightness of atoms by their atomic numbers."""
    return np.asarray(np.asarray(numbers, dtype=float) ** BRIGHTNESS_POWER)


def group_atoms(
    places: Floats, light: Floats, cell: Floats, repeats: tuple[bool, bool], tolerance: float
) -> tuple[Ints, Floats]:
    """Label (N,) of the column that each atom is in, and places (n, 2) of the columns.

    Parameters
    ----------
    places : (N, 2) Å, lateral.
    light : (N,) weight of each atom in its column's place.
    cell : (2, 2) Å, rows.
    repeats : along each of the cell's vectors.
    """
    wrap = np.array(repeats)
    fractions = places @ np.linalg.inv(cell)
    fractions = np.where(wrap, into_cell(fractions), fractions)
    labels = join_pairs(_near_pairs(fractions, cell, wrap, tolerance), len(places))
    first = np.unique(labels, return_index=True)[1]
    offsets = fractions - fractions[first][labels]
    offsets = np.where(wrap, offsets - np.round(offsets), offsets)
    weight = np.bincount(labels, light)
    mean = np.stack([np.bincount(labels, light * offset) / weight for offset in offsets.T], axis=1)
    reach = np.linalg.norm((offsets - mean[labels]) @ cell, axis=1).max()
    if reach > 2 * tolerance:
        raise InputError(
            f"the atoms must stand in columns along the beam, got a chain of them that reaches {reach:.2f} Å "
            f"from its middle (choose another axis, or a tolerance below {tolerance:g} Å)"
        )
    centres = fractions[first] + mean
    return labels, np.asarray(np.where(wrap, into_cell(centres), centres) @ cell)


def _near_pairs(fractions: Floats, cell: Floats, wrap: NDArray[np.bool_], tolerance: float) -> Ints:
    """Indices (n, 2) of atoms nearer to each other than the tolerance, also across the cell's borders."""
    owner = np.arange(len(fractions))
    for axis in np.flatnonzero(wrap):
        width = abs(np.linalg.det(cell)) / np.linalg.norm(cell[1 - axis])
        low = fractions[:, axis] < tolerance / width
        fractions = np.concatenate([fractions, fractions[low] + np.eye(2)[axis]])
        owner = np.concatenate([owner, owner[low]])
    # the atoms of a column mostly share one place: only different places need to be compared
    rounded = np.round(fractions @ cell, 4) @ np.array([1.0, 1.0j])
    places, first, which = np.unique(rounded, return_index=True, return_inverse=True)
    tree = cKDTree(np.stack([places.real, places.imag], axis=1))
    near = tree.query_pairs(tolerance, output_type="ndarray")
    same = np.stack([np.arange(len(owner)), first[which]], axis=1)
    return np.asarray(owner[np.concatenate([same, first[near]])])


def stack_atoms(labels: Ints, numbers: Ints, heights: Floats) -> tuple[Ints, tuple[ColumnAtoms, ...]]:
    """Index (n,) of what stands in each column, and the different stacks of atoms."""
    from ase.data import chemical_symbols

    heights = np.round(heights, _HEIGHT_DIGITS) + 0.0
    order = np.lexsort((numbers, heights, labels))
    kinds, codes = np.unique(numbers[order] + 1j * heights[order], return_inverse=True)
    atoms = [(chemical_symbols[int(kind.real)], float(kind.imag)) for kind in kinds]
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    known: dict[bytes, int] = {}
    parts = np.split(codes, starts[1:])
    index = np.array([known.setdefault(part.tobytes(), len(known)) for part in parts], dtype=int)
    stacks = [np.frombuffer(key, dtype=codes.dtype) for key in known]
    return index, tuple(
        ColumnAtoms(tuple(atoms[i][0] for i in stack), tuple(atoms[i][1] for i in stack)) for stack in stacks
    )
