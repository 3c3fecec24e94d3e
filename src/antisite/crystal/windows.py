"""Overlapping square windows on an image, each of which holds several cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bragg_spots import bragg_spots
from .contrast import Floats, Mask, blur_within, flatten
from .spacing import measure_spectrum

Ints = NDArray[np.int_]
_LEAST_SPACING = 6.0  # px; a finer image than this is reduced: columns stay apart
_HIDDEN = 0.5  # of a window's pixels masked: it says nothing
_REPEATS = 4.0  # of the longest repeat, which a window holds at least
_LONGER = 3.0  # times the usual window, at most
_ACROSS = 3.5  # windows that the shorter side of an image holds when they are longer than usual
_STRONG = 0.02  # of the power in spots, what tells the longest repeat
_VIEW = 512  # px of the reduced image in which it is sought


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Where the windows are, and the image that they are cut from.

    Parameters
    ----------
    image : (y, x), free of background, of even contrast, and reduced by whole pixels.
    reduced : px of the given image in one of `image`.
    y, x : first row of each row of windows, first column of each column of windows, in `image`.
    side : px of `image`, length of a window.
    spacing : a0 in px of `image`.
    seen : (len(y), len(x)), False where a window is mostly masked.
    shape : (y, x) px of the given image.
    """

    image: Floats
    reduced: int
    y: Ints
    x: Ints
    side: int
    spacing: float
    seen: Mask
    shape: tuple[int, int]

    @property
    def step(self) -> NDArray[np.float64]:
        """(2,) windows' sides from one window to the next, along y and x."""
        return np.array([np.ptp(at) / max(len(at) - 1, 1) for at in (self.y, self.x)]) / self.side

    def spread(self, numbers: NDArray[np.integer]) -> NDArray[np.int8]:
        """Numbers (len(y), len(x)) of windows to every pixel (y, x) of the given image."""
        rows, columns = (
            _nearest(np.arange(n) / self.reduced, at + self.side / 2)
            for n, at in zip(self.shape, (self.y, self.x), strict=True)
        )
        return numbers[np.ix_(rows, columns)].astype(np.int8)


def lay_windows(
    pixels: Floats, mask: Mask, *, spacing: float, window: float, stride: float, max_windows: int
) -> Windows:
    """Windows over the whole image, evenly spaced.

    Parameters
    ----------
    pixels : (y, x), standardised.
    mask : (y, x), True where pixels are ignored.
    spacing : a0 in px.
    window : a0, side of a window; it is longer where it would hold fewer than four repeats of the
        crystal: a cell of many atoms looks as if its spacing were short.
    stride : a0, distance between windows, at least.
    max_windows : so many windows, unless they would stand farther apart than half a window.
    """
    reduced = max(1, int(spacing / _LEAST_SPACING))
    small, hidden = _reduce(pixels, reduced), mask
    if reduced > 1 and mask.any():
        hidden = _reduce(mask.astype(np.float32), reduced) > _HIDDEN
    elif reduced > 1:
        hidden = np.zeros(small.shape, dtype=bool)
    spacing = spacing / reduced
    image = even_contrast(small, hidden, spacing=spacing)
    side = min(round(max(window * spacing, _longer_window(image, spacing, window * spacing))), *small.shape)
    room = np.array(small.shape) - side
    step = max(stride * spacing, min(side / 2, float(np.sqrt(np.prod(room) / max_windows))))
    y, x = (np.linspace(0, n, max(2, int(n / step) + 1)).astype(int) for n in room)
    seen = _masked_share(hidden, y, x, side=side) < _HIDDEN
    shape = (pixels.shape[0], pixels.shape[1])
    return Windows(image=image, reduced=reduced, y=y, x=x, side=side, spacing=spacing, seen=seen, shape=shape)


def even_contrast(pixels: Floats, mask: Mask, *, spacing: float) -> Floats:
    """The image without background and with the same local contrast everywhere."""
    flat = flatten(pixels, mask, sigma=1.5 * spacing)
    rms = np.sqrt(np.maximum(blur_within(flat**2, mask, sigma=4 * spacing), 0))
    return np.asarray(flat / np.maximum(rms, np.float32(0.05 * (rms.max() or 1))))


def _longer_window(image: Floats, spacing: float, usual: float) -> float:
    """Length [px] of so many of the longest repeats that the spots of the middle of the image show."""
    y, x = (max(0, (n - _VIEW) // 2) for n in image.shape)
    part = image[y : y + _VIEW, x : x + _VIEW]
    spots, weights = bragg_spots(measure_spectrum(part, np.zeros(part.shape, dtype=bool)), spacing=spacing)
    lowest = float(np.hypot(*spots[weights > _STRONG].T).min(initial=np.inf))
    return float(min(_REPEATS / lowest, _LONGER * usual, min(image.shape) / _ACROSS))


def _reduce(pixels: Floats, by: int) -> Floats:
    """Means of by × by px; what does not fill a block at the end is left out."""
    if by == 1:
        return pixels
    rows, columns = (n // by for n in pixels.shape)
    blocks = pixels[: rows * by, : columns * by].reshape(rows, by, columns, by)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _nearest(at: NDArray[np.floating], centres: NDArray[np.floating]) -> Ints:
    """Number of the nearest of sorted centres, for each place."""
    return np.asarray(np.searchsorted((centres[1:] + centres[:-1]) / 2, at))


def _masked_share(mask: Mask, y: Ints, x: Ints, *, side: int) -> NDArray[np.float64]:
    """Masked share (len(y), len(x)) of each window."""
    if not mask.any():
        return np.zeros((len(y), len(x)))
    total = np.pad(np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    low, high = np.ix_(y, x), np.ix_(y + side, x + side)
    inside = total[high] - total[np.ix_(y, x + side)] - total[np.ix_(y + side, x)] + total[low]
    return np.asarray(inside / side**2)
