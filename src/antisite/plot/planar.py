"""Grains, their boundaries and dislocations: a map over the image, with numbers and Burgers vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..result import Result
from .defects import CORE, look, mark_radius, not_analysed, pixel_scale, turns_of
from .figures import figure_png_small, new_figure, own_axes
from .grains import grain_colours, grain_places, grain_sheet, shown_grains
from .images import plot_image
from .lines import UPRIGHT, core_outline, draw_lines, has_path, line_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMED = 12  # lines; more names would cover the picture
_LETTERS, _GRAIN_LETTERS = 8.5, 11.0  # points
_ARROW, _LEAST_ARROW = 0.07, 0.03  # of the wider side, the longest Burgers vector
_CROWDED = 0.75  # of the distance between cores, the arrow at most


def boundary_words(boundary: Mapping[str, Any]) -> str:
    """Its name and its numbers: misorientation in degrees, displacement in cell vectors.

    Examples
    --------
    >>> boundary_words({"kind": "twin_boundary", "name": "", "misorientation": 1.23, "shift": None})
    'twin boundary 70.5°'
    >>> boundary_words({"kind": "stacking_fault", "name": "intrinsic stacking fault", "shift": [0.333, 0]})
    'intrinsic stacking fault R (0.33, 0.00)'
    """
    words = boundary.get("name") or str(boundary["kind"]).replace("_", " ")
    angle, shift = boundary.get("misorientation"), boundary.get("shift")
    if angle:
        return f"{words} {math.degrees(angle):.1f}°"
    if shift is not None:
        words += f" R ({shift[0]:z.2f}, {shift[1]:z.2f})".replace("-", "−")
    return words


def plot_planar(
    result: Result, *, channel: int = 0, sheet: bool = True, names: bool = True, ax: Axes | None = None
) -> Axes:
    """The image with its grains in colour and numbered, boundaries, and dislocations with their vectors.

    Parameters
    ----------
    result : what was found.
    channel : which detector lies underneath.
    sheet : colour the grains.
    names : write what each boundary is beside it.
    ax : where to draw.
    """
    height, width = result.image.shape
    ax = own_axes(ax, 6, 6 * height / width)
    domain, planar = result.maps.get("domain"), result.summary.get("planar") or {}
    dim = not_analysed(result)
    places = {} if domain is None or domain.max(initial=0) < 1 else grain_places(domain)
    avoid = _busy(result, list(places.values()))
    plot_image(result.image, channel=channel, dim=dim, pixel_size=pixel_scale(result), avoid=avoid, ax=ax)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    if domain is not None and places and sheet:
        factor = max(max(domain.shape) // 800, 1)
        ax.imshow(grain_sheet(shown_grains(result, factor=factor)), interpolation="nearest", extent=extent)
    draw_lines(ax, result.defects, width=2.2)
    _draw_cores(ax, result, planar.get("dislocations", ()))
    if domain is not None:
        colours = grain_colours(domain)
        for grain, (x, y) in places.items():
            edge = min(_reach(ax, f"grain {grain}", _GRAIN_LETTERS, width), width / 2)
            place = (min(max(x, edge), width - edge), y)
            _write(ax, place, f"grain {grain}", size=_GRAIN_LETTERS, colour=colours[grain])
    taken: list[NDArray[np.float64]] = []
    boundaries = planar.get("boundaries", ()) if names else ()
    for boundary in boundaries:
        number = f"#{boundary['id']}"
        words = f"{number} {boundary_words(boundary)}" if len(boundaries) <= _MOST_NAMED else number
        crowded = any(one.get("boundary") == boundary["id"] for one in planar.get("dislocations", ()))
        clear = 2.6 * _core_radius(result) if crowded else 0.0
        _name(ax, np.array(boundary["path"], dtype=float), words, result.image.shape, taken, clear=clear)
    return ax


def _draw_cores(ax: Axes, result: Result, dislocations: Any) -> None:
    """⊥ at every core, and its Burgers vector as an arrow from the core."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patheffects import Normal, withStroke

    if not dislocations:
        return
    colour, turns = look("dislocation").colour, turns_of(result)
    radius = _core_radius(result)
    shapes = [
        core_outline(radius, turns.get(one["id"], UPRIGHT)) + np.array([one["x"], one["y"]])
        for one in dislocations
    ]
    rim = [withStroke(linewidth=3.6, foreground="black", alpha=0.6), Normal()]
    marks = PolyCollection(shapes, closed=True, facecolor="none", edgecolor=colour, linewidth=2.0, zorder=6)
    marks.set(gid="dislocation", path_effects=rim)
    ax.add_collection(marks, autolim=False)
    known = [one for one in dislocations if one.get("burgers_px") is not None]
    if not known:
        return
    vectors = np.array([one["burgers_px"] for one in known], dtype=float)
    vectors *= _arrow_length(dislocations, result.image.shape) / max(float(np.hypot(*vectors.T).max()), 1e-9)
    told = np.array([turns[one["id"]] for one in known])
    beside = radius * np.column_stack([np.cos(told), np.sin(told)])  # the arrow runs beside the foot of ⊥
    feet = np.array([[one["x"], one["y"]] for one in known]) - 1.0 * beside - vectors / 2
    arrows = ax.quiver(*feet.T, *vectors.T, angles="xy", scale_units="xy", scale=1, width=0.0045, minlength=0)
    arrows.set(facecolor="white", edgecolor="black", linewidth=0.5, zorder=7, gid="burgers")


