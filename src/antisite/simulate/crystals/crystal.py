"""A few perfect crystals, seen along the beam."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .column_atoms import EMPTY, ColumnAtoms


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of atoms seen end-on.

    Parameters
    ----------
    fraction : (along a, along b), cell fractions.
    brightness : height of its peak before blur; 1 is the brightest column of the cell.
    species : element.
    pair : two atoms, one of which may be missing (a partial vacancy).
    atoms : what stands in it; none in a sketch, whose brightness is given and not computed.
    """

    fraction: tuple[float, float]
    brightness: float
    species: str
    pair: bool = False
    atoms: ColumnAtoms = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Crystal:
    """A perfect crystal, as a plane lattice of columns.

    Parameters
    ----------
    name : what `find_sketch` knows it by.
    a, b : (y, x) Å, the cell vectors; `a` lies along +x when the image is not rotated.
    columns : the columns of one cell, brightest first; they are sublattice A, B, …
    width : Å, standard deviation of a column's peak before blur.
    """

    name: str
    a: tuple[float, float]
    b: tuple[float, float]
    columns: tuple[Column, ...]
    width: float = 0.45

    @property
    def cell(self) -> NDArray[np.float64]:
        """(2, 2) Å, rows `a` and `b`, each (y, x)."""
        return np.array([self.a, self.b])

    @property
    def fractions(self) -> NDArray[np.float64]:
        """(n, 2), the columns of one cell."""
        return np.array([column.fraction for column in self.columns])

    @property
    def brightness(self) -> NDArray[np.float64]:
        """(n,), the columns of one cell."""
        return np.array([column.brightness for column in self.columns])


def sublattice_name(index: int) -> str:
    """Names of the sublattices in the order of the columns: A, B, … (hollow: −1)."""
    return "hollow" if index < 0 else chr(ord("A") + index)


def hollow_fraction(crystal: Crystal, *, n_grid: int = 120) -> NDArray[np.float64]:
    """(2,) cell fractions of the place farthest from every column.

    Parameters
    ----------
    n_grid : the cell is searched on n_grid × n_grid points.
    """
    axis = np.arange(n_grid) / n_grid
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    images = np.concatenate([crystal.fractions + shift for shift in product((-2, -1, 0, 1, 2), repeat=2)])
    offsets = grid @ crystal.cell - (images @ crystal.cell)[:, None]
    nearest = np.sqrt((offsets**2).sum(axis=-1)).min(axis=0)
    return np.asarray(grid[np.argmax(nearest > nearest.max() - 1e-6)])
