"""A scene, sketched."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ...image import Image
from ..crystals import Crystal, sublattice_name
from ..extended_truth import ExtendedTruth
from ..scan_distortion import drift_path, drift_positions
from ..scenes import Scene, perfect_scene
from .columns import record_columns
from .crystals import find_sketch


def lay_sketch(
    crystal: str | Crystal,
    *,
    shape: tuple[int, int] = (512, 512),
    pixel_size: float = 0.2,
    px_per_cell: float = 0.0,
    rotation: float = 0.0,
    rng: int | Generator | None = None,
) -> Scene:
    """An undisturbed scene of a sketched crystal, by name; the options are those of `perfect_scene`."""
    return perfect_scene(
        find_sketch(crystal),
        shape=shape,
        pixel_size=pixel_size,
        px_per_cell=px_per_cell,
        rotation=rotation,
        rng=rng,
    )


def sketch_scene(
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
    blur, dose, drift, jitter, contamination, bits : as in `sketch_image`.
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
