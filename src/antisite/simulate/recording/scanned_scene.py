"""A scene as a slow scan shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..crystals.scene import Scene
from .recording import Scan


def scan_scene(scene: Scene, scan: Scan, *, rng: Generator) -> tuple[Scene, NDArray[np.float64] | None]:
    """The scene with everything where it appears, and how far right each row is sampled, (y,) px or None.

    Parameters
    ----------
    rng : fresh; its spawned generators draw the scan.
    """
    seed: Any = rng.bit_generator.seed_seq

    def appear(positions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        return scan(
            np.asarray(positions, dtype=float).reshape(-1, 2),
            n_rows=scene.shape[0],
            rng=np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)),
        )

    positions, row_shift = appear(scene.positions)
    y, x = positions.T
    lines = tuple(replace(line, path=appear(line.path)[0]) for line in scene.lines)
    places = appear(np.array([core.position for core in scene.cores]))[0]
    cores = tuple(
        replace(core, position=(float(y), float(x))) for core, (y, x) in zip(scene.cores, places, strict=True)
    )
    return replace(scene, sites=scene.sites.assign(y=y, x=x), lines=lines, cores=cores), row_shift
