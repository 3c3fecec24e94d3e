"""Lines in an image: where they run, how far a pixel lies from them, and what is on which side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
_STRAIGHT = 1e-6  # difference of the directions along a line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A path with its length, sampled evenly.

    Parameters
    ----------
    places : (n, 2) px as (y, x), evenly spaced.
    along : (n,) px from the start.
    normals : (n, 2) unit vectors to the right of the path as seen: walking along +x they point to +y.
    """

    places: Array
    along: Array
    normals: Array

    @property
    def length(self) -> float:
        """Px."""
        return float(self.along[-1])

    def away(self, along: Array, across: Array) -> Array:
        """Distance (n,) px of places, told by `locate`, from the nearest point of the line."""
        beyond = np.maximum(np.maximum(-along, along - self.length), 0)
        return np.asarray(np.hypot(across, beyond))

    def middle(self, share: float) -> Line:
        """The middle part of the line, a share of its length."""
        part = np.abs(self.along - self.length / 2) <= share * self.length / 2
        return Line(places=self.places[part], along=self.along[part], normals=self.normals[part])


def sample_line(path: Array, *, spacing: float) -> Line:
    """Places at most `spacing` px apart along a path (n, 2).

    Examples
    --------
    >>> line = sample_line(np.array([[0.0, 0.0], [0.0, 3.0]]), spacing=1.0)
    >>> line.length, len(line.places), (line.normals[0] + 0.0).tolist()
    (3.0, 4, [1.0, 0.0])
    """
    corner = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
    along = np.linspace(0, corner[-1], max(2, int(np.ceil(corner[-1] / spacing)) + 1))
    places = np.column_stack([np.interp(along, corner, p) for p in path.T])
    tangent = np.gradient(places, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-12)[:, None]
    return Line(places=places, along=along, normals=np.column_stack([tangent[:, 1], -tangent[:, 0]]))


def extend(path: Array, by: float, *, over: float) -> Array:
    """A path carried on straight by `by` px at both ends, in the mean direction of its last `over` px."""
    line = sample_line(path, spacing=1.0)
    ends = []
    for places in (line.places, line.places[::-1]):
        inner = places[min(len(places) - 1, max(1, int(over)))]
        out = places[0] - inner
        ends.append(places[0] + by * out / max(float(np.hypot(*out)), 1e-12))
    return np.vstack([ends[0], path, ends[1]])


def locate(points: Array, line: Line) -> tuple[Array, Array]:
    """How far along a line, and how far to its right (left: negative), points (n, 2) lie, px."""
    if np.ptp(line.normals, axis=0).max() < _STRAIGHT:
        away, normal = points - line.places[0], line.normals[0]
        return away @ np.array([-normal[1], normal[0]]), away @ normal
    nearest = np.asarray(cKDTree(line.places).query(points)[1])
    away = points - line.places[nearest]
    normal = line.normals[nearest]
    ahead = away[:, 1] * normal[:, 0] - away[:, 0] * normal[:, 1]
    return line.along[nearest] + ahead, (away * normal).sum(axis=1)


def distance_to(path: Array, points: Array) -> Array:
    """Distance (m,) px of points (m, 2) to a path (n, 2)."""
    if not len(points):
        return np.zeros(0)
    line = sample_line(path, spacing=1.0)
    return line.away(*locate(points, line))


def runs_along(path: Array, lines: Iterable[Array], *, within: float) -> bool:
    """Whether most of a path (n, 2) lies within some px of one of some lines."""
    return any(np.mean(distance_to(line, path) < within) > 0.5 for line in lines)
