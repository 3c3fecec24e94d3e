"""Columns moved by a displacement field that has no single value around a dislocation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..crystals.scene import Scene, nearest_spacing
from .joined_crystals import merge_columns

Field = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]
"""Takes places (N,) px, x + iy, and gives the displacement there."""

Region = Callable[[NDArray[np.float64]], NDArray[np.bool_]]
"""Takes positions (N, 2) px and says which lie in it."""

_AT_CORES = 0.55  # nearest-neighbour spacings below which columns become one
_ROUNDS = 60
_DONE = 1e-4  # px, a column that moved less in the last round is found


def displace(scene: Scene, regions: Sequence[tuple[Region, Field]]) -> Scene:
    """Columns where place less displacement is a site of the scene, found region by region.

    The displacement is a function of where a column is, not of where it was: only so does a jump by a
    lattice vector leave no trace.

    Parameters
    ----------
    regions : that cover the plane once, each with the branch of the field that is unbroken in it.
    """
    margin = 0.1 * math.hypot(*scene.shape) + 5 * nearest_spacing(scene)
    home = scene.positions
    near = np.flatnonzero(((home > -3 * margin) & (home < np.array(scene.shape) + 3 * margin)).all(axis=1))
    sites, start = scene.sites.iloc[near], home[near][:, 1] + 1j * home[near][:, 0]
    parts = []
    for region, field in regions:
        z, step = start.copy(), np.full(len(start), np.inf)
        for _ in range(_ROUNDS):
            moving = np.flatnonzero(step > _DONE)
            towards = start[moving] + field(z[moving]) - z[moving]
            step[moving] = np.abs(towards)
            z[moving] += 0.7 * towards
        moved = np.stack([z.imag, z.real], axis=1)
        inside = ((moved > -margin) & (moved < np.array(scene.shape) + margin)).all(axis=1)
        kept = (step <= _DONE) & region(moved) & inside
        parts.append(sites.assign(y=moved[:, 0], x=moved[:, 1]).loc[kept])
    merged = merge_columns(pd.concat(parts, ignore_index=True), _AT_CORES * nearest_spacing(scene))
    return replace(scene, sites=merged)
