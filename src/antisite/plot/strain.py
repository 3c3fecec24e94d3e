"""Maps of strain and rotation: colours that are white at zero, bars in per cent and degrees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..result import Result
from .defects import pixel_scale
from .figures import INK, QUIET, figure_png, new_figure, own_axes
from .lines import has_path, line_points
from .scale_bars import draw_scale_bar, place_scale_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

STRAINS = ("exx", "eyy", "exy")
MAPS = (*STRAINS, "rotation")
TITLES = {"exx": "ε$_{xx}$", "eyy": "ε$_{yy}$", "exy": "ε$_{xy}$", "rotation": "rotation"}
_COLOURS = "RdBu_r"
_NOTHING = "#d9dde2"
_ROBUST = 99.0  # per cent of the values lie within the limits
_ABOVE_NOISE = 4.0  # times the noise, that the limits are at least: noise alone must look pale


def has_strain(result: Result) -> bool:
    """Whether there are maps to draw."""
    return bool(result.summary.get("strain")) and all(name in result.maps for name in MAPS)


def shown_values(result: Result, name: str) -> NDArray[np.float64]:
    """(m, n) in the unit of the picture: per cent, or degrees."""
    values = np.asarray(result.maps[name], dtype=float)
    return np.degrees(values) if name == "rotation" else 100 * values


def colour_limit(result: Result, names: Sequence[str]) -> float:
    """The value of the strongest colour, one for several maps: robust, and well above the noise."""
    values = np.concatenate([np.abs(shown_values(result, name)).ravel() for name in names])
    values = values[np.isfinite(values)]
    noise = (result.summary.get("strain") or {}).get("noise") or {}
    turned = tuple(names) == ("rotation",)
    floor = noise.get("rotation" if turned else "strain") or 0.0
    floor = math.degrees(floor) if turned else 100 * floor
    robust = float(np.percentile(values, _ROBUST)) if len(values) else 0.0
    return max(robust, _ABOVE_NOISE * floor) or 1.0


def plot_strain(
    result: Result, name: str = "exx", *, limit: float | None = None, bar: bool = True, ax: Axes | None = None
) -> Axes:
    """One map over the area of the image, with its colour bar and the boundaries of the grains.

    Parameters
    ----------
    result : what was found, with maps.
    name : `exx`, `eyy`, `exy` or `rotation`.
    limit : % or degrees of the strongest colours; that of `colour_limit` if not given.
    bar : draw the scale bar.
    ax : where to draw.
    """
    from matplotlib.patches import Rectangle

    height, width = result.image.shape
    ax = own_axes(ax, 5, 5 * height / width)
    told = result.summary["strain"]
    values = shown_values(result, name)
    limit = limit or colour_limit(result, STRAINS if name in STRAINS else (name,))
    (oy, ox), (sy, sx) = told.get("origin", (0, 0)), told["step"]
    ny, nx = values.shape
    nothing = Rectangle((-0.5, -0.5), width, height, facecolor=_NOTHING, edgecolor="white", hatch="////")
    nothing.set(linewidth=0, zorder=0, gid="nothing")
    ax.add_patch(nothing)
    extent = (ox - sx / 2, ox + (nx - 0.5) * sx, oy + (ny - 0.5) * sy, oy - sy / 2)
    picture = ax.imshow(
        values, cmap=_COLOURS, vmin=-limit, vmax=limit, interpolation="nearest", extent=extent, zorder=1
    )
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.set_axis_off()
    for path in result.defects.loc[has_path(result.defects), "path"]:
        ax.plot(*line_points(path).T, color=INK, linewidth=0.9, zorder=3, gid="boundary")
    cores = result.defects[result.defects["kind"] == "dislocation"]
    ax.plot(cores["x"], cores["y"], "+", color=INK, markersize=6, markeredgewidth=0.9, zorder=3, gid="cores")
    if bar:
        draw_scale_bar(ax, place_scale_bar(result.image.shape, pixel_scale(result)), dark=True)
    _colour_bar(ax, picture, TITLES[name], "°" if name == "rotation" else "%")
    return ax


def _colour_bar(ax: Axes, picture: AxesImage, title: str, unit: str) -> None:
    """The bar below its map, with name and unit at its left."""
    inset = ax.inset_axes((0.22, -0.075, 0.74, 0.028))
    bar = ax.get_figure(root=True).colorbar(picture, cax=inset, orientation="horizontal")  # type: ignore[union-attr]
    bar.outline.set_visible(False)
    inset.tick_params(labelsize=8, colors=QUIET, length=2.5, width=0.6)
    inset.locator_params(nbins=5)
    inset.xaxis.set_major_formatter(lambda value, _: f"{value:+g}".replace("-", "−") if value else "0")
    inset.set_gid("bar")
    ax.text(0.012, -0.06, f"{title} [{unit}]", transform=ax.transAxes, size=9.5, color=INK, va="center")


def strain_png(result: Result, name: str, *, longest: float = 3.8) -> bytes:
    """One map as the report shows it, the strains all on one scale; `longest` inches on its wider side."""
    height, width = result.image.shape
    wide, high = longest * min(width / height, 1.0), longest * min(height / width, 1.0)
    strip = 0.5
    page = max(wide, 0.6 * longest)
    figure = new_figure(page, high + strip)
    place = ((page - wide) / 2 / page, strip / (high + strip), wide / page, high / (high + strip))
    ax = figure.add_axes(place)
    plot_strain(result, name, ax=ax)
    return figure_png(figure, dpi=190)
