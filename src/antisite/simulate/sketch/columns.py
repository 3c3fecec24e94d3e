"""One round Gaussian for each column, and what an instrument records of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...conditions import Conditions
from ...image import Image
from ..crystals.crystal import Crystal
from ..recording.dose_noise import add_dose_noise, quantise, smooth_background

REACH = 5.0  # standard deviations; beyond it a Gaussian is below 4e-6 of its peak
_CHUNK = 4_000_000  # pixels of Gaussian held at once


def draw_columns(
    positions: NDArray[np.floating],
    peaks: NDArray[np.floating],
    *,
    shape: tuple[int, int],
    sigma: float,
    row_shift: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """The sum of one round Gaussian per column, sampled at the pixel centres.

    Parameters
    ----------
    positions : (N, 2) px (y, x), inside the frame or not.
    peaks : (N,) height of each Gaussian.
    shape : (y, x) px
    sigma : px, standard deviation.
    row_shift : (y,) px, how far to the right each row was sampled; none by default.

    Returns
    -------
    NDArray
        (y, x)
    """
    height, width = shape
    shift = np.zeros(height) if row_shift is None else np.asarray(row_shift, dtype=float)
    reach = math.ceil(REACH * sigma + np.abs(shift).max(initial=0)) + 1
    near = ((positions > -reach) & (positions < np.array(shape) + reach)).all(axis=1) & (peaks != 0)
    positions, peaks = positions[near], peaks[near]
    image = np.zeros(height * width)
    step = max(1, _CHUNK // (2 * reach + 1) ** 2)
    window = np.arange(-reach, reach + 1)
    for start in range(0, len(positions), step):
        chosen = positions[start : start + step]
        corner = np.round(chosen).astype(np.intp)
        rows = (corner[:, :1] + window)[:, :, None]
        cols = (corner[:, 1:] + window)[:, None, :]
        seen = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        dx = cols + shift[np.clip(rows, 0, height - 1)] - chosen[:, 1, None, None]
        dy = rows - chosen[:, 0, None, None]
        values = peaks[start : start + step, None, None] * np.exp(-(dy**2 + dx**2) / (2 * sigma**2))
        pixels = np.broadcast_to(rows * width + cols, seen.shape)[seen]
        image += np.bincount(pixels, values[seen], minlength=image.size)
    return image.reshape(shape)


def record_columns(
    positions: NDArray[np.floating],
    brightness: NDArray[np.floating],
    crystal: Crystal,
    *,
    shape: tuple[int, int],
    pixel_size: float,
    blur: float = 0.3,
    dose: float = math.inf,
    jitter: float = 0.0,
    contamination: float = 0.0,
    bits: int = 0,
    rngs: Sequence[Generator],
) -> Image:
    """What the instrument records of columns at given places.

    Parameters
    ----------
    positions : (N, 2) px (y, x), where the columns appear (drift included).
    brightness : (N,) peak of each before blur, 1 = the brightest column.
    crystal : whose columns they are.
    shape : (y, x) px
    pixel_size : Å/px
    blur, dose, jitter, contamination, bits : as in `sketch_image`.
    rngs : three generators: of the rows' shifts, of the contamination and of the dose.

    Returns
    -------
    Image
        Of float32; 1 = peak of the brightest column before blur.
    """
    for_rows, for_background, for_dose = rngs
    sigma = math.hypot(crystal.width, blur)
    pixels = draw_columns(
        positions,
        brightness * (crystal.width / sigma) ** 2,
        shape=shape,
        sigma=sigma / pixel_size,
        row_shift=for_rows.normal(0, jitter, shape[0]),
    )
    if contamination:
        length = min(20 / pixel_size, max(shape) / 4)
        pixels += contamination * smooth_background(shape, length=length, rng=for_background)
    pixels = add_dose_noise(pixels, dose=dose, pixel_size=pixel_size, rng=for_dose)
    if bits:
        pixels = quantise(pixels, bits)
    return Image(
        pixels.astype(np.float32),
        pixel_size=pixel_size,
        conditions=Conditions(dose=math.nan if math.isinf(dose) else dose),
        name=f"simulated_{crystal.name}",
    )
