"""What a perfect crystal does not explain in an image: shifted rows, counting noise, and slow unevenness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...crystal.contrast import Floats, Mask
from .clipped_values import Clipping

Array = NDArray[np.float64]
_WILD = 5.0  # standard deviations; beyond are defects and dirt
_N_LEVELS = 16  # groups of pixels of like brightness, in which the noise is measured
_SMOOTHED = (0.3, 0.5)  # 1/px along each axis, frequencies where only noise is left
_LEAST_SMOOTHING = 0.2  # px; less can't be told from none
_COARSEST = 0.35  # of a lattice's lowest reflections: slower is background


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseLevel:
    """Noise of one detector, variance = `at_mean` + `slope` × (signal − mean signal).

    Parameters
    ----------
    at_mean : value², at the mean signal.
    slope : value, of the variance against the signal: the gain, where electrons are counted.
    slope_error : its standard error.
    smoothing : px, standard deviation of a blur after counting.
    """

    at_mean: float
    slope: float
    slope_error: float
    smoothing: float


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


_ROWS = 2  # on either side of a row


def measure_noise(
    rest: Floats, signal: Floats, clear: Mask, *, moved: Floats, clipping: Clipping
) -> NoiseLevel:
    """Variance of the noise against the signal.

    Second differences along rows leave noise and little else.

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
    at, variance, error = [], [], []
    for number in range(_N_LEVELS):
        own = group == number
        if own.sum() < 50:
            continue
        spread = np.median(np.abs(rough[own])) / 0.6745
        kept = rough[own][np.abs(rough[own]) < _WILD * max(spread, 1e-30)]
        if not len(kept):
            continue
        left = float(np.interp(level[own].mean(), clipping.seen, clipping.spread))
        at.append(np.interp(level[own].mean(), clipping.seen, clipping.restored) - middle)
        variance.append((np.mean(kept**2) - np.mean(known[own] ** 2)) / left / share)
        error.append(np.mean(kept**2) * np.sqrt(3 / len(kept)) / left / share + 1e-30)
    if len(at) < 3 or np.ptp(at) == 0:
        return NoiseLevel(
            at_mean=float(np.mean(rough**2) / share), slope=0.0, slope_error=np.inf, smoothing=smoothing
        )
    fitted, covariance = np.polyfit(at, variance, 1, w=1 / np.array(error), cov="unscaled")
    return NoiseLevel(
        at_mean=max(float(fitted[1]), 0.0),
        slope=float(fitted[0]),
        slope_error=float(np.sqrt(covariance[0, 0])),
        smoothing=smoothing,
    )


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
    return Unevenness(rms=float(np.sqrt(variance)), exponent=float(np.clip(exponent, 0.5, 6)))


def _smoothing(rest: Floats) -> float:
    """Standard deviation [px] of a Gaussian blur that would give white noise this spectrum."""
    power = np.abs(np.fft.rfft2(rest - rest.mean())) ** 2
    fy, fx = np.abs(np.fft.fftfreq(rest.shape[0]))[:, None], np.fft.rfftfreq(rest.shape[1])[None]
    low, high = _SMOOTHED
    square = fy**2 + fx**2
    fine = (fx > low) & (square < high**2 * 2)
    edges = np.linspace(low**2, 2 * high**2, 13)
    at, height, weight = [], [], []
    for first, last in pairwise(edges):
        ring = fine & (square >= first) & (square < last)
        if ring.sum() > 20:
            at.append(np.broadcast_to(square, ring.shape)[ring].mean())
            height.append(np.log(np.median(power[ring]) + 1e-30))
            weight.append(np.sqrt(ring.sum()))
    if len(at) < 3:
        return 0.0
    fall = -float(np.polyfit(at, height, 1, w=weight)[0])
    sigma = np.sqrt(max(fall, 0.0)) / (2 * np.pi)
    return float(sigma) if sigma > _LEAST_SMOOTHING else 0.0


def _left_by(kernel: Array, smoothing: float) -> float:
    """Variance that a kernel along rows leaves of white noise smoothed before."""
    f = np.fft.fftfreq(256)
    gauss = np.exp(-((2 * np.pi * smoothing * f) ** 2))
    return float((np.abs(np.fft.fft(kernel, 256)) ** 2 * gauss).mean() * gauss.mean())
