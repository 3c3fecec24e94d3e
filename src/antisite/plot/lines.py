"""How boundaries, faults and dislocation cores are drawn: lines along their paths, ⊥ at the cores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UPRIGHT = -math.pi / 2  # rad, the stem of ⊥ as it is printed: upwards, y pointing down
_STEM = 1.5  # of half the foot


@dataclass(frozen=True, slots=True)
class LineLook:
    """How a line is drawn: `dash` is its pattern in widths of the line, empty when unbroken."""

    colour: str
    dash: tuple[float, ...] = ()

    @property
    def style(self) -> tuple[float, tuple[float, ...]] | Literal["solid"]:
        """As the drawing wants it."""
        return (0, self.dash) if self.dash else "solid"


# Told apart by their dashes where colours are not; bright enough for an image, dark enough for paper.
LINES = {
    "stacking_fault": LineLook("#f58231", (4, 1.2)),
    "twin_boundary": LineLook("#2bb5d8"),
    "grain_boundary": LineLook("#c9b400"),
    "antiphase_boundary": LineLook("#a06bff", (1.6, 1.2)),
    "phase_boundary": LineLook("#5fb336", (6, 1.4, 1.4, 1.4)),
    "planar_defect": LineLook("#9aa0a6", (2.6, 1.6)),
}


def line_points(path: str) -> NDArray[np.float64]:
    """(n, 2) px as (x, y): the points of `LINESTRING (x y, …)`; none of an empty one.

    Examples
    --------
    >>> line_points("LINESTRING (1 2, 3.5 4)").tolist()
    [[1.0, 2.0], [3.5, 4.0]]
    """
    inside = path.partition("(")[2].rpartition(")")[0]
    return np.array([point.split() for point in inside.split(",") if point.strip()], dtype=float).reshape(
        -1, 2
    )


def has_path(defects: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are lines."""
    return defects["kind"].isin(LINES) & (defects["path"] != "")


def core_outline(radius: float, turn: float = UPRIGHT) -> NDArray[np.float64]:
    """(6, 2) px as (x, y): the strokes of ⊥ around the origin; `turn` is the direction of its stem, rad."""
    foot, stem = np.array([-math.sin(turn), math.cos(turn)]), np.array([math.cos(turn), math.sin(turn)])
    origin = -0.35 * stem
    strokes = [origin - foot, origin, origin + _STEM * stem, origin, origin + foot, origin]
    return np.asarray(radius * np.array(strokes))


def stem_turns(dislocations: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """For each dislocation, by its id, where the stem of its ⊥ points: along the extra half plane.

    The Burgers vector is the closed integral of du, clockwise on the screen, u being where the crystal
    is, less where the lattice wants it: the half plane ends a quarter turn from +x to +y away from it.
    """
    known = {one["id"]: one.get("burgers_px") for one in dislocations}
    return {i: math.atan2(b[0], -b[1]) for i, b in known.items() if b is not None}


def draw_lines(ax: Axes, defects: pd.DataFrame, *, width: float = 2.0) -> Axes:
    """Each line along its path over a dark rim: a collection for each kind, whose gid is the kind.

    Parameters
    ----------
    width : points.
    """
    from matplotlib.collections import LineCollection

    own = defects[has_path(defects)]
    for kind in dict.fromkeys(own["kind"]):
        paths = [line_points(path) for path in own.loc[own["kind"] == kind, "path"]]
        rim = LineCollection(paths, colors="black", linewidths=width + 1.6, alpha=0.55, zorder=4)
        line = LineCollection(paths, colors=LINES[kind].colour, linewidths=width, zorder=4.5)
        line.set(gid=kind, linestyle=LINES[kind].style)
        for collection in (rim, line):
            ax.add_collection(collection, autolim=False)
    return ax
