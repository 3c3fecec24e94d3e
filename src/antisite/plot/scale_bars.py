"""Scale bars: how long, what they say, and where they hide the least."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .figures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EDGE, _THICK, _GAP = 1.25, 0.36, 0.4  # of the height of the letters
_LETTER = 0.62  # mean width of a letter, of its height


@dataclass(frozen=True, slots=True)
class BarPlace:
    """A bar with its words above it, inside an image; everything in px.

    Parameters
    ----------
    x, y : upper left corner of the bar.
    length, thick : of the bar.
    words : its length, said.
    size : height of the letters.
    words_x, words_y : middle of the foot of the words.
    """

    x: float
    y: float
    length: float
    thick: float
    words: str
    size: float
    words_x: float
    words_y: float


def scale_bar(shape: tuple[int, int], pixel_size: float = math.nan) -> tuple[float, str]:
    """Length [px] and words of a bar about a fifth of the width: 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    shape : (y, x) px.
    pixel_size : Å/px; NaN gives a bar in pixels.

    Examples
    --------
    >>> scale_bar((512, 512), 0.4)
    (125.0, '5 nm')
    >>> scale_bar((512, 512))
    (100.0, '100 px')
    """
    known = not math.isnan(pixel_size)
    unit = 10 / pixel_size if known else 1.0
    longest = max(shape[1] * 0.26 / unit, 1e-12)
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(step for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9)) * power
    return length * unit, f"{length:g} {'nm' if known else 'px'}"


def place_scale_bar(
    shape: tuple[int, int], pixel_size: float = math.nan, *, avoid: NDArray[np.float64] | None = None
) -> BarPlace:
    """The bar in the corner with the fewest points, lower left where corners are equal.

    Parameters
    ----------
    shape : (y, x) px.
    pixel_size : Å/px; NaN gives a bar in pixels.
    avoid : (N, 2) px as (y, x), what the bar had better not cover.
    """
    ny, nx = shape
    length, words = scale_bar(shape, pixel_size)
    size = min(0.028 * max(ny, nx), 0.11 * nx, 0.16 * ny)
    wide, high = max(length, _LETTER * len(words) * size), (1 + _GAP + _THICK) * size
    edge = _EDGE * size
    points = np.zeros((0, 2)) if avoid is None else avoid
    corners = [(y, x) for y in (ny - edge - high, edge) for x in (edge, nx - edge - wide)]
    hidden = [
        int((np.abs(points - (y + high / 2, x + wide / 2)) < (high / 2 + size, wide / 2 + size)).all(1).sum())
        for y, x in corners
    ]
    top, left = corners[int(np.argmin(hidden))]
    middle = left + wide / 2 - 0.5  # pixels have their centres at integers
    return BarPlace(
        x=middle - length / 2,
        y=top + (1 + _GAP) * size - 0.5,
        length=length,
        thick=_THICK * size,
        words=words,
        size=size,
        words_x=middle,
        words_y=top + size - 0.5,
    )


def draw_scale_bar(ax: Axes, place: BarPlace, *, dark: bool = False) -> Axes:
    """A white bar with a dark rim, or the other way round, and its words above it, on axes in px."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    ax.apply_aspect()
    px = ax.get_window_extent().height / abs(
        np.subtract(*ax.get_ylim())
    )  # of the screen, for one of the image
    points = place.size * px * 72 / ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    colour, edge = (INK, "white") if dark else ("white", "black")
    rim = [withStroke(linewidth=2.6, foreground=edge, alpha=0.85)]
    bar = Rectangle((place.x, place.y), place.length, place.thick, facecolor=colour, linewidth=0, zorder=11)
    bar.set(gid="scale-bar", path_effects=rim)
    ax.add_patch(bar)
    text = ax.text(place.words_x, place.words_y, place.words, color=colour, size=points, weight="bold")
    text.set(ha="center", va="baseline", zorder=12, path_effects=rim, gid="scale-words")
    return ax
