"""Figures that belong to nobody's session: made, drawn and turned into bytes without pyplot."""

from __future__ import annotations

import re
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
QUIET = "#6b7785"
PAPER = "#ffffff"
CHART = (4.5, 2.6)  # inches
_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif"
_SVG: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "antisite"}


def new_figure(width: float, height: float, *, snug: bool = False) -> Figure:
    """An empty figure of `width` × `height` inches that no window and no global state knows.

    A `snug` one fits axes and legends to its edges when drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout: Literal["constrained"] | None = "constrained" if snug else None
    figure = Figure(figsize=(width, height), facecolor=PAPER, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def own_axes(ax: Axes | None, width: float = 5.0, height: float = 5.0) -> Axes:
    """`ax` itself, or the only axes of a new figure."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def figure_png(figure: Figure, *, dpi: float = 150) -> bytes:
    """The figure as PNG; the same figure gives the same bytes."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


def figure_png_small(figure: Figure, *, dpi: float = 150) -> bytes:
    """The figure as PNG of 256 colours: a third of the bytes and of the time where an image fills it."""
    from PIL import Image

    canvas: Any = figure.canvas
    figure.set_dpi(dpi)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    out = BytesIO()
    few.save(out, format="PNG")
    return out.getvalue()


def new_chart(size: tuple[float, float] = CHART) -> tuple[Figure, Axes]:
    """A figure and its axes, with the margins that all charts of a page share."""
    width, height = size
    figure = new_figure(width, height)
    figure.subplots_adjust(left=0.58 / width, right=1 - 0.14 / width, bottom=0.46 / height)
    return figure, figure.add_subplot()


def chart_svg(figure: Figure) -> str:
    """A chart as SVG in the letters of the page around it; the same chart gives the same text.

    Room for the rows of the legend is made above the axes.
    """
    import matplotlib as mpl

    legend = figure.axes[0].get_legend()
    rows = -(-len(legend.get_texts()) // 3) if legend else 0
    figure.subplots_adjust(top=1 - (0.12 + 0.18 * rows) / figure.get_size_inches()[1])
    file = StringIO()
    unsaid = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context(_SVG):
        figure.savefig(file, format="svg", metadata=unsaid)
    return re.sub(r"'DejaVu Sans'[^;\"]*", _FONTS, file.getvalue())


def pixels_png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels as PNG: (y, x) grey or (y, x, 4) red, green, blue and opacity."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG", optimize=False, compress_level=9)
    return file.getvalue()


def calm(ax: Axes) -> None:
    """Take away what says nothing: the upper and right frame, heavy ticks, black text."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color("#b8c0c8")
    ax.tick_params(colors=QUIET, labelsize=8, width=0.6, length=3)
    ax.xaxis.label.set(color=INK, size=9)
    ax.yaxis.label.set(color=INK, size=9)
