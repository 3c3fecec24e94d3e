"""Vibration of the beam against the specimen: how pixels were displaced, and more of the kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft, ndimage

from ...crystal.contrast import Floats, Mask

Array = NDArray[np.float64]
_ROWS = 96  # lags between rows that are looked at
_COLUMNS = 256  # px, lags along a row
_WINDOW = 4.0  # px along the row over which a covariance is averaged
_CLOSEST = 2  # px along the row; nearer pixels may share noise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vibration:
    """Covariance of the displacement of two pixels; hum of the mains, jitter of rows and slow drift all show.

    Parameters
    ----------
    covariance : (2, m, n) px², of displacements along y and along x, m − 1 rows and n − 1 pixels apart.
    """

    covariance: Array

    @property
    def rms(self) -> tuple[float, float]:
        """Root mean square displacement along y and x, px."""
        y, x = np.sqrt(np.maximum(self.covariance[:, 0, 0], 0))
        return float(y), float(x)

    def with_fast(self, variance: Array) -> Vibration:
        """The same with displacements that each pixel has on its own, their variance (2,) px²."""
        covariance = self.covariance.copy()
        covariance[:, 0, 0] += variance
        return Vibration(covariance=covariance)

    def displacement(self, shape: tuple[int, int], *, rng: Generator) -> Floats:
        """(2, y, x) px, how much farther down and right each pixel of a new image is sampled."""
        m, n = self.covariance.shape[1:]
        period = [
            fft.next_fast_len(max(size, lags) + lags, real=True)
            for size, lags in zip(shape, (m, n), strict=True)
        ]
        y, x = (np.minimum(np.arange(p), p - np.arange(p)) for p in period)
        near = (y < m)[:, None] & (x < n)
        drawn = []
        for own in self.covariance:
            lags = np.where(near, own[np.minimum(y, m - 1)[:, None], np.minimum(x, n - 1)], 0)
            power = np.maximum(fft.rfft2(lags).real, 0)
            # What was negative is no covariance: without it the variance must stay what it was.
            total = float(fft.irfft2(power, s=period)[0, 0])
            power *= max(float(own[0, 0]), 0) / max(total, 1e-30)
            noise = fft.rfft2(rng.normal(size=period))
            drawn.append(fft.irfft2(noise * np.sqrt(power), s=period)[: shape[0], : shape[1]])
        return np.asarray(drawn, np.float32)


def measure_vibration(rest: Floats, model: Floats, clear: Mask) -> Vibration:
    """What pairs of pixels say of the displacement, the noise of single pixels left out.

    Where the beam is off by u the image differs from the model by u times its slope.

    Parameters
    ----------
    rest, model : (n_channels, y, x), image less model, and the model.
    clear : (y, x), True where the model holds.
    """
    n_rows, n_columns = (
        min(lags, size // 2) for lags, size in zip((_ROWS, _COLUMNS), clear.shape, strict=True)
    )
    sums = np.zeros((5, n_rows, n_columns))
    for one, own in zip(rest, model, strict=True):
        down, right = np.gradient(own)
        spread = float(one[clear].var()) or 1.0
        for number, product in enumerate((down * one, right * one, down**2, right**2, down * right)):
            sums[number] += _lagged(product * clear / spread, n_rows, n_columns)
    kept = np.ones((n_rows, n_columns))
    kept[0, :_CLOSEST] = 0
    sums = ndimage.gaussian_filter1d(sums * kept, _WINDOW, axis=2, mode="mirror")
    told = sums[:2]
    normal = np.moveaxis(np.array([[sums[2], sums[4]], [sums[4], sums[3]]]), (0, 1), (2, 3))
    covariance = np.linalg.solve(normal, np.moveaxis(told, 0, -1)[..., None])[..., 0]
    covariance = np.moveaxis(covariance, -1, 0)
    # Far away nothing is known: there it fades.
    fade = np.cos(np.linspace(0, np.pi / 2, n_rows, endpoint=False))[:, None] ** 2
    fade = fade * np.cos(np.linspace(0, np.pi / 2, n_columns, endpoint=False)) ** 2
    covariance = covariance * fade
    for own in covariance:
        if own[0, 0] <= 0:
            own[:] = 0
    return Vibration(covariance=covariance)


def sample_displaced(signal: Floats, displacement: Floats) -> Floats:
    """(n, y, x), an image whose pixels were sampled farther down and right by (2, y, x) px."""
    y, x = np.indices(signal.shape[1:], dtype=np.float32)
    at = np.array([y + displacement[0], x + displacement[1]])
    return np.array([ndimage.map_coordinates(one, at, order=3, mode="mirror") for one in signal])


def _lagged(product: Array, n_rows: int, n_columns: int) -> Array:
    """Sum of products of pixels so many rows and pixels apart, on either side along the row."""
    shape = [
        fft.next_fast_len(size + lags, real=True)
        for size, lags in zip(product.shape, (n_rows, n_columns), strict=True)
    ]
    power = np.abs(fft.rfft2(product.astype(float), s=shape)) ** 2
    lags = fft.irfft2(power, s=shape)[:n_rows]
    left = np.roll(lags[:, ::-1], 1, axis=1)
    return np.asarray((lags + left)[:, :n_columns])
