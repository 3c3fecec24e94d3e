"""Which of the found positions is which of the true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import KDTree

from ..errors import InputError


def match_positions(found: ArrayLike, truth: ArrayLike, *, within: float) -> NDArray[np.intp]:
    """Pair positions one to one: as many pairs as possible, of these the shortest in sum.

    Parameters
    ----------
    found, truth : (N, 2) and (M, 2) px.
    within : px, a pair may not lie farther apart.

    Returns
    -------
    (K, 2) indices into found and truth, sorted by the first.

    Raises
    ------
    InputError
        `within` is not positive, or a position is not a pair of finite numbers.

    Examples
    --------
    >>> match_positions([[0, 0], [5, 5]], [[5, 6], [50, 50]], within=2).tolist()
    [[1, 0]]
    """
    if not within > 0:
        raise InputError(f"within must be positive [px], got {within:g} (a third of the nearest spacing)")
    first, second = _as_positions(found), _as_positions(truth)
    if not len(first) or not len(second):
        return np.zeros((0, 2), dtype=np.intp)
    near = KDTree(first).sparse_distance_matrix(KDTree(second), within, output_type="ndarray")
    i, j, distance = near["i"], near["j"], near["v"]
    alone = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1)
    pairs = np.concatenate(
        [
            np.stack([i[alone], j[alone]], axis=1),
            _assign(i[~alone], j[~alone], distance[~alone] / within),
        ]
    )
    return pairs[np.argsort(pairs[:, 0])]


def _as_positions(positions: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(positions, dtype=np.float64)
    if not array.size:
        return array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise InputError(f"positions must be (N, 2) finite numbers [px], got an array of {array.shape}")
    return array


def _assign(i: NDArray[np.intp], j: NDArray[np.intp], cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Settle the contested pairs; costs lie in [0, 1].

    Every row may also stay alone, at a price above any rearrangement, so that a full matching exists
    and leaves as few alone as possible. Costs are shifted by one because a sparse zero is no edge.
    """
    if not len(i):
        return np.zeros((0, 2), dtype=np.intp)
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    n, m = len(rows), len(columns)
    alone = np.full(n, 2.0 * (min(n, m) + 1))
    graph = csr_array(
        (
            np.concatenate([cost + 1, alone]),
            (np.concatenate([row, np.arange(n)]), np.concatenate([column, m + np.arange(n)])),
        ),
        shape=(n, m + n),
    )
    chosen_row, chosen_column = min_weight_full_bipartite_matching(graph)
    taken = chosen_column < m
    return np.stack([rows[chosen_row[taken]], columns[chosen_column[taken]]], axis=1).astype(np.intp)
