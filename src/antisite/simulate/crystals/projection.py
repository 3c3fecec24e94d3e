"""Structures seen along the beam: which atoms stand in one column, and the plane lattice of the columns."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .column_atoms import ColumnAtoms
from .crystal import Column, Crystal
from .grouping import BRIGHTNESS_POWER, group_atoms, light_of, stack_atoms
from .zone_axes import into_cell, primitive_cell, zone_basis

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

TOLERANCE = 0.2  # Å, atoms nearer to each other than this, as the beam sees them, are in one column
MAX_PERIOD = 60.0  # Å
MAX_THICKNESS = 10_000.0  # Å
SHEET_GAP = 6.0  # Å of nothing along the beam: van der Waals gaps are 3 Å to 4 Å


def column_atoms_of(
    atoms: Atoms, *, tolerance: float = TOLERANCE, periodic: bool | None = None, origin: float = 0.0
) -> tuple[Floats, Ints, tuple[ColumnAtoms, ...]]:
    """The columns of any structure, the beam along +z of its coordinates, x along the first cell vector.

    Parameters
    ----------
    tolerance : Å, atoms nearer to each other than this, as the beam sees them, are in one column.
    periodic : whether the structure repeats along its first two cell vectors; by default what it says itself.
    origin : Å, the z at which the probe enters; heights are z less this.

    Returns
    -------
    positions : (N, 2) Å, (y, x) of the columns from the cell's origin, y along the second cell vector; mean
        of the atoms weighted by brightness.
    index : (N,) into the third.
    the different columns, heights to 0.001 Å.

    Raises
    ------
    InputError
        The cell does not lie across the beam, or the atoms do not stand in columns.
    """
    if not 0 < tolerance < math.inf:
        raise InputError(f"tolerance must be positive and finite [Å], got {tolerance:g}")
    repeats = (bool(atoms.pbc[0]), bool(atoms.pbc[1])) if periodic is None else (periodic, periodic)
    places, cell = across_beam(atoms, repeats)
    if len(atoms) == 0:
        return np.zeros((0, 2)), np.zeros(0, dtype=int), ()
    labels, positions = group_atoms(places, light_of(atoms.numbers), cell, repeats, tolerance)
    index, different = stack_atoms(labels, atoms.numbers, atoms.positions[:, 2] - origin)
    return positions, index, different


def project(
    atoms: Atoms,
    *,
    zone_axis: tuple[int, int, int] = (0, 0, 1),
    thickness: float | None = None,
    name: str = "",
) -> Crystal:
    """The crystal seen along a zone axis, as a plane lattice of columns, brightest first.

    `a` and `b` are the shortest vectors of the projected lattice at an angle of 90° or more. The lattice
    is that of all translations of the structure: a cell smaller than its file's is found. What a translation
    does to the heights is left out: the columns of every cell begin alike.

    Parameters
    ----------
    atoms : any cell, taken as periodic; a sheet has `SHEET_GAP` of nothing along its third cell vector or is
        not periodic along it.
    zone_axis : [uvw] in the cell of `atoms`; the beam travels along it.
    thickness : Å, taken to the nearest whole number of periods, at least one; None or 0: one period as it is.
    name : the crystal's; by default its formula.

    Raises
    ------
    InputError
        There is no cell or atom, the zone axis is none or has too long a period, or a thickness is given for
        a sheet.
    """
    _check_zone(atoms, zone_axis, thickness)
    if is_sheet(atoms):
        if thickness or tuple(zone_axis[:2]) != (0, 0):
            raise InputError(
                f"a sheet is seen along [001], as thick as it is, got zone axis {_bracket(zone_axis)} and "
                f"thickness {thickness or 0:g} Å (give a bulk crystal, or leave them out)"
            )
        atoms = _with_vacuum(atoms)
    lattice, one_each = primitive_cell(atoms)
    basis = zone_basis(lattice, np.array(zone_axis) @ atoms.cell.array)
    period = float(np.linalg.norm(basis[2]))
    if period > MAX_PERIOD and not is_sheet(atoms):
        raise InputError(
            f"the period along the zone axis must be at most {MAX_PERIOD:g} Å, got {period:.1f} Å along "
            f"{_bracket(zone_axis)} (choose an axis of smaller numbers)"
        )
    atoms = atoms[one_each]
    cell, fractions, heights = _seen_along(atoms.positions, basis)
    n = max(1, round((thickness or 0) / period))
    labels, positions = group_atoms(fractions @ cell, light_of(atoms.numbers), cell, (True, True), TOLERANCE)
    many = (np.arange(n)[:, None] * period + _cut(heights, period)).ravel()
    index, different = stack_atoms(np.tile(labels, n), np.tile(atoms.numbers, n), many)
    return Crystal(
        name=name or atoms.get_chemical_formula("metal", empirical=True),
        a=(float(cell[0, 0]), float(cell[0, 1])),
        b=(float(cell[1, 0]), float(cell[1, 1])),
        columns=_columns(positions @ np.linalg.inv(cell), [different[i] for i in index]),
    )


def is_sheet(atoms: Atoms) -> bool:
    """Whether there is nothing above and below the structure, across its first two cell vectors."""
    if not atoms.pbc[2]:
        return True
    layers = np.sort(np.linalg.solve(atoms.cell.array.T, atoms.positions.T)[2] % 1)
    gap = np.diff(layers, append=layers[0] + 1).max()
    return bool(gap * _height_of(atoms) > SHEET_GAP)


def _check_zone(atoms: Atoms, zone_axis: tuple[int, int, int], thickness: float | None) -> None:
    if len(atoms) == 0 or abs(np.linalg.det(atoms.cell.array)) < 1e-6:
        raise InputError("a crystal must have atoms and a cell with a volume, got none")
    if len(zone_axis) != 3 or any(int(u) != u for u in zone_axis) or not any(zone_axis):
        raise InputError(f"zone_axis must be three whole numbers, not all 0, got {zone_axis}")
    if thickness is not None and not 0 <= thickness <= MAX_THICKNESS:
        raise InputError(f"thickness must be 0 to {MAX_THICKNESS:g} Å, got {thickness:g}")


def _bracket(zone_axis: tuple[int, int, int]) -> str:
    return "[" + " ".join(str(int(u)) for u in zone_axis) + "]"


def _height_of(atoms: Atoms) -> float:
    a, b, _ = atoms.cell.array
    return float(abs(np.linalg.det(atoms.cell.array)) / np.linalg.norm(np.cross(a, b)))


def _with_vacuum(atoms: Atoms) -> Atoms:
    """A sheet whose two faces cannot be taken for each other's continuation."""
    if atoms.pbc[2]:
        return atoms
    taller: Atoms = atoms.copy()
    a, b, c = atoms.cell.array
    normal = np.cross(a, b)
    extent = np.ptp(atoms.positions @ normal / np.linalg.norm(normal))
    taller.set_cell([a, b, c * (extent + 4 * SHEET_GAP) / _height_of(atoms)])
    taller.pbc = True
    return taller


