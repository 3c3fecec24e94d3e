"""Cells side by side, as many as a frame needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cells_around(cell: NDArray[np.float64], *, shape: tuple[int, int], margin: float) -> NDArray[np.int_]:
    """Indices (n, 2) of cells that cover a frame and a margin, counted from one in the middle of the frame.

    Parameters
    ----------
    cell : (2, 2) px, rows `a` and `b`, each (y, x).
    shape : (y, x) px of the frame.
    margin : px, on every side of it.
    """
    corners = np.array([[sy, sx] for sy in (-1, 1) for sx in (-1, 1)]) * (np.array(shape) / 2 + margin)
    n = np.ceil(np.abs(corners @ np.linalg.inv(cell)).max(axis=0)).astype(int) + 1
    return np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in n), indexing="ij"), axis=-1).reshape(-1, 2)
