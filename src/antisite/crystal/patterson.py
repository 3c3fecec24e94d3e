"""Patterson functions: what surrounds a place, whatever the exact place is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from .contrast import Floats, blur

Array = NDArray[np.float64]
_HALF = 9  # samples from the middle of a segment to its rim
_REACH = 2.2  # widths of the window from the middle to the rim
_SMOOTH = 0.5  # steps of a segment, width of the Gaussian that keeps finer detail from aliasing
_KEPT = 2  # of so many lags along each axis one is kept: the function is smooth
_CHUNK = 1000  # segments at once: about 15 MB
_SPOT_REACH = 4.5  # widths of a spot; beyond it is below 5e-5


def describe_surroundings(pixels: Floats, positions: Array, *, width: float) -> Floats:
    """Patterson function of the segment around each position, as a vector to compare.

    Parameters
    ----------
    pixels : (y, x)
    positions : (n, 2) px as (y, x).
    width : px, standard deviation of the Gaussian window that a segment is seen through.

    Returns
    -------
    Floats
        (n, lags), the signed root of the autocorrelation at half of the lags (the other half is the
        same).

    Notes
    -----
    The root makes noise alike in bright and dark segments: without it the autocorrelation, which is
    quadratic, makes a dim column look more ordinary than an ordinary one.
    """
    window = np.exp(-(_offsets(width) ** 2).sum(axis=-1) / (2 * width**2)).astype(np.float32)
    lags = np.empty((len(positions), _lags(patterson(window[None])).shape[1]), dtype=np.float32)
    for start, segments in _segments(pixels, positions, width=width):
        lags[start : start + len(segments)] = _lags(patterson(segments * window))
    return lags


def sample_segments(pixels: Floats, positions: Array, *, width: float) -> Floats:
    """Square cuts (n, 19, 19) around positions, 2.2 widths to each side.

    Parameters
    ----------
    pixels, positions, width : as in `describe_surroundings`.
    """
    side = 2 * _HALF + 1
    parts = [segments for _, segments in _segments(pixels, positions, width=width)]
    return np.concatenate([np.empty((0, side, side), dtype=np.float32), *parts])


def _offsets(width: float) -> Array:
    along = np.arange(-_HALF, _HALF + 1) * _REACH * width / _HALF
    return np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1)


def _segments(pixels: Floats, positions: Array, *, width: float) -> Iterator[tuple[int, Floats]]:
    """Cuts, a thousand at a time, and the number of the first."""
    smooth = blur(pixels, sigma=_SMOOTH * _REACH * width / _HALF)
    spline = ndimage.spline_filter(smooth, order=3, output=np.float32)
    offsets = _offsets(width)
    for start in range(0, len(positions), _CHUNK):
        at = (positions[start : start + _CHUNK, None, None] + offsets).reshape(-1, 2).T
        values = ndimage.map_coordinates(
            spline, at, order=3, prefilter=False, mode="mirror", output=np.float32
        )
        yield start, np.asarray(values.reshape(-1, *offsets.shape[:2]))


def patterson(segments: Floats) -> Floats:
    """Autocorrelation of segments, nothing beyond their rims.

    Parameters
    ----------
    segments : (n, m, m)

    Returns
    -------
    Floats
        (n, m, 2 m − 1); the first row holds no vertical lag, the middle column no horizontal one.

    Examples
    --------
    >>> two = np.zeros((1, 4, 4), dtype=np.float32)
    >>> two[0, 1, 1], two[0, 2, 3] = 1, 2
    >>> patterson(two)[0].round(3).tolist()[1]
    [0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0]
    """
    m = segments.shape[-1]
    size = fft.next_fast_len(2 * m - 1, real=True)
    spectrum = fft.rfft2(segments, (size, size))
    power = spectrum.real**2 + spectrum.imag**2
    around = fft.irfft2(power, (size, size))[:, :m]
    return np.asarray(np.roll(around, m - 1, axis=2)[:, :, : 2 * m - 1], dtype=np.float32)


def _lags(functions: Floats) -> Floats:
    kept = functions[:, ::_KEPT, ::_KEPT]
    return (np.sign(kept) * np.sqrt(np.abs(kept))).reshape(len(functions), -1)


def semantic_image(positions: Array, *, shape: tuple[int, ...], width: float) -> Floats:
    """Equal round spots, and nothing else.

    Parameters
    ----------
    positions : (n, 2) px as (y, x); those outside the frame show as far as they reach in.
    shape : (y, x) px
    width : px, standard deviation of a spot.

    Examples
    --------
    >>> image = semantic_image(np.array([(8.0, 8.0), (20.0, 21.0)]), shape=(32, 32), width=1.5)
    >>> image[8, 8], image[20, 21], image[8, 20]
    (np.float32(1.0), np.float32(1.0), np.float32(0.0))
    """
    reach = int(np.ceil(_SPOT_REACH * width))
    window = np.arange(-reach, reach + 1)
    padded = np.zeros((shape[0] + 2 * reach, shape[1] + 2 * reach), dtype=np.float32)
    near = np.all((positions > -reach / 2) & (positions < np.array(shape) + reach / 2 - 1), axis=1)
    for start in range(0, len(positions), _CHUNK):
        chosen = positions[start : start + _CHUNK][near[start : start + _CHUNK]]
        corner = np.round(chosen).astype(np.intp)
        spots = [
            np.exp(-((window + corner[:, i, None] - chosen[:, i, None]) ** 2) / (2 * width**2))
            for i in (0, 1)
        ]
        rows, cols = (corner[:, i, None] + window + reach for i in (0, 1))
        inside = (
            np.clip(rows, 0, padded.shape[0] - 1)[:, :, None],
            np.clip(cols, 0, padded.shape[1] - 1)[:, None],
        )
        np.add.at(padded, inside, (spots[0][:, :, None] * spots[1][:, None]).astype(np.float32))
    return padded[reach:-reach, reach:-reach]
