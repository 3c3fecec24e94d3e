"""Images without a crystal: nothing is to be found in them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..image import Image
from .sketch.columns import draw_columns


def white_noise(shape: tuple[int, int] = (256, 256), *, rng: int | Generator | None = None) -> Image:
    """Independent normal pixels.

    Parameters
    ----------
    shape : (y, x) px
    """
    return Image(np.random.default_rng(rng).normal(size=shape).astype(np.float32), name="white_noise")


def pink_noise(
    shape: tuple[int, int] = (256, 256), *, exponent: float = 1.0, rng: int | Generator | None = None
) -> Image:
    """Noise whose amplitude falls as 1/frequency**exponent, as scan and background noise do.

    Parameters
    ----------
    shape : (y, x) px
    """
    generator = np.random.default_rng(rng)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.normal(size=shape)) / frequency**exponent
    pixels = np.fft.irfft2(spectrum, s=shape)
    return Image((pixels / pixels.std()).astype(np.float32), name="pink_noise")


def amorphous_film(
    shape: tuple[int, int] = (256, 256),
    *,
    spacing: float = 10.0,
    noise: float = 0.1,
    rng: int | Generator | None = None,
) -> Image:
    """Blobs packed at random, no two closer than a distance: a ring in the power spectrum, no spots.

    Parameters
    ----------
    shape : (y, x) px
    spacing : px, the least distance of two blobs.
    noise : standard deviation of the white noise, 1 = height of a blob.
    """
    generator = np.random.default_rng(rng)
    blobs = _random_packing(shape, spacing, generator)
    heights = generator.normal(1.0, 0.1, len(blobs))
    pixels = draw_columns(blobs, heights, shape=shape, sigma=0.25 * spacing)
    pixels += generator.normal(0, noise, shape)
    return Image(pixels.astype(np.float32), name="amorphous_film")


def phase_randomised(image: Image, *, rng: int | Generator | None = None) -> Image:
    """The image with its power spectrum kept and its phases drawn at random.

    A crystal stays periodic (its spots stay), but whatever was at one place is spread over the image.
    All channels get the same phases.

    Parameters
    ----------
    image : any image; its mask is dropped.
    """
    noise = np.fft.rfft2(np.random.default_rng(rng).normal(size=image.shape))
    phases = noise / np.abs(noise)
    phases[0, 0] = 1
    channels = np.fft.irfft2(np.fft.rfft2(image.channels) * phases, s=image.shape)
    return Image(
        channels.astype(np.float32), pixel_size=image.pixel_size, name=f"phase_randomised_{image.name}"
    )


def _random_packing(shape: tuple[int, int], spacing: float, rng: Generator) -> NDArray[np.float64]:
    """(N, 2) px, points no two of which are closer than `spacing`, thrown until hardly any more fits."""
    from scipy.spatial import cKDTree

    low, high = np.full(2, -spacing), np.array(shape) + spacing
    kept = np.zeros((0, 2))
    for _ in range(12):
        thrown = rng.uniform(low, high, (int(4 * np.prod(high - low) / spacing**2), 2))
        if len(kept):
            thrown = thrown[cKDTree(kept).query(thrown)[0] >= spacing]
        kept = np.vstack([kept, _thin(thrown, spacing)])
    return kept


def _thin(points: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """The points that are no neighbour of an earlier one that is kept."""
    from scipy.spatial import cKDTree

    alive = np.ones(len(points), dtype=bool)
    for first, second in sorted(map(tuple, cKDTree(points).query_pairs(spacing, output_type="ndarray"))):
        if alive[first]:
            alive[second] = False
    return points[alive]
