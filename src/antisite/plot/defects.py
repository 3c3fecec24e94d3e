"""Defects over their image: one colour and one shape for each kind, the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..defects import KINDS
from ..result import Result
from .figures import INK, figure_png, new_figure, own_axes
from .images import left_out, plot_image
from .lines import LINES, UPRIGHT, core_outline, draw_lines, has_path, stem_turns
from .scale_bars import scale_bar

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


@dataclass(frozen=True, slots=True)
class KindLook:
    """How a kind is drawn: `corners` 0 is a circle, 1 a line, 2 a ⊥; `turn` [rad] turns the polygon."""

    colour: str
    corners: int = 0
    turn: float = 0.0


# Colours from Okabe & Ito and from Tol, kept apart in every common kind of colour blindness.
LOOKS = {
    "vacancy": KindLook("#d55e00"),
    "partial_vacancy": KindLook("#e69f00", 5, -math.pi / 2),
    "substitution": KindLook("#0072b2", 6, math.pi / 6),
    "interstitial": KindLook("#cc79a7", 4),
    "antisite": KindLook("#009e73", 5, math.pi / 2),
    "bright_site": KindLook("#f0c419", 6),
    "dim_site": KindLook("#56b4e9", 4, math.pi / 4),
    "complex": KindLook("#aa4499", 8, math.pi / 8),
    "hole": KindLook("#44aa99", 24),
    "dislocation": KindLook("#ee3377", 2),
    **{kind: KindLook(line.colour, 1) for kind, line in LINES.items()},
}
OTHER_LOOK = KindLook("#999933", 6, math.pi / 6)
CORE = 1.4  # of the radius of other marks
_SEAM = 2.0  # cells, of what may lie between grains without being shown as left out


def look(kind: str) -> KindLook:
    """How defects of this kind are drawn."""
    return LOOKS.get(kind, OTHER_LOOK)


def kind_words(kind: str, n: int = 1) -> str:
    """The kind as a reader says it, for one or many.

    Examples
    --------
    >>> kind_words("dim_site"), kind_words("vacancy", 3), kind_words("twin_boundary", 2)
    ('dim site', 'vacancies', 'twin boundaries')
    >>> kind_words("twin lamella of 3 layers", 2)
    'twin lamellae of 3 layers'
    """
    words, *of = ("other defect" if kind == "other" else kind.replace("_", " ")).split(" of ")
    if n > 1 or n == 0:
        ending = {"y": "ies", "x": "xes", "a": "ae"}.get(words[-1])
        words = words[:-1] + ending if ending else words + "s"
    return " of ".join([words, *of])


def count_kinds(defects: pd.DataFrame) -> dict[str, int]:
    """How many defects of each kind there are, in the order of the table of kinds."""
    counts = defects["kind"].value_counts()
    return {kind: int(counts[kind]) for kind in KINDS if kind in counts.index}


def outline(kind: str, radius: float) -> NDArray[np.float64]:
    """(n, 2) px as (x, y): the closed shape of a kind around the origin."""
    shape = look(kind)
    if shape.corners == 1:  # there and back
        return radius * np.array([(-1.6, 0.0), (1.6, 0.0)])
    if shape.corners == 2:
        return core_outline(radius)
    n = shape.corners or 36
    angle = shape.turn + np.arange(n) * 2 * np.pi / n
    # polygons grow so that every shape encloses about the same area as the circle
    radius *= math.sqrt(np.pi / (n / 2 * math.sin(2 * np.pi / n)))
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def marks_of(
    defects: pd.DataFrame, radius: float, turns: Mapping[int, float] | None = None
) -> list[NDArray[np.float64]]:
    """The closed shape, (n, 2) px as (x, y), drawn around each defect of one kind.

    A point gets the shape of its kind at `radius` px, a hole the ellipse of its box, and a dislocation
    a ⊥ whose stem points as `turns` tells for its id.
    """
    centres = defects[["x", "y"]].to_numpy()
    if len(defects) and defects["kind"].iloc[0] == "dislocation":
        told = [(turns or {}).get(int(i), UPRIGHT) for i in defects["id"]]
        return [
            centre + core_outline(CORE * radius, turn) for centre, turn in zip(centres, told, strict=True)
        ]
    if not len(defects) or defects["kind"].iloc[0] != "hole":
        return [centre + outline(kind, radius) for kind, centre in zip(defects["kind"], centres, strict=True)]
    shapes = []
    for centre, (length, width, angle) in zip(
        centres, defects[["length", "width", "angle"]].to_numpy(), strict=True
    ):
        ellipse = outline("hole", 1.0) * (length / 2, width / 2)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        shapes.append(centre + ellipse @ turn.T)
    return shapes


def mark_radius(result: Result) -> float:
    """Radius [px] of a mark: wide enough to leave the column free, and to be seen in a large image."""
    return float(max(0.62 * result.nearest, 0.006 * max(result.image.shape)))


def pixel_scale(result: Result) -> float:
    """Å/px as the result has it (a lattice constant may have set it), NaN when unknown."""
    return float(result.summary.get("pixel_size") or math.nan)


def not_analysed(result: Result) -> NDArray[np.bool_]:
    """(y, x), True where pixels were masked or show no crystal; seams between grains are no area."""
    cell = math.sqrt(result.grains[0]["lattice"]["cell_area"]) if result.grains else 0.0
    return left_out(result.image, result.maps.get("domain"), thin=_SEAM * cell)


def turns_of(result: Result) -> dict[int, float]:
    """Where the stem of every ⊥ points, by the id of its row."""
    return stem_turns((result.summary.get("planar") or {}).get("dislocations", ()))


def draw_marks(
    ax: Axes, defects: pd.DataFrame, radius: float, turns: Mapping[int, float] | None = None
) -> Axes:
    """A line along every path, an open mark at every point: a collection for each kind, whose gid it is."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patheffects import Normal, withStroke

    draw_lines(ax, defects)
    points = defects[~has_path(defects)]
    for kind in count_kinds(points):
        shapes = marks_of(points[points["kind"] == kind], radius, turns)
        marks = PolyCollection(shapes, closed=True, facecolor="none")
        marks.set(edgecolor=look(kind).colour, linewidth=1.4, gid=kind, zorder=5)
        marks.set_path_effects([withStroke(linewidth=2.8, foreground="black", alpha=0.55), Normal()])
        ax.add_collection(marks, autolim=False)
    return ax


