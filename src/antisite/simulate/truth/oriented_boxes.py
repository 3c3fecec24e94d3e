"""What is wrong in an image, as oriented boxes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from .truth import Truth

Array = NDArray[np.float64]
FIELDS = ("kind", "y", "x", "length", "width", "angle")
LINE_WIDTH = 4.0
"""Width of the box round a straight line, in roots of the area of a cell."""


def oriented_boxes(truth: Truth) -> pd.DataFrame:
    """One box for each defect in the frame: points, then lines, then dislocations.

    A point's box is a square of one nearest-neighbour spacing. The box round a line lies along it (total
    least squares where it is curved) and is wide enough for its bends and two roots of the cell's area on
    either side. Lines end at the frame, boxes may reach a little beyond.

    Returns
    -------
    DataFrame
        `kind`, `y`, `x` [px], `length` ≥ `width` [px], `angle` [rad] of the length from +x towards +y, in
        [0, π).

    Raises
    ------
    InputError
        The truth does not say how far apart the columns are.
    """
    points = truth.defects[["kind", "y", "x"]]
    cores = pd.DataFrame(
        [("dislocation", *core.position) for core in truth.cores], columns=["kind", "y", "x"]
    )
    if (len(points) or len(cores)) and not truth.spacing > 0:
        raise InputError("a box needs the spacing of the columns [px], which this truth does not know")
    area = abs(np.linalg.det(truth.cell))
    if truth.lines and not area > 0:
        raise InputError("a box needs the cell [px], which this truth does not know")
    margin = LINE_WIDTH * math.sqrt(area)
    lines = pd.DataFrame(
        [(line.kind, *box_round(line.path, margin=margin)) for line in truth.lines], columns=list(FIELDS)
    )
    square = {"length": truth.spacing, "width": truth.spacing, "angle": 0.0}
    parts = [points.assign(**square), lines, cores.assign(**square)]
    table = pd.concat([part for part in parts if len(part)] or [lines], ignore_index=True)
    return table.astype({"kind": "str"} | dict.fromkeys(FIELDS[1:], "float64"))


def box_round(path: ArrayLike, *, margin: float = 0.0) -> tuple[float, float, float, float, float]:
    """The oriented box round a path: y, x, length, width [px] and angle [rad, in [0, π)].

    Its axis is that of total least squares, every piece of the path weighed by its length.

    Parameters
    ----------
    path : (n, 2) px (y, x)
    margin : px, added to the width.

    Examples
    --------
    >>> y, x, length, width, angle = box_round([[0.0, 0.0], [0.0, 8.0]], margin=2.0)
    >>> (y, x, length, width, angle)
    (0.0, 4.0, 8.0, 2.0, 0.0)
    """
    points = np.asarray(path, dtype=float)
    steps = np.diff(points, axis=0)
    sizes = np.hypot(*steps.T)
    total = sizes.sum()
    if total == 0:
        y, x = points.mean(axis=0)
        return float(y), float(x), margin, margin, 0.0
    middles = (points[1:] + points[:-1]) / 2
    centre = sizes @ middles / total
    # the second moment of a piece about the centre: of its middle, and of its own length
    moments = (sizes[:, None] * (middles - centre)).T @ (middles - centre) + (
        sizes[:, None] * steps
    ).T @ steps / 12
    along = np.linalg.eigh(moments)[1][:, 1]
    across = np.array([along[1], -along[0]])
    extents = [(points - centre) @ axis for axis in (along, across)]
    middle = centre + sum(
        (e.max() + e.min()) / 2 * axis for e, axis in zip(extents, (along, across), strict=True)
    )
    length, width = float(np.ptp(extents[0])), float(np.ptp(extents[1])) + margin
    angle = math.atan2(*along)
    if width > length:
        length, width, angle = width, length, angle + math.pi / 2
    angle %= math.pi
    return float(middle[0]), float(middle[1]), length, width, 0.0 if math.pi - angle < 1e-9 else angle


def box_corners(boxes: pd.DataFrame) -> Array:
    """(N, 4, 2) px (y, x), the corners of boxes, one after the other round each.

    Examples
    --------
    >>> box = pd.DataFrame({"y": [5.0], "x": [9.0], "length": [4.0], "width": [2.0], "angle": [0.0]})
    >>> box_corners(box).round(1).tolist()
    [[[4.0, 7.0], [4.0, 11.0], [6.0, 11.0], [6.0, 7.0]]]
    """
    angle = boxes["angle"].to_numpy()
    half = boxes[["length", "width"]].to_numpy() / 2
    along = np.stack([np.sin(angle), np.cos(angle)], axis=1) * half[:, :1]
    across = np.stack([np.cos(angle), -np.sin(angle)], axis=1) * half[:, 1:]
    centre = boxes[["y", "x"]].to_numpy()
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.stack([centre + i * along + j * across for i, j in signs], axis=1)


def clip_polygon(polygon: Array, *, shape: tuple[int, int]) -> Array:
    """The part (m, 2) px of a convex polygon that lies in the frame, pixels at its rim being whole.

    Parameters
    ----------
    polygon : (n, 2) px (y, x), corners in order.
    shape : (y, x) px of the frame.

    Examples
    --------
    >>> square = np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]])
    >>> clip_polygon(square, shape=(20, 6)).tolist()
    [[2.0, 2.0], [2.0, 5.5], [8.0, 5.5], [8.0, 2.0]]
    """
    for axis, size in enumerate(shape):
        for limit, sign in ((-0.5, 1), (size - 0.5, -1)):
            polygon = _cut(polygon, sign * (polygon[:, axis] - limit))
    return np.clip(polygon, -0.5, np.array(shape) - 0.5)  # nothing but rounding


def _cut(polygon: Array, inside: Array) -> Array:
    """The part of a convex polygon where a linear function, given at its corners, is 0 or more."""
    kept = []
    for here, there, one, other in zip(
        polygon, np.roll(polygon, -1, axis=0), inside, np.roll(inside, -1), strict=True
    ):
        if one >= 0:
            kept.append(here)
        if (one < 0) != (other < 0) and one != 0 and other != 0:
            kept.append(here + (there - here) * one / (one - other))
    return np.array(kept).reshape(-1, 2)
