"""Two halves of a scene, each moved as a whole and joined along a straight line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..crystals.scene import Scene, nearest_spacing
from ..truth.lines import TrueCore, TrueLine

Motion = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Takes (N, 2) px positions and gives them moved."""

TOO_CLOSE = 0.6
"""Nearest-neighbour spacings below which two columns that meet at a line become one."""
_STEP = 1.0  # px between the points of a true line


def across(positions: NDArray[np.floating], at: NDArray[np.floating], angle: float) -> NDArray[np.float64]:
    """(N,) px, how far positions lie on the second side of a line.

    Parameters
    ----------
    positions : (N, 2) px
    at : (2,) px, a point of the line.
    angle : rad, direction of the line from +x towards +y.
    """
    return np.asarray((positions - at) @ [math.cos(angle), -math.sin(angle)])


def join(
    scene: Scene,
    at: NDArray[np.floating],
    angle: float,
    first: Motion,
    second: Motion,
    *,
    beyond: Scene | None = None,
) -> Scene:
    """The scene moved one way on the first side of a line and another way on the second.

    Columns that then lie closer than 0.6 nearest-neighbour spacings become one, halfway.

    Parameters
    ----------
    at : (2,) px, a point of the line.
    angle : rad, direction of the line from +x towards +y; the second side is to the right of it on the
        screen.
    first, second : how each side moves; what moves across the line is cut off.
    beyond : the scene whose columns, moved, make the second side; the same scene by default.
    """
    sides: list[pd.DataFrame] = []
    lines: list[TrueLine] = []
    cores: list[TrueCore] = []
    for source, motion, sign in ((scene, first, -1), (beyond or scene, second, 1)):
        moved = motion(source.positions)
        kept = sign * across(moved, at, angle) >= -1e-6
        grain = source.sites["grain"] + (scene.sites["grain"].max() + 1) * (sign > 0)
        y, x = moved.T
        sides.append(source.sites.assign(y=y, x=x, grain=grain).loc[kept])
        paths = [motion(true.path) for true in source.lines]
        lines += [
            replace(true, path=path[sign * across(path, at, angle) >= 0])
            for true, path in zip(source.lines, paths, strict=True)
        ]
        for core in source.cores:
            place = motion(np.array([core.position]))
            if sign * across(place, at, angle)[0] >= 0:
                cores.append(replace(core, position=(float(place[0, 0]), float(place[0, 1]))))
    sites = merge_columns(pd.concat(sides, ignore_index=True), TOO_CLOSE * nearest_spacing(scene))
    kept_lines = tuple(true for true in lines if len(true.path) > 1)
    return replace(scene, sites=sites, lines=kept_lines, cores=tuple(cores))


def straight_path(shape: tuple[int, int], at: NDArray[np.floating], angle: float) -> NDArray[np.float64]:
    """(n, 2) px, a dense line through a point, one diagonal long each way."""
    reach = np.arange(-math.hypot(*shape), math.hypot(*shape) + _STEP, _STEP)
    return np.asarray(at + reach[:, None] * [math.sin(angle), math.cos(angle)])


def add_line(scene: Scene, at: NDArray[np.floating], angle: float, line: TrueLine) -> Scene:
    """The scene with a true line, whose path runs through a point from end to end.

    Parameters
    ----------
    at : (2,) px
    angle : rad, direction of the line from +x towards +y.
    line : its path is replaced.
    """
    path = straight_path(scene.shape, at, angle)
    return replace(scene, lines=(*scene.lines, replace(line, path=path)))


def merge_columns(sites: pd.DataFrame, within: float) -> pd.DataFrame:
    """Sites of which those closer than a distance [px] have become one, halfway between them."""
    from scipy.spatial import cKDTree

    positions = sites[["y", "x"]].to_numpy(copy=True)
    alive = np.ones(len(sites), dtype=bool)
    for one, other in sorted(cKDTree(positions).query_pairs(within)):
        if alive[one] and alive[other]:
            positions[one] = (positions[one] + positions[other]) / 2
            alive[other] = False
    return sites.assign(y=positions[:, 0], x=positions[:, 1]).loc[alive].reset_index(drop=True)