def _arrow_length(dislocations: Any, shape: tuple[int, int]) -> float:
    """Of the longest arrow, px: to be seen, and not to run into that of the next core."""
    from scipy.spatial import cKDTree

    at = np.array([[one["x"], one["y"]] for one in dislocations])
    apart = np.min(cKDTree(at).query(at, k=[2])[0]) if len(at) > 1 else math.inf
    return float(np.clip(_CROWDED * apart, _LEAST_ARROW * max(shape), _ARROW * max(shape)))


def _core_radius(result: Result) -> float:
    """Half the foot of a ⊥, px."""
    return max(CORE * mark_radius(result), 0.011 * max(result.image.shape))


def _name(
    ax: Axes,
    path: NDArray[np.float64],
    words: str,
    shape: tuple[int, int],
    taken: list[NDArray[np.float64]],
    *,
    clear: float,
) -> None:
    """The words along a line and `clear` px off it, where no other words are near."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    best, room = path[0], -1.0
    for share in (0.5, 0.35, 0.65, 0.2, 0.8):
        place = np.array([np.interp(share * along[-1], along, axis) for axis in path.T])
        inside = np.min([place, np.array(shape[::-1]) - place])
        free = min([float(np.hypot(*(place - other))) for other in taken] + [2 * float(inside), 1e9])
        if free > 1.15 * room:
            best, room, at = place, free, share
    taken.append(best)
    ends = [[np.interp(s * along[-1], along, axis) for axis in path.T] for s in (at - 0.1, at + 0.1)]
    angle = math.degrees(math.atan2(ends[1][1] - ends[0][1], ends[1][0] - ends[0][0]))
    angle -= 180 * round(angle / 180)  # never upside down
    reach = _reach(ax, words, _LETTERS, shape[1])
    edge = reach * np.abs([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    best = np.clip(best, np.minimum(edge, np.array(shape[::-1]) / 2), np.array(shape[::-1]) - edge)
    _write(ax, (best[0], best[1]), words, size=_LETTERS, turn=-angle, lift=3 + clear * _points(ax) / shape[1])


def _busy(result: Result, names: list[tuple[float, float]]) -> NDArray[np.float64]:
    """(N, 2) px as (y, x) of cores, lines and names, that the scale bar had better not cover."""
    found = result.defects[has_path(result.defects)]
    step = max(result.image.shape) / 50
    at = [result.defects.loc[result.defects["kind"] == "dislocation", ["x", "y"]].to_numpy(dtype=float)]
    at += [np.array(names, dtype=float).reshape(-1, 2)]
    for path in map(line_points, found["path"]):
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
        every = np.arange(0, along[-1], step)
        at.append(np.column_stack([np.interp(every, along, axis) for axis in path.T]))
    return np.concatenate(at)[:, ::-1]


def _points(ax: Axes) -> float:
    """Width of the axes, points."""
    return float(ax.get_position().width * ax.get_figure(root=True).get_figwidth() * 72)  # type: ignore[union-attr]


def _reach(ax: Axes, words: str, size: float, width: int) -> float:
    """Half the length of words of `size` points, in px of an image so wide."""
    return 0.33 * size * len(words) * width / _points(ax)


def _write(
    ax: Axes,
    place: tuple[float, float],
    words: str,
    *,
    size: float,
    colour: str = "white",
    turn: float = 0.0,
    lift: float = 0.0,
) -> None:
    """Words over an image, readable on black and on white; lifted off their place by so many points."""
    from matplotlib.patheffects import withStroke

    rise = (-lift * math.sin(math.radians(turn)), lift * math.cos(math.radians(turn)))
    text = ax.annotate(words, place, xytext=rise, textcoords="offset points", size=size, color=colour)
    text.set(weight="bold", ha="center", va="bottom" if lift else "center", clip_on=True, zorder=9)
    text.set(rotation=turn, rotation_mode="anchor")
    text.set_path_effects([withStroke(linewidth=2.6, foreground="black", alpha=0.75)])


def planar_png(result: Result, *, longest: int = 1000) -> bytes:
    """The picture of the report: the whole image, at most `longest` px on its wider side."""
    height, width = result.image.shape
    dpi = 160.0
    inches = longest / dpi / max(height, width)
    figure = new_figure(width * inches, height * inches)
    plot_planar(result, ax=figure.add_axes((0, 0, 1, 1)))
    return figure_png_small(figure, dpi=dpi)
