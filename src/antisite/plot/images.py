"""Pictures of an image: grey levels for the eye, and a veil over what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from .figures import own_axes
from .scale_bars import draw_scale_bar, place_scale_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VEIL, STRIPE = (150, 160, 175, 170), (255, 255, 255, 170)  # columns are white too: stripes are none
_STRIPES = 40  # along the longer side
_DETAIL = 1024  # px, in which seams are told from areas
_ENOUGH = 1600  # px, more than this a picture does not show


def grey_levels(
    pixels: NDArray[np.float32],
    *,
    mask: NDArray[np.bool_] | None = None,
    percentiles: tuple[float, float] = (0.3, 99.8),
) -> NDArray[np.uint8]:
    """Eight-bit grey levels between two percentiles of the pixels that count; for display only.

    Parameters
    ----------
    pixels : (y, x), any unit.
    mask : (y, x), True where a pixel does not count.
    percentiles : of the pixels that become black and white.
    """
    seen = pixels[~mask] if mask is not None and not mask.all() else pixels
    low, high = np.percentile(seen, percentiles)
    span = high - low if high > low else 1.0
    return np.asarray(np.clip((pixels - low) / span, 0, 1) * 255 + 0.5).astype(np.uint8)


def shrink(pixels: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means over blocks of `factor` × `factor` px; what does not fill a block at the far edges goes."""
    ny, nx = (n // factor for n in pixels.shape)
    blocks = pixels[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def left_out(
    image: Image, domain: NDArray[np.generic] | None = None, *, thin: float = 0.0
) -> NDArray[np.bool_]:
    """(y, x), True where pixels were masked or lie in no crystal, which is where `domain` is negative.

    Parameters
    ----------
    thin : px, width of seams without a crystal, and of specks, that do not count; masked pixels always do.
    """
    if domain is None or domain.shape != image.shape:
        return image.mask
    lost = np.asarray(image.mask | (domain.astype(np.int16) < 0))
    factor = max(max(lost.shape) // _DETAIL, 1)
    size = min(round(thin / factor), *image.shape)
    if size < 2 or not lost.any():
        return lost
    from scipy.ndimage import grey_opening, label

    beyond = np.pad(lost[::factor, ::factor], size, mode="edge")  # what reaches the frame goes on behind it
    wide = grey_opening(beyond.view(np.uint8), size=(size, size))[size:-size, size:-size]
    pieces, n = label(wide)
    large = np.bincount(pieces.ravel(), minlength=n + 1) > (thin / factor) ** 2
    large[0] = False
    kept = large[pieces].repeat(factor, 0).repeat(factor, 1)[: lost.shape[0], : lost.shape[1]]
    return np.asarray(image.mask | (lost & kept))


def veil(dim: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(y, x, 4) a half-opaque striped sheet over the pixels that were left out."""
    y, x = np.ogrid[: dim.shape[0], : dim.shape[1]]
    period = max(max(dim.shape) / _STRIPES, 4.0)
    striped = (x + y) % period < period / 3.5
    sheet = np.where(striped[..., None], np.array(STRIPE), np.array(VEIL))
    return np.asarray(sheet * dim[..., None], dtype=np.uint8)


def shown_levels(image: Image, channel: int = 0, *, factor: int = 1) -> NDArray[np.uint8]:
    """(y // factor, x // factor) grey levels of one channel; masked pixels do not set them."""
    ny, nx = (n // factor * factor for n in image.shape)
    mask = image.mask[:ny:factor, :nx:factor]
    return grey_levels(shrink(image.channels[channel], factor), mask=mask)


def plot_image(
    image: Image,
    *,
    channel: int = 0,
    dim: NDArray[np.bool_] | None = None,
    bar: bool = True,
    pixel_size: float | None = None,
    avoid: NDArray[np.float64] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One channel in grey, with a scale bar; what was left out lies under a veil.

    Parameters
    ----------
    image : the pixels, (y, x).
    channel : which detector.
    dim : (y, x), True under the veil; the mask of the image if not given.
    bar : draw the scale bar.
    pixel_size : Å/px of the bar; that of the image if not given.
    avoid : (N, 2) px as (y, x), what the bar had better not cover.
    ax : where to draw.
    """
    ax = own_axes(ax, 6, 6 * image.shape[0] / image.shape[1])
    dim = image.mask if dim is None else dim
    factor = min(max(max(image.shape) // _ENOUGH, 1), *image.shape)
    ny, nx = (n // factor * factor for n in image.shape)
    extent = (-0.5, nx - 0.5, ny - 0.5, -0.5)
    grey = shown_levels(image, channel, factor=factor)
    ax.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="antialiased", extent=extent)
    if dim.any():
        ax.imshow(veil(dim[:ny:factor, :nx:factor]), interpolation="nearest", extent=extent)
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.set_axis_off()
    if bar:
        scale = image.pixel_size if pixel_size is None else pixel_size
        draw_scale_bar(ax, place_scale_bar(image.shape, scale, avoid=avoid))
    return ax
