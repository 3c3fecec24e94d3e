"""Hollows: the places of a crystal that lie farthest from every column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..crystals.cells import cells_around
from ..crystals.crystal import Crystal
from ..crystals.scene import Scene

_ALIKE = 0.98  # of the widest hollow: hollows no narrower are hollows too
_BENT = 0.9  # the same where lines and dislocations have moved the columns
_SAME = 0.1  # of a hollow's radius, within which two are one


def hollows_of_cell(crystal: Crystal) -> NDArray[np.float64]:
    """(n, 2) cell fractions of the hollows of a perfect cell.

    Examples
    --------
    >>> from antisite.simulate.sketch.crystals import find_sketch
    >>> abs(hollows_of_cell(find_sketch("wse2")).round(3)).tolist()
    [[0.0, 0.0]]
    """
    shifts = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 2), axis=-1).reshape(-1, 1, 2)
    columns = (crystal.fractions + shifts).reshape(-1, 2) @ crystal.cell
    centres, radii = _empty_circles(columns)
    fractions = centres @ np.linalg.inv(crystal.cell)
    inside = ((fractions > -0.5 - 1e-6) & (fractions <= 0.5 - 1e-6)).all(axis=1)
    wide = inside & (radii > _ALIKE * radii[inside].max())
    return np.asarray(_thinned(centres[wide], _SAME * radii[wide].max()) @ np.linalg.inv(crystal.cell))


def find_hollows(scene: Scene) -> NDArray[np.float64]:
    """(n, 2) px, the hollows of a scene: those of its cells, or those left between columns out of place.

    Parameters
    ----------
    scene : where it holds lines or dislocations, a hollow is as wide as a perfect one to a tenth.
    """
    if not len(scene.sites):
        return np.zeros((0, 2))
    columns = scene.positions
    hollows = hollows_of_cell(scene.crystal)
    if not (scene.lines or scene.cores):
        margin = float(np.hypot(*scene.shape))
        cells = cells_around(scene.cell, shape=scene.shape, margin=margin)
        places = (cells[:, None] + hollows).reshape(-1, 2) @ scene.cell + scene.origin
        return np.asarray(
            places[((places > columns.min(axis=0)) & (places < columns.max(axis=0))).all(axis=1)]
        )
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 2), axis=-1).reshape(-1, 1, 2)
    around = (scene.crystal.fractions + shifts).reshape(-1, 2) @ scene.cell
    radius = float(np.hypot(*(around - hollows[0] @ scene.cell).T).min())
    centres, radii = _empty_circles(columns)
    fitting = (radii > _BENT * radius) & (radii < radius / _BENT)
    return _thinned(centres[fitting], _SAME * radius)


def _empty_circles(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (n, 2) and radii (n,) of the circles through three points that hold no other."""
    from scipy.spatial import Delaunay

    corner, second, third = np.moveaxis(points[Delaunay(points).simplices], 1, 0)
    one, other = second - corner, third - corner
    twice_area = 2 * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    solid = np.abs(twice_area) > 1e-9 * ((one**2).sum(axis=1) + (other**2).sum(axis=1))
    corner, one, other, twice_area = corner[solid], one[solid], other[solid], twice_area[solid]
    a, b = (one**2).sum(axis=1), (other**2).sum(axis=1)
    y = (b * -one[:, 1] + a * other[:, 1]) / twice_area
    x = (b * one[:, 0] - a * other[:, 0]) / twice_area
    return corner + np.stack([y, x], axis=1), np.hypot(y, x)


def _thinned(points: NDArray[np.float64], within: float) -> NDArray[np.float64]:
    """The points without those near an earlier one."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(within, output_type="ndarray")
    kept = np.ones(len(points), dtype=bool)
    kept[pairs.max(axis=1)] = False
    return points[kept]
