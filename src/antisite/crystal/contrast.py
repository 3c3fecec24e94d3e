"""Pixels made comparable: clipped, centred, freed of slow background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
_WILD = 3.0


def standardise(pixels: Floats, mask: Mask) -> Floats:
    """Clip wild pixels, subtract the median, divide by the standard deviation.

    Wild is what lies three times as far from the median as 99.98 % of the pixels: a very bright
    column is not wild.

    Parameters
    ----------
    pixels : (y, x)
    mask : (y, x), True where pixels are ignored; they become 0.
    """
    sample = pixels[~mask] if mask.any() else pixels
    low, middle, high = np.quantile(
        sample.ravel()[:: max(1, sample.size // 1_000_000)], (0.0002, 0.5, 0.9998)
    )
    scaled = np.clip(pixels - np.float32(middle), _WILD * (low - middle), _WILD * (high - middle))
    spread = float(scaled[~mask].std()) if mask.any() else float(scaled.std())
    scaled /= np.float32(spread or 1.0)
    scaled[mask] = 0
    return np.asarray(scaled, dtype=np.float32)


def blur(pixels: Floats, *, sigma: float) -> Floats:
    """Gaussian blur, the image mirrored at its frame.

    Parameters
    ----------
    pixels : (y, x)
    sigma : px
    """
    margin = 2 * int(np.ceil(3.3 * sigma))
    shape = [fft.next_fast_len(n + margin, real=True) for n in pixels.shape]
    padded = np.empty(shape, dtype=np.float32)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    # what follows the last row belongs half to the end and, wrapped round, half to the start
    for axis, n in enumerate(pixels.shape):
        rows = np.moveaxis(padded, axis, 0)
        extra = shape[axis] - n
        back = extra // 2
        rows[n : n + extra - back] = rows[_mirror(np.arange(n, n + extra - back), n)]
        rows[n + extra - back :] = rows[_mirror(np.arange(-back, 0), n)]
    fy, fx = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None]
    spectrum = fft.rfft2(padded)
    spectrum *= np.exp(-2 * (np.pi * sigma * fy) ** 2).astype(np.float32)
    spectrum *= np.exp(-2 * (np.pi * sigma * fx) ** 2).astype(np.float32)
    return np.ascontiguousarray(fft.irfft2(spectrum, shape)[: pixels.shape[0], : pixels.shape[1]])


def _mirror(index: NDArray[np.int_], n: int) -> NDArray[np.int_]:
    folded = np.mod(index, 2 * n)
    return np.where(folded < n, folded, 2 * n - 1 - folded)


def blur_within(pixels: Floats, mask: Mask, *, sigma: float) -> Floats:
    """Gaussian blur that takes nothing from masked pixels."""
    if not mask.any():
        return blur(pixels, sigma=sigma)
    good = (~mask).astype(np.float32)
    return np.asarray(
        blur(pixels * good, sigma=sigma) / np.maximum(blur(good, sigma=sigma), np.float32(1e-3))
    )


def flatten(pixels: Floats, mask: Mask, *, sigma: float) -> Floats:
    """The image without what varies more slowly than a Gaussian of `sigma` px; masked pixels become 0."""
    flat = pixels - blur_within(pixels, mask, sigma=sigma)
    flat[mask] = 0
    return flat
