"""An image beside the one simulated to be like it: pixels, spectra, histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from .figures import INK, QUIET, calm, figure_png, new_figure, own_axes
from .images import plot_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = ("image", "simulated")
_COLOURS = (INK, "#d55e00")
_SHOWN = 256  # px, of the middle of each image
_FINEST = 1.1  # 1/Å, beyond lies noise only
_LEVELS = 96  # of a histogram
_PANEL = 3.2  # inches
Floats = NDArray[np.float64]


def power_spectrum(pixels: NDArray[np.floating]) -> Floats:
    """(y, x) mean square for each wave, wave 0 in the middle; the edges of the image faded out.

    Parameters
    ----------
    pixels : (y, x), any unit; scaled to mean 0 and standard deviation 1.
    """
    values = np.asarray(pixels, np.float64)
    values = (values - values.mean()) / max(float(values.std()), 1e-30)
    fade = np.hanning(values.shape[0] + 2)[1:-1, None] * np.hanning(values.shape[1] + 2)[1:-1]
    waves = np.fft.fftshift(np.fft.fft2(values * fade))
    return np.asarray(np.abs(waves) ** 2 / (fade**2).sum())


def radial_mean(spectrum: Floats, n: int = 128) -> tuple[Floats, Floats]:
    """Frequency [1/px] and mean of a spectrum over rings up to ½ 1/px; empty rings left out."""
    fy, fx = (np.fft.fftshift(np.fft.fftfreq(size)) for size in spectrum.shape)
    ring = (np.hypot(fy[:, None], fx) * 2 * n).astype(int).ravel()
    inside = ring < n
    count = np.bincount(ring[inside], minlength=n)
    total = np.bincount(ring[inside], spectrum.ravel()[inside], minlength=n)
    there = count > 0
    return (np.arange(n)[there] + 0.5) / (2 * n), total[there] / count[there]


def plot_spectrum(image: Image, *, channel: int = 0, ax: Axes | None = None) -> Axes:
    """The power spectrum of one channel in grey, on a logarithmic scale from its noise up.

    Parameters
    ----------
    channel : which detector.
    ax : where to draw.
    """
    ax = own_axes(ax)
    power = np.log10(np.maximum(power_spectrum(image.channels[channel]), 1e-12))
    low, high = np.percentile(power, (50, 99.97))
    ax.imshow(power, cmap="gray", vmin=low, vmax=max(high, low + 1e-3), extent=(-0.5, 0.5, 0.5, -0.5))
    reach = 0.5 if math.isnan(image.pixel_size) else min(0.5, _FINEST * image.pixel_size)
    ax.set(xlim=(-reach, reach), ylim=(reach, -reach))
    ax.set_axis_off()
    return ax


def share_greys(panels: Sequence[Axes]) -> None:
    """Give panels of one picture each the same grey scale, from the lowest of their limits to the highest."""
    pictures = [ax.images[0] for ax in panels]
    lows, highs = zip(*(picture.get_clim() for picture in pictures), strict=True)
    for picture in pictures:
        picture.set_clim(min(lows), max(highs))


def plot_histograms(images: tuple[Image, Image], *, channel: int = 0, ax: Axes | None = None) -> Axes:
    """How often which value occurs in the image and in its twin.

    Parameters
    ----------
    images : the image and its twin.
    """
    ax = own_axes(ax)
    values = [image.channels[channel][~image.mask] for image in images]
    low = min(float(np.percentile(one, 0.05)) for one in values)
    high = max(float(np.percentile(one, 99.95)) for one in values)
    if all((one == np.rint(one)).all() for one in values):  # as many whole numbers in each
        step = max(math.ceil((high - low) / _LEVELS), 1)
        bins = np.arange(math.floor(low), high + step + 1, step) - 0.5
    else:
        bins = np.linspace(low, high if high > low else low + 1, _LEVELS + 1)
    for one, name, colour in zip(values, NAMES, _COLOURS, strict=True):
        ax.hist(one, bins=list(bins), density=True, histtype="step", color=colour, label=name, linewidth=1.4)
    ax.set(xlabel="value", yticks=[], xlim=(bins[0], bins[-1]))
    ax.locator_params(axis="x", nbins=5)
    return _finish(ax)


def plot_radial_spectra(images: tuple[Image, Image], *, channel: int = 0, ax: Axes | None = None) -> Axes:
    """The power spectra of the image and of its twin, averaged over directions.

    Parameters
    ----------
    images : the image and its twin.
    """
    ax = own_axes(ax)
    known = not any(math.isnan(image.pixel_size) for image in images)
    for image, name, colour in zip(images, NAMES, _COLOURS, strict=True):
        frequency, power = radial_mean(power_spectrum(image.channels[channel]))
        scale = image.pixel_size if known else 1.0
        ax.semilogy(frequency / scale, np.maximum(power, 1e-12), color=colour, label=name, linewidth=1.2)
    ax.set(xlabel=f"frequency [1/{'Å' if known else 'px'}]", ylabel="power", xlim=(0, None))
    return _finish(ax)


def twins_png(image: Image, simulated: Image, *, dpi: float = 150) -> bytes:
    """The picture `twins.png`: for every detector both images, their spectra, and how they compare.

    The middle of each image is shown, in grey levels of its own; the spectra share theirs.
    """
    images, n = (image, simulated), image.n_channels
    figure = new_figure(3 * _PANEL, 2 * n * _PANEL, snug=True)
    axes = figure.subplots(2 * n, 3, squeeze=False)
    for channel in range(n):
        upper, lower = axes[2 * channel], axes[2 * channel + 1]
        for column, (one, name) in enumerate(zip(images, NAMES, strict=True)):
            plot_image(_middle(one), channel=channel, ax=upper[column])
            upper[column].set_title(name, size=10, color=INK)
            plot_spectrum(one, channel=channel, ax=lower[column])
        share_greys(lower[:2])
        plot_histograms(images, channel=channel, ax=upper[2])
        plot_radial_spectra(images, channel=channel, ax=lower[2])
    return figure_png(figure, dpi=dpi)


def _finish(ax: Axes) -> Axes:
    calm(ax)
    ax.legend(frameon=False, fontsize=8, labelcolor=QUIET)
    return ax


def _middle(image: Image) -> Image:
    """The middle of an image, as a smaller one."""
    y, x = (slice((size - min(size, _SHOWN)) // 2, (size + min(size, _SHOWN)) // 2) for size in image.shape)
    return image.crop((y, x))