def across_beam(atoms: Atoms, repeats: tuple[bool, bool]) -> tuple[Floats, Floats]:
    """Lateral positions (N, 2) and cell (2, 2) as (y, x) Å, x along the first cell vector."""
    a, b, _ = atoms.cell.array
    if not any(repeats) and abs(np.linalg.det([a[:2], b[:2]])) < 1e-6:
        return atoms.positions[:, 1::-1], np.eye(2)
    if abs(a[2]) > 1e-3 or abs(b[2]) > 1e-3 or abs(np.linalg.det([a[:2], b[:2]])) < 1e-6:
        raise InputError(
            "the first two cell vectors must span the plane across the beam (z), "
            f"got {np.round(a, 3).tolist()} and {np.round(b, 3).tolist()} Å (turn the structure)"
        )
    x = a[:2] / np.linalg.norm(a[:2])
    y = b[:2] - (b[:2] @ x) * x
    axes = np.array([y / np.linalg.norm(y), x]).T
    return atoms.positions[:, :2] @ axes, np.array([a[:2], b[:2]]) @ axes


def _seen_along(positions: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
    """Plane cell (2, 2) as (y, x) Å, cell fractions (N, 2) in [0, 1) and heights (N,) Å of atoms."""
    beam = basis[2] / np.linalg.norm(basis[2])
    flat = basis[:2] - (basis[:2] @ beam)[:, None] * beam
    length = float(np.linalg.norm(flat[0]))
    cell = np.array([[0.0, length], [np.cross(*flat) @ beam / length, flat[0] @ flat[1] / length]])
    fractions = np.linalg.solve(basis.T, positions.T).T
    inside = into_cell(np.asarray(fractions[:, :2]))
    return cell, inside, (inside @ basis[:2] + fractions[:, 2:] * basis[2]) @ beam


def _cut(heights: Floats, period: float) -> Floats:
    """Heights in one period, from 0, cut where the atoms leave the widest gap."""
    inside = np.round(heights % period, 9) % period
    order = np.sort(inside)
    gaps = np.diff(order, prepend=order[-1] - period)
    first = order[np.flatnonzero(gaps > gaps.max() - 1e-3)[0]]
    return np.asarray((inside - first + 1e-6) % period - 1e-6)


def _columns(fractions: Floats, held: list[ColumnAtoms]) -> tuple[Column, ...]:
    from ase.data import atomic_numbers

    lights = [
        {
            symbol: n * atomic_numbers[symbol] ** BRIGHTNESS_POWER
            for symbol, n in Counter(stack.symbols).items()
        }
        for stack in held
    ]
    brightness = np.array([sum(light.values()) for light in lights])
    brightness /= brightness.max()
    fractions = np.round(fractions, 9) % 1
    order = np.lexsort((*np.round(fractions.T[::-1], 3), -np.round(brightness, 9)))
    return tuple(
        Column(
            fraction=(float(fractions[i, 0]), float(fractions[i, 1])),
            brightness=float(brightness[i]),
            species=max(lights[i], key=lights[i].__getitem__),
            pair=len(held[i].symbols) == 2 and len(lights[i]) == 1,
            atoms=held[i],
        )
        for i in order
    )
