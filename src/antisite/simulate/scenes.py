"""Scenes: the columns of a crystal as coordinates, and the image that is made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import InputError
from ..image import Image
from .cells import cells_around
from .crystals import Crystal, find_crystal, sublattice_name
from .extended_truth import ExtendedTruth, TrueCore, TrueLine, turn
from .render import record_columns
from .scan_distortion import drift_path, drift_positions


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
    sites : one row per column: `y`, `x` [px], `index` of the crystal's column, `grain`.
    lines, cores : what is true of the scene.
    """

    crystal: Crystal
    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    shape: tuple[int, int]
    pixel_size: float
    sites: pd.DataFrame
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
    crystal: str | Crystal,
    *,
    shape: tuple[int, int] = (512, 512),
    pixel_size: float = 0.2,
    px_per_cell: float = 0.0,
    rotation: float = 0.0,
    rng: int | Generator | None = None,
) -> Scene:
    """An undisturbed crystal that reaches one diagonal beyond the frame, its origin at a random place.

    Parameters
    ----------
    shape : (y, x) px
    pixel_size : Å/px
    px_per_cell : px, root of the area of a cell; sets the pixel size when given.
    rotation : rad, direction of `a` from +x towards +y.
    """
    found = find_crystal(crystal)
    if px_per_cell:
        pixel_size = math.sqrt(abs(np.linalg.det(found.cell))) / px_per_cell
    if not 0 < pixel_size < math.inf:
        raise InputError(f"pixel_size must be positive and finite [Å/px], got {pixel_size:g}")
    cell = found.cell @ turn(rotation) / pixel_size
    origin = (np.array(shape) - 1) / 2 + np.random.default_rng(rng).random(2) @ cell
    margin = math.hypot(*shape)
    cells = cells_around(cell, shape=shape, margin=margin)
    positions = (cells[:, None] + found.fractions).reshape(-1, 2) @ cell + origin
    index = np.tile(np.arange(len(found.columns)), len(cells))
    near = ((positions > -margin) & (positions < np.array(shape) + margin)).all(axis=1)
    y, x = positions[near].T
    return Scene(
        crystal=found,
        cell=cell,
        origin=origin,
        shape=shape,
        pixel_size=pixel_size,
        sites=pd.DataFrame({"y": y, "x": x, "index": index[near], "grain": 0}),
    )


def nearest_spacing(scene: Scene) -> float:
    """Distance [px] of the two nearest columns of the undisturbed crystal."""
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 2), axis=-1).reshape(-1, 1, 2)
    around = ((scene.crystal.fractions + shifts).reshape(-1, 2)) @ scene.cell
    distances = np.hypot(*np.moveaxis(around[:, None] - scene.crystal.fractions @ scene.cell, -1, 0))
    return float(distances[distances > 1e-6].min())


def render_scene(
    scene: Scene,
    *,
    blur: float = 0.3,
    dose: float = math.inf,
    drift: float = 0.0,
    jitter: float = 0.0,
    contamination: float = 0.0,
    bits: int = 0,
    rng: int | Generator | None = None,
) -> tuple[Image, ExtendedTruth]:
    """An image of a scene, and what is in its frame.

    The truth holds drift (everything is where it appears) but not the jitter of single rows.

    Parameters
    ----------
    blur, dose, drift, jitter, contamination, bits : as in `simulate_image`.
    """
    for_drift, *rngs = np.random.default_rng(rng).spawn(4)
    shape, crystal = scene.shape, scene.crystal
    path = drift_path(shape[0], drift, for_drift)
    sites = scene.sites.copy()
    sites[["y", "x"]] = drift_positions(scene.positions, path)
    sites["brightness"] = crystal.brightness[sites["index"]]
    sites["species"] = pd.Series([crystal.columns[i].species for i in sites["index"]], dtype="str")
    sites["sublattice"] = pd.Series([sublattice_name(i) for i in sites["index"]], dtype="str")
    sites["kind"] = pd.Series("none", index=sites.index, dtype="str")
    image = record_columns(
        sites[["y", "x"]].to_numpy(),
        sites["brightness"].to_numpy(),
        crystal,
        shape=shape,
        pixel_size=scene.pixel_size,
        blur=blur,
        dose=dose,
        jitter=jitter,
        contamination=contamination,
        bits=bits,
        rngs=rngs,
    )
    lines = [replace(true, path=_clip(drift_positions(true.path, path), shape)) for true in scene.lines]
    places = drift_positions(np.array([core.position for core in scene.cores]).reshape(-1, 2), path)
    cores = [
        replace(core, position=(float(y), float(x)))
        for core, (y, x) in zip(scene.cores, places, strict=True)
        if len(_clip(np.array([[y, x]]), shape))
    ]
    inside = _inside(sites[["y", "x"]].to_numpy(), shape)
    truth = ExtendedTruth(
        sites=sites[inside].drop(columns="index").reset_index(drop=True),
        crystal=crystal.name,
        cell=scene.cell,
        lines=tuple(true for true in lines if len(true.path) > 1),
        cores=tuple(cores),
    )
    return image, truth


def _inside(positions: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(((positions >= -0.5) & (positions <= np.array(shape) - 0.5)).all(axis=1))


def _clip(path: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    return path[_inside(path, shape)]
