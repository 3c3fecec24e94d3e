"""Cores of a boundary of high angle: dark places that follow each other at even distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask, blur_within
from .lines import locate, sample_line
from .strip import cut_strip

Array = NDArray[np.float64]
_CORE, _AROUND = 0.6, 3.0  # √(cell area), widths whose difference shows what is dark
_ON = 1.0  # √(cell area) from the line
_BULK = (3.0, 10.0)  # √(cell area) from the line, where the dark places of the crystals are counted
_DARK = -3.0  # robust standard deviations of those
_EVEN = 0.25  # spread of the distances, of their mean
_FEW = 4


def dark_cores(even: Floats, mask: Mask, path: Array, *, cell: float) -> Array:
    """Places (n, 2) px of the cores on a line; none where dark places do not follow each other evenly.

    Parameters
    ----------
    even : (y, x), of even local contrast.
    mask : (y, x), True where pixels are ignored.
    path : (m, 2) px as (y, x).
    """
    line = sample_line(path, spacing=0.25 * cell)
    strip = cut_strip(even, mask, line, reach=_BULK[1] * cell)
    hidden = mask[strip.window]
    dark = blur_within(strip.pixels, hidden, sigma=_CORE * cell) - blur_within(
        strip.pixels, hidden, sigma=_AROUND * cell
    )
    lowest = ndimage.minimum_filter(dark, int(0.8 * cell) | 1, mode="nearest") == dark
    at = np.argwhere(lowest & ~strip.hidden) + strip.corner
    inside = np.all((at >= cell) & (at <= np.array(even.shape) - 1 - cell), axis=1)
    at = at[inside]
    depth = dark[tuple((at - strip.corner).T)]
    along, across = locate(at.astype(float), line)
    bulk = depth[np.abs(across) > _BULK[0] * cell]
    if len(bulk) < _FEW:
        return np.zeros((0, 2))
    centre = np.median(bulk)
    spread = 1.4826 * float(np.median(np.abs(bulk - centre)))
    core = (np.abs(across) < _ON * cell) & (depth < min(centre + _DARK * spread, float(bulk.min())))
    order = np.argsort(along[core])
    gaps = np.diff(along[core][order])
    if len(gaps) < _FEW - 1 or gaps.std() > _EVEN * gaps.mean():
        return np.zeros((0, 2))
    return np.asarray(at[core][order], dtype=float)
