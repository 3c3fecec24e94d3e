"""Cells of a lattice, as plain arithmetic of vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_EQUAL = 1e-12  # squared lengths that differ by less are equal: a hexagon has several shortest vectors
_ON_A_LINE = 1e-18


def reduce_cell(vectors: Array) -> Array:
    """Gauss reduction: the two shortest vectors of the same lattice, the shorter first."""
    a, b = sorted(vectors, key=lambda v: float(v @ v))
    while a @ a > _ON_A_LINE * (b @ b):
        shorter = b - np.round(a @ b / (a @ a)) * a
        if shorter @ shorter >= (1 - _EQUAL) * (b @ b):
            break
        a, b = sorted((a, shorter), key=lambda v: float(v @ v))
    return np.array([a, b])


def half_plane(reach: int) -> NDArray[np.int_]:
    """Indices (n, 2) up to `reach` without (0, 0), of each opposite pair one."""
    return np.array([(i, j) for i in range(reach + 1) for j in range(-reach, reach + 1) if i > 0 or j > 0])


def lattice_basis(rows: Array, divisor: int) -> Array:
    """Basis of the lattice that holds rows of multiples of 1/divisor (Hermite normal form)."""
    m = np.round(rows * divisor).astype(int)
    for column in range(m.shape[1]):
        while np.count_nonzero(m[column:, column]) > 1:
            block = np.abs(m[column:, column]).astype(float)
            pivot = column + int(np.argmin(np.where(block > 0, block, np.inf)))
            m[[column, pivot]] = m[[pivot, column]]
            m[column + 1 :] -= (m[column + 1 :, column] // m[column, column])[:, None] * m[column]
        if m[column, column] == 0:
            pivot = column + int(np.argmax(np.abs(m[column:, column])))
            m[[column, pivot]] = m[[pivot, column]]
    return m[: m.shape[1]] / divisor
