"""Holes: so many missing columns side by side that they are no point defects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

LEAST_COLUMNS = 10  # a missing column and its neighbours; more is a hole
_SIDE_BY_SIDE = 1.15  # nearest distances


def group_holes(
    positions: NDArray[np.float64], missing: NDArray[np.bool_], *, nearest: float
) -> NDArray[np.int_]:
    """Number of the hole that each site belongs to, -1 outside holes.

    Parameters
    ----------
    positions : (n, 2) px as (y, x).
    missing : (n,) sites where a column is missing or dim.
    nearest : px, distance between nearest columns.

    Examples
    --------
    >>> row = np.array([(0.0, x) for x in range(30)])
    >>> group_holes(row, row[:, 1] < 12, nearest=1.0).tolist().count(0)
    12
    >>> group_holes(row, row[:, 1] < 5, nearest=1.0).max()
    np.int64(-1)
    """
    number = np.full(len(positions), -1)
    members = np.flatnonzero(missing)
    if not len(members):
        return number
    pairs = cKDTree(positions[members]).query_pairs(_SIDE_BY_SIDE * nearest, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(members), len(members)))
    group = connected_components(links, directed=False)[1]
    size = np.bincount(group)
    big = size >= LEAST_COLUMNS
    number[members] = np.where(big[group], (np.cumsum(big) - 1)[group], -1)
    return number
