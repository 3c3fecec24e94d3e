"""What a perfect crystal does not explain in an image: shifted rows, counting noise, and slow unevenness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...crystal.contrast import Floats, Mask
from .clipped_values import Clipping

Array = NDArray[np.float64]
_WILD = 5.0  # standard deviations; beyond are defects and dirt
_N_LEVELS = 16  # groups of pixels of like brightness, in which the noise is measured
_N_BANDS = 10  # of frequencies along each axis
_NOISY = 0.3  # 1/px along either axis, from which on only noise is left
_JITTERING = 0.2  # 1/px along the row; slower, jitter of the rows shows
_LEAST_SMOOTHING = 0.18  # px; jitter of rows alone may look like less
_SHARPENING = (-0.3, -0.12)  # px; from other spectra, and from none, the rest can't be told
_SMOOTHEST = 3.0  # spacings, over which the contrast is taken to be the same
_ROWS = 2  # on either side of a row
_COARSEST = 0.35  # of a lattice's lowest reflections: slower is background


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseLevel:
    """Noise of one detector, variance = `at_mean` + `slope` × (signal − mean signal).

    Pixels that are each displaced on their own are as rough, but only where the signal is steep.

    Parameters
    ----------
    at_mean : value², at the mean signal.
    slope : value, of the variance against the signal: the gain, where electrons are counted.
    slope_error : its standard error.
    smoothing : px, standard deviations along y and x of a blur after counting; negative: sharpening.
    fast : (2,) px², variance of the displacement of single pixels along y and x.
    """

    at_mean: float
    slope: float
    slope_error: float
    smoothing: tuple[float, float]
    fast: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Unevenness:
    """Slow variation of the level, with a spectrum 1 / f^exponent.

    Parameters
    ----------
    rms : value.
    exponent : of the power spectrum.
    """

    rms: float
    exponent: float


def measure_row_shifts(rest: Floats, model: Floats, clear: Mask) -> tuple[Array, float]:
    """How far right every row was sampled, and the root mean square of the shifts without their noise.

    Neighbouring rows serve as the reference, as slow drift moves them too. Left and right halves of the rows
    have the same shifts and independent noise.

    Parameters
    ----------
    rest, model : (n_channels, y, x), image less model, and the model.
    clear : (y, x), True where the model holds.

    Returns
    -------
    shifts : (y,) px
    rms : px
    """
    slope = np.gradient(model, axis=2) * clear
    spread = np.maximum(rest[:, clear].var(axis=1), 1e-30)[:, None]
    width = rest.shape[2]
    parts = (slice(0, width // 2), slice(width // 2, width), slice(0, width))
    shifts = []
    for part in parts:
        told = (rest[..., part] * slope[..., part]).sum(axis=2, dtype=float) / spread
        weight = (slope[..., part] ** 2).sum(axis=2, dtype=float) / spread
        shift = told.sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-3 * weight.sum(axis=0).mean() + 1e-30)
        shifts.append(shift)
    left, right, whole = (shift - ndimage.uniform_filter1d(shift, 2 * _ROWS + 1) for shift in shifts)
    share = 1 - 1 / (2 * _ROWS + 1)  # of the variance that the mean of the neighbours leaves
    inner = slice(_ROWS, max(len(whole) - _ROWS, _ROWS + 1))
    variance = float(np.mean(left[inner] * right[inner])) / share
    return whole, float(np.sqrt(max(variance, 0.0)))


def measure_noise(
    rest: Floats, signal: Floats, clear: Mask, *, moved: Floats, clipping: Clipping
) -> NoiseLevel:
    """Variance of the noise against the signal.

    Second differences along rows leave noise, pixels displaced on their own, and little else.

    Parameters
    ----------
    rest : (y, x), image less signal.
    signal : (y, x), the model.
    clear : (y, x), True where the model holds.
    moved : (y, x), what vibration may have done to the model: no noise, but as rough.
    clipping : what cutting off values did to signal and noise.
    """
    smoothing = _smoothing(rest)
    bend = np.array([1.0, -2.0, 1.0]) / np.sqrt(6)
    rough, known = (
        ndimage.convolve1d(one.astype(float), bend, axis=1, mode="mirror") for one in (rest, moved)
    )
    share = _left_by(bend, smoothing)
    inside = ndimage.binary_erosion(clear, np.ones((1, 3), dtype=bool), border_value=0)
    rough, known, level = rough[inside], known[inside], signal[inside].astype(float)
    middle = np.interp(level, clipping.seen, clipping.restored).mean()
    group = np.searchsorted(np.quantile(level, np.linspace(0, 1, _N_LEVELS + 1)[1:-1]), level)
    steep = [
        ndimage.convolve1d(slope**2, bend**2, axis=1, mode="mirror")[inside]
        for slope in np.gradient(signal.astype(float))
    ]
    left = np.interp(level, clipping.seen, clipping.spread) * share
    spread = np.array([_scale(rough[group == number]) for number in range(_N_LEVELS)])[group]
    kept = np.abs(rough) < _WILD * spread
    told = np.stack(
        [np.ones(len(level)), np.interp(level, clipping.seen, clipping.restored) - middle, *steep]
    )
    weight = kept / spread**2 * left
    variance = (rough**2 - known**2) / left
    fitted, covariance = _fit_parts(told * weight, variance * weight)
    return NoiseLevel(
        at_mean=max(float(fitted[0]), 0.0),
        slope=float(fitted[1]),
        slope_error=float(np.sqrt(covariance[1, 1])),
        smoothing=smoothing,
        fast=np.maximum(fitted[2:], 0),
    )


def _scale(rough: Array) -> float:
    """Standard deviation that wild values hardly change; whole electrons may all lie on the median."""
    if not len(rough):
        return 1e-30
    square = rough**2
    return float(max(np.sqrt(np.median(square)) / 0.6745, np.sqrt(square.mean()) / 2, 1e-30))


def _fit_parts(parts: Array, whole: Array) -> tuple[Array, Array]:
    """Factors (n,) on parts (n, m) whose sum is nearest to the whole (m,), and their covariance."""
    size = np.sqrt((parts**2).sum(axis=1)) + 1e-300
    unit = parts / size[:, None]
    inverse = np.linalg.pinv(unit @ unit.T, rcond=1e-10)
    factors = inverse @ (unit @ whole)
    left = float(np.mean((whole - factors @ unit) ** 2))
    return factors / size, left * inverse / np.outer(size, size)


def measure_unevenness(rest: Floats, clear: Mask, *, spacing: float) -> Unevenness:
    """The slow part of what is left of an image without its crystal.

    Parameters
    ----------
    rest : (y, x), image less the mean cell.
    clear : (y, x), True where that holds.
    spacing : px, √(area of the cell).
    """
    filled = np.where(clear, rest - rest[clear].mean(), 0).astype(float)
    window = np.hanning(rest.shape[0] + 2)[1:-1, None] * np.hanning(rest.shape[1] + 2)[1:-1]
    power = np.abs(np.fft.fft2(filled * window)) ** 2 / (window**2 * clear).sum() / rest.size
    frequency = np.hypot(np.fft.fftfreq(rest.shape[0])[:, None], np.fft.fftfreq(rest.shape[1]))
    slowest = 1.5 / min(rest.shape)
    fastest = _COARSEST / spacing
    beyond = (frequency > 1.4 * fastest) & (frequency < 2.2 * fastest)
    floor = float(power[beyond].mean()) if beyond.any() else 0.0
    slow = (frequency > 0) & (frequency < fastest)
    # Without the window, which hides what is slowest.
    whole = np.abs(np.fft.fft2(filled)) ** 2 / max(int(clear.sum()), 1) / rest.size
    variance = float(np.maximum(whole[slow].sum() - floor * slow.sum(), 0))
    edges = np.geomspace(slowest, max(fastest, 1.01 * slowest), 9)
    at, height, weight = [], [], []
    for low, high in pairwise(edges):
        ring = (frequency >= low) & (frequency < high)
        above = float(power[ring].mean()) - floor if ring.any() else 0.0
        if above > 0.2 * floor:
            at.append(np.log(frequency[ring].mean()))
            height.append(np.log(above))
            weight.append(np.sqrt(ring.sum()) * above / (above + floor))
    exponent = 3.0 if len(at) < 3 else -float(np.polyfit(at, height, 1, w=weight)[0])
    return Unevenness(rms=float(np.sqrt(variance)), exponent=float(np.clip(exponent, 2, 6)))


def measure_contrast_spread(rest: Floats, signal: Floats, clear: Mask, *, spacing: float) -> float:
    """By what share the contrast varies slowly: bent or uneven specimens are not in focus everywhere.

    Even and odd rows tell it independently, but for the noise.

    Parameters
    ----------
    rest, signal : (y, x), image less signal, and the model.
    clear : (y, x), True where the model holds.
    spacing : px, √(area of the cell).
    """
    odd = np.arange(rest.shape[0])[:, None] % 2
    maps, inside = [], clear
    for kept in (clear * odd, clear * (1 - odd)):
        told, weight = (
            ndimage.gaussian_filter((one * kept).astype(float), _SMOOTHEST * spacing, mode="constant")
            for one in (rest * signal, signal**2)
        )
        maps.append(told / np.maximum(weight, 0.2 * weight.max() + 1e-30))
        inside = inside & (weight > 0.2 * weight.max())
    first, second = (one[inside] for one in maps)
    return float(np.sqrt(max(np.mean((first - first.mean()) * (second - second.mean())), 0)))


def _smoothing(rest: Floats) -> tuple[float, float]:
    """Standard deviations [px] along y and x of a Gaussian blur that would give white noise this spectrum.

    Negative ones stand for sharpening by what such a blur takes: amplifiers may overshoot.
    """
    power = np.abs(np.fft.rfft2(rest - rest.mean())) ** 2
    fy, fx = np.abs(np.fft.fftfreq(rest.shape[0])), np.fft.rfftfreq(rest.shape[1])
    row, column = (np.minimum((f * 2 * _N_BANDS).astype(int), _N_BANDS - 1) for f in (fy, fx))
    at, height, weight = [], [], []
    for y, x in product(range(_N_BANDS), repeat=2):
        rows, columns = row == y, column == x
        low = max(fy[rows].min(initial=1), fx[columns].min(initial=1)) if rows.any() and columns.any() else 0
        if low < _NOISY or fx[columns].min() < _JITTERING:
            continue
        at.append([1, (fy[rows] ** 2).mean(), (fx[columns] ** 2).mean()])
        height.append(np.log(np.median(power[np.ix_(rows, columns)]) + 1e-30))
        weight.append(np.sqrt(rows.sum() * columns.sum()))
    if len(at) < 6:
        return 0.0, 0.0
    w = np.array(weight)
    fall = -np.linalg.lstsq(np.array(at) * w[:, None], np.array(height) * w, rcond=None)[0][1:]
    sigma = np.sign(fall) * np.sqrt(np.abs(fall)) / (2 * np.pi)
    most, least = _SHARPENING
    told = (sigma > _LEAST_SMOOTHING) | (sigma < least)
    y, x = np.where(told, np.maximum(sigma, most), 0.0)
    return float(y), float(x)


def _left_by(kernel: Array, smoothing: tuple[float, float]) -> float:
    """Variance that a kernel along rows leaves of white noise smoothed before."""
    f = np.fft.fftfreq(256)
    down, along = (np.exp(-sigma * abs(sigma) * (2 * np.pi * f) ** 2) for sigma in smoothing)
    return float((np.abs(np.fft.fft(kernel, 256)) ** 2 * along).mean() * down.mean())
