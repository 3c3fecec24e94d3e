"""Windows around sites, cut from an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .compiled import compiled


def cut_patches(
    field: NDArray[np.float32], positions: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The window around the pixel nearest to each site.

    Parameters
    ----------
    field : (n_detectors, y, x)
    positions : (N, 2) px (y, x)
    size : px; the nearest pixel stands at `size // 2` of the window.

    Returns
    -------
    patches : (M, n_detectors, size, size), of the sites whose window lies inside the frame.
    kept : (N,) which sites those are.
    """
    if size < 1:
        raise InputError(f"size of patches must be 1 or more [px], got {size}")
    field = np.ascontiguousarray(field, dtype=np.float32)
    positions = np.asarray(positions, np.float64).reshape(-1, 2)
    corners = np.floor(positions + 0.5) - size // 2
    kept = np.all((corners >= 0) & (corners + size <= np.asarray(field.shape[1:])), axis=1)
    patches = np.empty((int(kept.sum()), field.shape[0], size, size), np.float32)
    _copy_windows(patches, field, corners[kept].astype(np.int64))
    return patches, kept


@compiled
def _copy_windows(
    patches: NDArray[np.float32], field: NDArray[np.float32], corners: NDArray[np.int64]
) -> None:
    """Copy row by row."""
    size = patches.shape[-1]
    for i in range(patches.shape[0]):
        y, x = corners[i, 0], corners[i, 1]
        for d in range(patches.shape[1]):
            for row in range(size):
                line, into = field[d, y + row, x : x + size], patches[i, d, row]
                for j in range(size):
                    into[j] = line[j]
