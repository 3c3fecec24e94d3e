"""What is in a simulated image, drawn over it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from ..defects import KINDS, path_text
from ..image import Image
from ..simulate.truth.truth import Truth, thinned
from .defects import draw_legend, draw_marks, kind_handle, kind_words, legend_columns
from .figures import INK, figure_png, new_figure, own_axes
from .images import plot_image

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MOST_NAMES = 3  # elements that are named for one kind
_PANEL = 5.5  # inches


def true_defects(truth: Truth) -> pd.DataFrame:
    """The defects of a truth with the fields that drawings need: points, then lines, then dislocations."""
    points = truth.defects[["kind", "species", "y", "x"]].assign(path="")
    lines = [
        {"kind": line.kind, "path": path_text(thinned(line.path)), "y": y, "x": x, "species": ""}
        for line in truth.lines
        for y, x in [line.path.mean(axis=0)]
    ]
    cores = [
        {"kind": "dislocation", "path": "", "y": core.position[0], "x": core.position[1], "species": ""}
        for core in truth.cores
    ]
    if lines or cores:
        points = pd.concat([points, pd.DataFrame([*lines, *cores])], ignore_index=True)
    return points.assign(id=range(len(points)))


def plot_truth(image: Image, truth: Truth, *, channel: int = 0, ax: Axes | None = None) -> Axes:
    """One detector's image in grey, a mark around every true defect, and a scale bar.

    Parameters
    ----------
    channel : which detector.
    ax : where to draw.
    """
    ax = own_axes(ax, 6, 6 * image.shape[0] / image.shape[1])
    defects = true_defects(truth)
    plot_image(image, channel=channel, avoid=defects[["y", "x"]].to_numpy(), ax=ax)
    spacing = 0.0 if math.isnan(truth.spacing) else truth.spacing
    return draw_marks(ax, defects, max(0.62 * spacing, 0.006 * max(image.shape)))


def truth_handles(truth: Truth) -> list[Artist]:
    """One mark with the words, the count and the elements of each kind, or that there is none."""
    from matplotlib.lines import Line2D

    defects = true_defects(truth)
    handles: list[Artist] = []
    for kind in KINDS:
        own = defects[defects["kind"] == kind]
        if len(own):
            handles.append(kind_handle(kind, f"{kind_words(kind, len(own))}{_species(own)}  {len(own):,}"))
    return handles or [Line2D([], [], linestyle="none", label="no defects")]


def simulated_png(image: Image, truth: Truth, *, longest: int = 1600) -> bytes:
    """The picture `picture.png`: every detector's image with the true defects, named and counted below.

    Parameters
    ----------
    longest : px, of the wider side of each panel.
    """
    ny, nx = image.shape
    wide, high = _PANEL * min(nx / ny, 1.0), _PANEL * min(ny / nx, 1.0)
    n = image.n_channels
    page = max(n * wide + 0.1 * (n - 1), 3.2)
    handles = truth_handles(truth)
    ncols = legend_columns(handles, page)
    top, strip = (0.28 if n > 1 else 0.0), 0.15 + 0.25 * math.ceil(len(handles) / ncols)
    figure = new_figure(page, high + top + strip)
    for channel in range(n):
        left = (page - n * wide - 0.1 * (n - 1)) / 2 + channel * (wide + 0.1)
        box = (left / page, strip / (high + top + strip), wide / page, high / (high + top + strip))
        ax = plot_truth(image, truth, channel=channel, ax=figure.add_axes(box))
        if n > 1:
            ax.set_title(_detector_words(image, channel), size=10, color=INK)
    draw_legend(figure, handles, ncols=ncols, anchor=(0.5, 0), loc="lower center")
    return figure_png(figure, dpi=longest / _PANEL)


def _species(defects: pd.DataFrame) -> str:
    names = [name for name in dict.fromkeys(defects["species"]) if name]
    more = ", …" if len(names) > _MOST_NAMES else ""
    return f" ({', '.join(names[:_MOST_NAMES])}{more})" if names else ""


def _detector_words(image: Image, channel: int) -> str:
    if channel >= len(image.conditions.detectors):
        return f"detector {channel + 1}"
    ring = image.conditions.detectors[channel]
    return f"{ring.inner:g} to {ring.outer:g} mrad"
