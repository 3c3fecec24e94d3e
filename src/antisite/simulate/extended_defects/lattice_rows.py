"""Rows of the plane lattice of a scene, named by direction in whole cell vectors: (1, 0) is along `a`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from ..crystals.scene import Scene
from .joined_crystals import across

Row = tuple[int, int]


def row_geometry(scene: Scene, row: Row) -> tuple[float, float, NDArray[np.float64], NDArray[np.float64]]:
    """Direction [rad] of a row, distance [px] to the next, and (y, x) unit vectors along and across."""
    if math.gcd(*row) != 1:
        raise InputError(f"row must be two whole numbers without a common factor, got {row}")
    vector = np.asarray(row) @ scene.cell
    length = float(np.hypot(*vector))
    along = vector / length
    normal = np.array([along[1], -along[0]])
    return math.atan2(*vector), float(abs(np.linalg.det(scene.cell))) / length, along, normal


def gap_near(scene: Scene, row: Row, at: ArrayLike) -> NDArray[np.float64]:
    """(2,) px, the middle of the widest gap between the rows of a direction, nearest to a place.

    Parameters
    ----------
    row : direction in cell vectors.
    at : (y, x) px
    """
    angle, spacing, _, normal = row_geometry(scene, row)
    columns = scene.origin + scene.crystal.fractions @ scene.cell
    heights = np.sort(across(columns, np.asarray(at), angle) % spacing)
    widths = np.diff(heights, append=heights[0] + spacing)
    widest = np.argmax(widths)
    middle = heights[widest] + widths[widest] / 2
    return np.asarray(at + ((middle + spacing / 2) % spacing - spacing / 2) * normal)


def reduce_shift(shift: ArrayLike) -> tuple[float, float]:
    """Cell fractions from −½ to ½.

    Examples
    --------
    >>> reduce_shift((2 / 3, 1.0))
    (-0.333333333, 0.0)
    """
    a, b = np.round((np.asarray(shift) + 0.5) % 1 - 0.5, 9)
    return float(a) + 0.0, float(b) + 0.0
