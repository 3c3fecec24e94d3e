"""A scene, sketched."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from ...image import Image
from ..crystals.crystal import Crystal
from ..crystals.scene import Scene, perfect_scene
from ..recording.scan_distortion import drift_path, drift_positions
from ..truth.truth import Truth, scene_truth
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
) -> tuple[Image, Truth]:
    """An image of a scene, and what is in its frame.

    The truth holds drift (everything is where it appears) but not the jitter of single rows.

    Parameters
    ----------
    blur, dose, drift, jitter, contamination, bits : as in `sketch_image`.
    """
    for_drift, *rngs = np.random.default_rng(rng).spawn(4)
    shape, crystal = scene.shape, scene.crystal
    path = drift_path(shape[0], drift, for_drift)
    brightness = crystal.brightness[scene.sites["index"]]
    image = record_columns(
        drift_positions(scene.positions, path),
        brightness,
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
    sketched = replace(scene, sites=scene.sites.assign(brightness=brightness))
    return image, scene_truth(sketched, drift=path)
