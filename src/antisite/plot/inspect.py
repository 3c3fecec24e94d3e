"""What lattice is seen: a piece of the image, its mean cell, and its diffraction with the lattice on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from ..result import Result
from .defects import not_analysed, pixel_scale
from .figures import INK, QUIET, figure_png, new_figure, own_axes
from .images import plot_image
from .motif import plot_motif

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPOTS = ("#56b4e9", "#e69f00", "#2ca02c", "#cc79a7")


def plot_spectrum(
    image: Image,
    lattices: Sequence[NDArray[np.float64]] = (),
    *,
    channel: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """The power of every spatial frequency, with rings where lattices want their reflections.

    Parameters
    ----------
    image : the pixels; the middle square of at most 1024 px is used.
    lattices : [[ay, ax], [by, bx]] px each, each with rings of its own colour.
    channel : which detector.
    ax : where to draw; axes in cycles/px, y downward.
    """
    ax = own_axes(ax, 4, 4)
    power = _power(_middle(image.channels[channel], 1024))
    first = -(len(power) // 2 + 0.5) / len(power)
    ax.imshow(power, cmap="gray", extent=(first, first + 1, first + 1, first), interpolation="antialiased")
    reach = 0.5
    spots = [reflections(vectors) for vectors in lattices]
    if spots:
        reach = min(0.5, 1.12 * float(np.linalg.norm(np.concatenate(spots), axis=1).max()))
    for number, own in enumerate(spots):
        colour = SPOTS[number % len(SPOTS)]
        ax.plot(*own[:, ::-1].T, "o", ms=13, mfc="none", mec=colour, mew=1.1, gid="reflections")
    ax.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal")
    ax.set_axis_off()
    return ax


def reflections(vectors: NDArray[np.float64], *, order: int = 2) -> NDArray[np.float64]:
    """(N, 2) cycles/px as (y, x): reflections h a* + k b* up to an order, without the centre, |g| < ½."""
    star = np.linalg.inv(vectors).T
    h, k = np.mgrid[-order : order + 1, -order : order + 1].reshape(2, -1)
    spots = np.stack([h, k], axis=1)[(h != 0) | (k != 0)] @ star
    longest = order * np.linalg.norm(star, axis=1).max()
    length = np.linalg.norm(spots, axis=1)
    return np.asarray(spots[(length < 0.5) & (length < 1.001 * longest)])


def _middle(pixels: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    side = min(*pixels.shape, longest)
    y, x = ((n - side) // 2 for n in pixels.shape)
    return pixels[y : y + side, x : x + side]


def _power(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logarithm of the power between its median and its 99.97th percentile, 0 to 1; frequency 0 at n // 2."""
    n = len(pixels)
    window = np.hanning(n)[:, None] * np.hanning(n)
    power = np.abs(np.fft.fftshift(np.fft.fft2((pixels - pixels.mean()) * window))) ** 2
    shown = np.log10(power + power.max() * 1e-12 + 1e-30)
    low, high = np.percentile(shown, [50, 99.97])
    return np.asarray(np.clip((shown - low) / max(high - low, 1e-9), 0, 1))


def _piece(result: Result) -> tuple[slice, slice]:
    """The middle of the image, about a dozen spacings wide (all of it when no lattice is known)."""
    if not result.nearest:
        return slice(None), slice(None)
    side = min(*result.image.shape, max(64, round(26 * result.nearest)))
    y, x = ((n - side) // 2 for n in result.image.shape)
    return slice(y, y + side), slice(x, x + side)


def inspect_png(result: Result) -> bytes:
    """The picture of `antisite inspect`: a piece of the image, its mean cell, and its diffraction."""
    grains = result.grains
    lattices = [np.array(grain["lattice"]["vectors"], dtype=float) for grain in grains]
    figure = new_figure(12.6, 4.5)
    image_ax, motif_ax, spectrum_ax = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.012, right=0.988, bottom=0.015, top=0.91, wspace=0.05)
    region = _piece(result)
    dim = not_analysed(result)[region]
    plot_image(result.image.crop(region), dim=dim, pixel_size=pixel_scale(result), ax=image_ax)
    motif = result.maps.get("motif")
    if grains and motif is not None:
        plot_motif(motif, lattices[0], sublattices=grains[0]["sublattices"], ax=motif_ax)
    else:
        motif_ax.text(0.5, 0.5, "no lattice found", ha="center", va="center", size=13, color=QUIET)
        motif_ax.set_axis_off()
    plot_spectrum(result.image, lattices, ax=spectrum_ax)
    titles = (
        "image" if region[0] == slice(None) else "the middle of the image",
        "mean cell" + " of the largest grain" * (len(grains) > 1),
        "diffraction" + f", {len(grains)} lattices" * (len(grains) > 1),
    )
    for ax, title in zip((image_ax, motif_ax, spectrum_ax), titles, strict=True):
        figure.text(ax.get_position(original=True).x0, 0.935, title, size=11, color=INK)
    return figure_png(figure, dpi=130)
