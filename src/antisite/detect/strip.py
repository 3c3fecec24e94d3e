"""The pixels beside a line, with coordinates along and across it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Mask
from .lines import Line, locate, sample_line

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """The box around a line.

    Parameters
    ----------
    window : slices (y, x) of the box in the image.
    pixels : (y, x) of the box.
    corner : (2,) its first pixel in the image.
    along, across : (y, x) px, from the start of the line and to its right; infinite out of reach.
    hidden : (y, x), True where pixels are masked or out of reach.
    """

    window: tuple[slice, slice]
    pixels: NDArray[Any]
    corner: NDArray[np.int_]
    along: Array
    across: Array
    hidden: Mask


def cut_strip(pixels: NDArray[Any], mask: Mask, line: Line, *, reach: float) -> Strip:
    """The box that holds every pixel within `reach` px of a line."""
    shape = np.array(pixels.shape)
    low = np.clip(np.floor(line.places.min(axis=0) - reach), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(line.places.max(axis=0) + reach) + 1, low + 1, shape).astype(int)
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    size = tuple(high - low)
    close = _near(line, low, size, reach=reach)
    along, across = np.full((2, *size), np.inf)
    along[close], across[close] = locate(np.argwhere(close) + low.astype(float), line)
    return Strip(
        window=window,
        pixels=pixels[window],
        corner=low,
        along=along,
        across=across,
        hidden=mask[window] | ~close | (np.abs(across) > reach),
    )


def _near(line: Line, corner: NDArray[np.int_], size: tuple[int, ...], *, reach: float) -> Mask:
    """(y, x) of a box, True within `reach` px of a line and at a few pixels more."""
    stride = max(1, int(reach / 8))
    coarse = np.ones([-(-n // stride) for n in size], dtype=bool)
    at = np.round((sample_line(line.places, spacing=0.7).places - corner) / stride).astype(int)
    at = at[np.all((at >= 0) & (at < coarse.shape), axis=1)]
    coarse[at[:, 0], at[:, 1]] = False
    if not len(at):
        return np.zeros(size, dtype=bool)
    close = ndimage.distance_transform_edt(coarse) <= reach / stride + 2
    return close.repeat(stride, axis=0).repeat(stride, axis=1)[: size[0], : size[1]]
