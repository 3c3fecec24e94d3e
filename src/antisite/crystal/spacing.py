"""How far the image's columns lie apart, found without any calibration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from .contrast import Floats, Mask

_TILE = 1024  # px; longer correlations than a third of this are not needed
_LEAST_SMOOTHING = 0.8  # px
_SMOOTHING = 0.1  # spacings


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Power spectrum of an image, averaged over its tiles.

    Parameters
    ----------
    power : (y, x // 2 + 1), squared amplitude at `scipy.fft` frequencies.
    window : the same of the window alone.
    shape : (y, x) px of one tile.
    """

    power: Floats
    window: Floats
    shape: tuple[int, int]

    def correlation(self, *, smoothing: float) -> Floats:
        """Autocorrelation (2 r + 1, 2 r + 1), 1 at its centre, corrected for the window's own.

        Parameters
        ----------
        smoothing : px, width of a Gaussian blur of the image; noise hides in the centre without it.
        """
        fy, fx = fft.fftfreq(self.shape[0])[:, None], fft.rfftfreq(self.shape[1])[None]
        blur = np.exp(-((2 * np.pi * smoothing) ** 2) * (fy**2 + fx**2)).astype(np.float32)
        reach = min(self.shape) // 3
        own, overlap = (
            np.roll(fft.irfft2(power, self.shape), (reach, reach), axis=(0, 1))[
                : 2 * reach + 1, : 2 * reach + 1
            ]
            for power in (self.power * blur, self.window)
        )
        correlation = own / np.maximum(overlap, 0.02 * overlap.max())
        correlation /= max(float(correlation[reach, reach]), float(np.finfo(np.float32).tiny))
        return np.asarray(correlation, dtype=np.float32)


def measure_spectrum(flat: Floats, mask: Mask) -> Spectrum:
    """Power spectrum of a flattened image, masked pixels left out.

    Hann windows, without padding: a shift below a third of the tile hardly meets what wraps round.
    """
    shape = (min(flat.shape[0], _TILE), min(flat.shape[1], _TILE))
    hann = np.hanning(shape[0] + 2)[1:-1, None] * np.hanning(shape[1] + 2)[None, 1:-1]
    hann = hann.astype(np.float32)
    power = np.zeros((shape[0], shape[1] // 2 + 1), dtype=np.float32)
    own = np.zeros_like(power)
    for tile in _tiles(flat.shape, shape):
        window = hann * ~mask[tile]
        power += np.abs(fft.rfft2(flat[tile] * window)) ** 2
        own += np.abs(fft.rfft2(window)) ** 2
    return Spectrum(power, own, shape)


def _tiles(shape: tuple[int, ...], tile: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    starts = [
        np.linspace(0, n - t, int(np.ceil(n / t))).astype(int) for n, t in zip(shape, tile, strict=True)
    ]
    for y in starts[0]:
        for x in starts[1]:
            yield slice(y, y + tile[0]), slice(x, x + tile[1])


def correlation_maxima(
    correlation: Floats, *, separation: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Local maxima of an autocorrelation, of each opposite pair the one with y ≥ 0.

    Parameters
    ----------
    correlation : (2 r + 1, 2 r + 1)
    separation : px, least distance between two maxima.

    Returns
    -------
    shifts : (n, 2) px as (y, x), the shortest first; sub-pixel.
    heights : (n,)
    """
    reach = correlation.shape[0] // 2
    size = max(3, 2 * int(separation / 2) + 1)
    peak = correlation == ndimage.maximum_filter(correlation, size=size)
    peak[[0, -1]] = peak[:, [0, -1]] = False
    y, x = np.nonzero(peak)
    half = ((y > reach) | ((y == reach) & (x > reach))) & (correlation[y, x] > 0)
    y, x = y[half], x[half]
    shift = np.column_stack([y, x]) + parabola_offset(correlation, y, x) - reach
    order = np.argsort(np.hypot(*shift.T), kind="stable")
    return shift[order], correlation[y, x][order].astype(float)


def parabola_offset(values: Floats, y: NDArray[np.int_], x: NDArray[np.int_]) -> NDArray[np.float64]:
    """Sub-pixel offset (n, 2) of maxima at integer (y, x), by a parabola along each axis."""
    centre = values[y, x].astype(float)
    offsets = []
    for dy, dx in ((1, 0), (0, 1)):
        before, after = values[y - dy, x - dx].astype(float), values[y + dy, x + dx].astype(float)
        bend = before - 2 * centre + after
        offsets.append(np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0.0))
    return np.asarray(np.clip(np.column_stack(offsets), -0.5, 0.5))


def estimate_spacing(spectrum: Spectrum, *, smoothing: float = _LEAST_SMOOTHING) -> float:
    """Shortest lattice spacing a0 in px, NaN where the autocorrelation has no maximum.

    The shortest shift above 3 px whose height exceeds 0.55 of the mean of the four highest.

    Parameters
    ----------
    smoothing : px, width of a blur that takes away noise.
    """
    shifts, heights = correlation_maxima(spectrum.correlation(smoothing=smoothing), separation=4)
    length = np.hypot(*shifts.T)
    heights, length = heights[length > 3], length[length > 3]
    if not len(heights):
        return float("nan")
    tall = heights > 0.55 * np.sort(heights)[-4:].mean()
    return float(length[tall][0])


def smoothed_correlation(spectrum: Spectrum, *, spacing: float) -> Floats:
    """Autocorrelation of the image blurred by a tenth of its spacing, which takes noise but no column."""
    return spectrum.correlation(smoothing=max(_LEAST_SMOOTHING, _SMOOTHING * spacing))
