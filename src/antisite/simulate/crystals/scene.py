"""Scenes: the columns of a crystal as coordinates, and the image that is made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError
from ..memory import column_bytes, free_memory
from ..truth.lines import TrueCore, TrueLine, turn
from .cells import cells_around
from .column_atoms import ColumnAtoms
from .crystal import Crystal

_FARTHEST_LIGHT = 12.0  # Å beyond the frame from which columns may still shine into it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Columns around a frame, and the lines and dislocations among them, all without drift.

    Parameters
    ----------
    crystal : what the grains are made of.
    cell : (2, 2) px, rows `a` and `b`, each (y, x), of the crystal as it was laid out.
    origin : (2,) px, a corner of a cell.
    shape : (y, x) px of the frame.
    pixel_size : Å/px
    sites : one row per column: `y`, `x` [px], `index` of the crystal's column, `grain`; where point defects
        were put in also `atoms` (index into the scene's), `kind` and `species`.
    atoms : what the columns hold; those of the crystal's columns come first.
    lines, cores : what is true of the scene.
    """

    crystal: Crystal
    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    shape: tuple[int, int]
    pixel_size: float
    sites: pd.DataFrame
    atoms: tuple[ColumnAtoms, ...] = ()
    lines: tuple[TrueLine, ...] = ()
    cores: tuple[TrueCore, ...] = ()

    @property
    def positions(self) -> NDArray[np.float64]:
        """(N, 2) px, every column."""
        return self.sites[["y", "x"]].to_numpy()

    @property
    def centre(self) -> NDArray[np.float64]:
        """(2,) px, the middle of the frame."""
        return (np.array(self.shape) - 1) / 2


def perfect_scene(
    crystal: Crystal,
    *,
    shape: tuple[int, int] = (512, 512),
    pixel_size: float = 0.2,
    px_per_cell: float = 0.0,
    rotation: float = 0.0,
    further: float = 0.0,
    rng: int | Generator | None = None,
) -> Scene:
    """An undisturbed crystal that reaches one diagonal beyond the frame, its origin at a random place.

    Parameters
    ----------
    shape : (y, x) px
    pixel_size : Å/px
    px_per_cell : px, root of the area of a cell; sets the pixel size when given.
    rotation : rad, direction of `a` from +x towards +y.
    further : px, from how much farther than usual columns come to the frame, through the scan (`Scan.reach`)
        or a wide probe.
    """
    if px_per_cell:
        pixel_size = math.sqrt(abs(np.linalg.det(crystal.cell))) / px_per_cell
    if not 0 < pixel_size < math.inf:
        raise InputError(f"pixel_size must be positive and finite [Å/px], got {pixel_size:g}")
    return lay_out(
        crystal,
        crystal.cell @ turn(rotation) / pixel_size,
        shape=shape,
        pixel_size=pixel_size,
        margin=scene_margin(shape, pixel_size, further=further),
        rng=np.random.default_rng(rng),
    )


def scene_margin(shape: tuple[int, int], pixel_size: float, *, further: float = 0.0) -> float:
    """How far [px] outside its frame a perfect scene has columns; the rest as there."""
    return max(math.hypot(*shape), _FARTHEST_LIGHT / pixel_size + further)


def lay_out(
    crystal: Crystal,
    cell: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    pixel_size: float,
    margin: float,
    rng: Generator,
) -> Scene:
    """An undisturbed crystal up to a margin around the frame, its origin at a random place.

    Only sums and products are taken, so that every processor gives the same bits.

    Parameters
    ----------
    cell : (2, 2) px, rows `a` and `b`, each (y, x), of the crystal in the direction wanted.
    shape : (y, x) px
    pixel_size : Å/px
    margin : px, how far outside the frame columns are laid out.

    Raises
    ------
    InputError
        So many columns do not fit into memory.
    """
    along = rng.random(2)
    origin = (np.array(shape) - 1) / 2 + along[0] * cell[0] + along[1] * cell[1]
    _check_memory(crystal, cell, shape, margin)
    a, b = np.moveaxis(cells_around(cell, shape=shape, margin=margin)[:, None] + crystal.fractions, -1, 0)
    y = a * cell[0, 0] + b * cell[1, 0] + origin[0]
    x = a * cell[0, 1] + b * cell[1, 1] + origin[1]
    near = (y > -margin) & (y < shape[0] + margin) & (x > -margin) & (x < shape[1] + margin)
    index = np.broadcast_to(np.arange(len(crystal.columns)), y.shape)
    return Scene(
        crystal=crystal,
        cell=cell,
        origin=origin,
        shape=shape,
        pixel_size=pixel_size,
        sites=pd.DataFrame({"y": y[near], "x": x[near], "index": index[near], "grain": 0}),
        atoms=tuple(column.atoms for column in crystal.columns),
    )


def _check_memory(crystal: Crystal, cell: NDArray[np.float64], shape: tuple[int, int], margin: float) -> None:
    """Refuse more columns than can be held."""
    height, width = (n + 2 * margin for n in shape)
    wanted = column_bytes(shape, margin=margin, density=len(crystal.columns) / abs(np.linalg.det(cell)))
    free = free_memory()
    if wanted > free:
        raise InputError(
            f"the columns around a frame must fit into memory, got {height:,.0f} × {width:,.0f} px of "
            f"crystal, which takes about {wanted / 1e9:.3g} GB where {free / 1e9:.3g} GB are free "
            f"(make the frame or the drift smaller)"
        )


def nearest_spacing(scene: Scene) -> float:
    """Distance [px] of the two nearest columns of the undisturbed crystal."""
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 2), axis=-1).reshape(-1, 1, 2)
    around = ((scene.crystal.fractions + shifts).reshape(-1, 2)) @ scene.cell
    distances = np.hypot(*np.moveaxis(around[:, None] - scene.crystal.fractions @ scene.cell, -1, 0))
    return float(distances[distances > 1e-6].min())
