"""The repeating unit: the mean cell in its true geometry, with lattice vectors and sublattices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .figures import own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

CELL = "#ffd166"
_PER_CELL = 80
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
_Extent = tuple[float, float, float, float]


def plot_motif(
    motif: NDArray[np.generic],
    vectors: NDArray[np.float64],
    *,
    sublattices: Sequence[Mapping[str, Any]] = (),
    tiles: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """The mean unit cell repeated, with the lattice vectors and the sites of every sublattice.

    Sites that hold a column carry a ring, hollow ones a cross; each sublattice is named once, in the
    marked cell. It lies in the middle, its corners on the sites of the first sublattice.

    Parameters
    ----------
    motif : (nb, na) over one cell: row i at (i + ½)/nb along b, column j at (j + ½)/na along a.
    vectors : [[ay, ax], [by, bx]] px.
    sublattices : `name`, `hollow` and `fractions` [[fa, fb], …] of each.
    tiles : cells along each vector.
    ax : where to draw; the axes are in px, y downward.
    """
    from matplotlib.patches import Polygon

    ax = own_axes(ax, 4, 4)
    corner = np.asarray(sublattices[0]["fractions"][0], dtype=float) if sublattices else np.zeros(2)
    start = corner - (tiles - 1) / 2
    picture, (left, right, bottom, top) = tile_motif(motif, vectors, start=start, tiles=tiles)
    shown = ax.imshow(picture, cmap="gray", extent=(left, right, bottom, top), interpolation="bilinear")
    rim = Polygon((start + tiles * _CORNERS) @ vectors[:, ::-1], closed=True, fill=False, linewidth=0)
    ax.add_patch(rim).set_gid("tiles")
    shown.set_clip_path(rim)
    _draw_cell(ax, corner, vectors)
    for sublattice in sublattices:
        _draw_sublattice(ax, sublattice, vectors, start, tiles)
    margin = 0.02 * (right - left)
    ax.set(xlim=(left - margin, right + margin), ylim=(bottom + margin, top - margin), aspect="equal")
    ax.set_axis_off()
    return ax


def tile_motif(
    motif: NDArray[np.generic], vectors: NDArray[np.float64], *, start: NDArray[np.float64], tiles: int
) -> tuple[NDArray[np.float64], _Extent]:
    """The repeated cells on the square grid around them, and its edges (left, right, bottom, top) px.

    Parameters
    ----------
    motif : (nb, na) over one cell.
    vectors : [[ay, ax], [by, bx]] px.
    start : (2,) fractions (fa, fb) of the corner where the tiles begin.
    tiles : cells along each vector.
    """
    from scipy.ndimage import map_coordinates

    corners = (start + tiles * _CORNERS) @ vectors
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    step = np.sqrt(abs(np.linalg.det(vectors))) / _PER_CELL
    y, x = np.mgrid[top:bottom:step, left:right:step] + step / 2
    fa, fb = np.linalg.inv(vectors).T @ np.stack([y.ravel(), x.ravel()])
    at = np.stack([fb % 1 * motif.shape[0] - 0.5, fa % 1 * motif.shape[1] - 0.5])
    values = map_coordinates(np.asarray(motif, dtype=float), at, order=1, mode="grid-wrap")
    return values.reshape(y.shape), (left, left + step * y.shape[1], top + step * y.shape[0], top)


def site_copies(
    fractions: NDArray[np.float64], *, start: NDArray[np.float64], tiles: int
) -> NDArray[np.float64]:
    """(N, 2) fractions (fa, fb) of every copy of the sites within the tiles, their edges included."""
    span = np.arange(-1, tiles + 2)
    shifts = np.stack(np.meshgrid(span, span), axis=-1).reshape(-1, 2) + np.floor(start)
    copies = (np.reshape(fractions, (-1, 1, 2)) % 1 + shifts).reshape(-1, 2)
    inside = ((copies >= start - 1e-6) & (copies <= start + tiles + 1e-6)).all(axis=1)
    return np.asarray(copies[inside])


def _rim(width: float = 2.5) -> list[AbstractPathEffect]:
    from matplotlib.patheffects import Normal, withStroke

    return [withStroke(linewidth=width, foreground="black", alpha=0.8), Normal()]


def _draw_cell(ax: Axes, origin: NDArray[np.float64], vectors: NDArray[np.float64]) -> None:
    from matplotlib.patches import FancyArrowPatch, Polygon

    start = origin @ vectors
    corners = start + _CORNERS @ vectors
    cell = Polygon(corners[:, ::-1], closed=True, fill=False, edgecolor=CELL, linewidth=1.0, linestyle="--")
    cell.set(gid="cell", zorder=3)
    ax.add_patch(cell)
    centre = corners.mean(axis=0)
    for name, vector in zip("ab", vectors, strict=True):
        end, middle = start + vector, start + vector / 2
        arrow = FancyArrowPatch(
            (start[1], start[0]), (end[1], end[0]), arrowstyle="-|>", mutation_scale=13, shrinkA=0, shrinkB=0
        )
        arrow.set(color=CELL, linewidth=1.8, zorder=4, gid=f"vector-{name}", path_effects=_rim(3.4))
        ax.add_patch(arrow)
        y, x = start + 0.76 * vector + 0.26 * (middle - centre)
        text = ax.text(x, y, name, color=CELL, size=13, style="italic", weight="bold", zorder=6)
        text.set(ha="center", va="center", path_effects=_rim())


def _draw_sublattice(
    ax: Axes,
    sublattice: Mapping[str, Any],
    vectors: NDArray[np.float64],
    start: NDArray[np.float64],
    tiles: int,
) -> None:
    copies = site_copies(np.asarray(sublattice["fractions"], dtype=float), start=start, tiles=tiles)
    named = _clear_of_arrows(copies, start + (tiles - 1) / 2)
    hollow = bool(sublattice["hollow"])
    rings = copies if hollow else copies[np.abs(copies - named).max(axis=1) > 1e-9]
    y, x = (rings @ vectors).T
    (marks,) = ax.plot(x, y, "x" if hollow else "o", ms=5.5, mfc="none", mec="white", mew=1.1)
    marks.set(gid=sublattice["name"], zorder=5, path_effects=_rim(2.2))
    y, x = named @ vectors
    down = 0.17 * np.sqrt(abs(np.linalg.det(vectors))) if hollow else 0.0
    text = ax.text(x, y + down, sublattice["name"], color="white", size=9 if hollow else 13, weight="bold")
    text.set(ha="center", va="center", zorder=7, path_effects=_rim(), gid=f"name-{sublattice['name']}")


def _clear_of_arrows(copies: NDArray[np.float64], corner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the copies of a site in the marked cell, the one farthest from both arrows."""
    within = copies - corner
    within = within[((within > -1e-6) & (within < 1 + 1e-6)).all(axis=1)]
    return np.asarray(corner + within[np.argmax(within.min(axis=1) + 1e-3 * within.sum(axis=1))])