def kind_handle(kind: str, label: str) -> Line2D:
    """The mark of a kind with these words, for a legend."""
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

    if kind in LINES:
        line = LINES[kind]
        return Line2D([], [], color=line.colour, linestyle=line.style, linewidth=2.4, label=label)
    corners = outline(kind, 1.0) * (1, -1)  # markers are drawn y upward
    shape: Any = Path(np.vstack([corners, corners[:1]]), closed=True)
    look_of: dict[str, Any] = {"mfc": "none", "mec": look(kind).colour, "mew": 2}
    return Line2D([], [], linestyle="none", label=label, marker=shape, ms=9, **look_of)


def legend_handles(result: Result) -> list[Artist]:
    """One mark with the words and the count of each kind, or that there is none; then the veil's, if any."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found = result.summary.get("lattice_found", True)
    counts = count_kinds(result.defects)
    handles: list[Artist] = [kind_handle(kind, f"{kind_words(kind, n)}  {n:,}") for kind, n in counts.items()]
    nothing = "no defects found" if found else "no lattice found"
    handles = handles or [Line2D([], [], linestyle="none", label=nothing)]
    if not_analysed(result).any():
        handles.append(Patch(label="not analysed", facecolor="#969faf", edgecolor="white", hatch="////"))
    return handles


def legend_columns(handles: list[Artist], width: float) -> int:
    """How many of the legend's entries stand side by side on `width` inches."""
    widest = max(len(str(handle.get_label())) for handle in handles)
    return int(np.clip(width // (0.6 + 0.085 * widest), 1, 5))


def plot_defects(
    result: Result, *, channel: int = 0, legend: bool = True, bar: bool = True, ax: Axes | None = None
) -> Axes:
    """The image in grey with an open mark around every defect.

    Parameters
    ----------
    result : what was found.
    channel : which detector lies underneath.
    legend : name and count the kinds below the image.
    bar : draw a scale bar, in the corner with the fewest marks.
    ax : where to draw.
    """
    height, width = result.image.shape
    ax = own_axes(ax, 6, 6 * height / width)
    dim = not_analysed(result)
    spots = result.defects[["y", "x"]].to_numpy()
    plot_image(
        result.image, channel=channel, dim=dim, bar=bar, pixel_size=pixel_scale(result), avoid=spots, ax=ax
    )
    draw_marks(ax, result.defects, mark_radius(result), turns_of(result))
    if legend:
        draw_legend(ax, legend_handles(result), ncols=4, anchor=(0.5, -0.01))
    return ax


def draw_legend(
    place: Axes | Figure,
    handles: list[Artist],
    *,
    ncols: int,
    anchor: tuple[float, float],
    loc: Literal["upper center", "lower center"] = "upper center",
) -> None:
    """What the marks mean, in rows.

    Parameters
    ----------
    ncols : how many stand side by side, as `legend_columns` says.
    anchor : (x, y) of the corner or side `loc`, in shares of the place.
    """
    place.legend(
        handles=handles,
        loc=loc,
        bbox_to_anchor=anchor,
        ncols=ncols,
        frameon=False,
        fontsize=10,
        labelcolor=INK,
        handletextpad=0.4,
        columnspacing=1.6,
        borderaxespad=0.0,
    )


def overlay_png(result: Result, *, longest: int = 1600) -> bytes:
    """The picture `overlay.png`: the defects over the image, a scale bar and the counts below.

    Parameters
    ----------
    result : what was found.
    longest : px, of the wider side of the image in the picture.
    """
    height, width = result.image.shape
    dpi = 200.0
    inches = longest / dpi
    wide, high = inches * min(width / height, 1.0), inches * min(height / width, 1.0)
    page = max(wide, min(3.2, inches))
    handles = legend_handles(result)
    ncols = legend_columns(handles, page)
    strip = 0.45 + 0.24 * math.ceil(len(handles) / ncols)
    figure = new_figure(page, high + strip)
    left = (page - wide) / 2
    ax = figure.add_axes((left / page, strip / (high + strip), wide / page, high / (high + strip)))
    plot_defects(result, legend=False, bar=False, ax=ax)
    below = figure.add_axes((0, 0, 1, strip / (high + strip)), xlim=(0, page), ylim=(-strip, 0))
    below.set_axis_off()
    _draw_bar_below(below, result, left=left, wide=wide)
    draw_legend(below, handles, ncols=ncols, anchor=(0.5, 1 - 0.37 / strip))
    return figure_png(figure, dpi=dpi)


def _draw_bar_below(ax: Axes, result: Result, *, left: float, wide: float) -> None:
    """The scale bar with its words beside it, on axes in inches, where it hides nothing."""
    from matplotlib.patches import Rectangle

    length, words = scale_bar(result.image.shape, pixel_scale(result))
    inches = length / result.image.shape[1] * wide
    first = left + 0.06 * min(wide, 1.0)
    ax.add_patch(Rectangle((first, -0.2), inches, 0.05, color=INK, linewidth=0)).set_gid("scale-bar")
    ax.text(first + inches + 0.08, -0.175, words, size=10, color=INK, va="center", gid="scale-words")
