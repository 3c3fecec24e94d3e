"""What the recording adds: contamination, electrons that come one by one, and whole numbers."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError

# Share of the beam that a column of brightness 1 sends to the detector.
SCATTERED = 0.05


def electrons_per_unit(dose: float, pixel_size: float) -> float:
    """How many electrons a pixel of value 1 records.

    Parameters
    ----------
    dose : e/Å²
    pixel_size : Å/px
    """
    return SCATTERED * dose * pixel_size**2


def add_dose_noise(
    pixels: NDArray[np.float64], *, dose: float, pixel_size: float, rng: Generator
) -> NDArray[np.float64]:
    """The image with Poisson noise, in the unit of the input; an infinite dose adds none.

    Parameters
    ----------
    pixels : (y, x), 1 = peak of the brightest column.
    dose : e/Å²
    pixel_size : Å/px
    """
    if not dose > 0:
        raise InputError(f"dose must be positive [e/Å²], got {dose:g}")
    if math.isinf(dose):
        return pixels
    gain = electrons_per_unit(dose, pixel_size)
    return rng.poisson(np.maximum(pixels, 0) * gain) / gain


def smooth_background(shape: tuple[int, int], *, length: float, rng: Generator) -> NDArray[np.float64]:
    """A smooth random background between 0 and 1.

    Parameters
    ----------
    shape : (y, x) px
    length : px, the standard deviation of the Gaussian that smooths it.
    """
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.normal(size=shape), length, mode="reflect", truncate=3.0)
    span = np.ptp(field)
    return np.asarray((field - field.min()) / (span if span > 0 else 1.0))


def quantise(pixels: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """The image as whole numbers from 0 to 2**bits − 1, its range stretched over them."""
    if not 1 <= bits <= 16:
        raise InputError(f"bits must be 1 to 16 (0: none), got {bits}")
    span = np.ptp(pixels)
    return np.asarray(np.round((pixels - pixels.min()) / (span if span > 0 else 1.0) * (2**bits - 1)))
