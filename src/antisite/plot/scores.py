"""How strange every site is: scores and ratios of one sublattice, with what chance alone would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .defects import count_kinds, kind_words, look
from .figures import CHART, INK, calm, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERFECT = "#c3cad2"
_REACH = 40
_Ends = tuple[float | None, float | None]


def plot_z(
    sites: pd.DataFrame,
    *,
    null: tuple[float, float] = (0.0, 1.0),
    dark: float | None = None,
    bright: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Histogram of z on a logarithmic count: perfect sites grey, defects in the colour of their kind.

    Parameters
    ----------
    sites : rows of one sublattice with `z` and `kind`; those without z are left out.
    null : centre and width of the Gaussian of perfect sites.
    dark, bright : z beyond which a site may be flagged; None when nothing could be.
    ax : where to draw.
    """
    ax = own_axes(ax, *CHART)
    tested = sites[sites["z"].notna()]
    edges, ends = _z_bins(tested["z"].to_numpy(), null, [v for v in (dark, bright) if v is not None])
    _stack(ax, tested, "z", edges)
    _draw_null(ax, edges, len(tested), null)
    _draw_thresholds(ax, dark, bright)
    top = ax.get_ylim()[1]
    ax.set(yscale="log", ylim=(0.6, max(top, 10.0) * 3), xlim=(edges[0], edges[-1]))
    ax.set(xlabel="z  (darker  ←  → brighter)", ylabel="sites")
    _label_ends(ax, edges, ends)
    return _finish(ax)


def plot_ratios(
    sites: pd.DataFrame,
    *,
    modes: Sequence[Mapping[str, Any]] = (),
    dark: float | None = None,
    bright: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Histogram of the intensity ratio to perfect neighbours, with the modes of a mixture.

    Parameters
    ----------
    sites : rows of one sublattice with `ratio` and `kind`; those without ratio are left out.
    modes : `ratio`, `spread` and `share` of the defects, of each mode.
    dark, bright : ratio beyond which a departure is large enough to be flagged.
    ax : where to draw.
    """
    ax = own_axes(ax, *CHART)
    seen = sites[np.isfinite(sites["ratio"])]
    edges, ends = _ratio_bins(seen["ratio"].to_numpy())
    _stack(ax, seen, "ratio", edges)
    # modes are those of point defects; the sites of a hole are none
    _draw_modes(ax, modes, edges, int((~seen["kind"].isin(("none", "hole"))).sum()))
    _draw_thresholds(ax, dark, bright)
    top = ax.get_ylim()[1]
    ax.set(yscale="log", ylim=(0.6, max(top, 10.0) * 3), xlim=(edges[0], edges[-1]))
    ax.set(xlabel="ratio (1 = perfect)", ylabel="sites")
    _label_ends(ax, edges, ends)
    return _finish(ax)


def _ratio_bins(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], _Ends]:
    low, high = (values.min() - 0.05, values.max() + 0.05) if len(values) else (0.0, 2.0)
    return _open_ended(values, (min(low, 0.4), max(high, 1.6)), (-0.6, 4.0), n=70)


def _z_bins(
    z: NDArray[np.float64], null: tuple[float, float], marks: list[float]
) -> tuple[NDArray[np.float64], _Ends]:
    """Bins of a third of the width of the null, wider where the sites reach far; at most 40 widths."""
    centre, width = null
    values = np.concatenate([z, marks, [centre - 5 * width, centre + 5 * width]])
    low, high = values.min() - width, values.max() + width
    least, most = (float(round(centre + side * _REACH * width)) for side in (-1, 1))
    n = (min(high, most) - max(low, least)) / (width / 3)
    return _open_ended(z, (low, high), (least, most), n=int(np.clip(n, 20, 110)))


def _open_ended(
    values: NDArray[np.float64], span: tuple[float, float], most: tuple[float, float], *, n: int
) -> tuple[NDArray[np.float64], _Ends]:
    """Edges of `n` bins over `span` as far as `most` allows, and one more at an end that values pass.

    With the edges comes the last true value at each end that has such a bin, None at the others.
    """
    low, high = max(span[0], most[0]), min(span[1], most[1])
    edges = np.linspace(low, high, n + 1)
    step = edges[1] - edges[0]
    under, over = bool((values < low).any()), bool((values > high).any())
    edges = np.concatenate([[low - step] * under, edges, [high + step] * over])
    return edges, (low if under else None, high if over else None)


def _label_ends(ax: Axes, edges: NDArray[np.float64], ends: _Ends) -> None:
    """Ticks for the open bins in place of those too near to them."""
    low, high = ends
    if low is None and high is None:
        return
    room = 0.08 * (edges[-1] - edges[0])
    first = -np.inf if low is None else low + room
    last = np.inf if high is None else high - room
    ticks = [t for t in ax.get_xticks() if max(first, edges[0]) <= t <= min(last, edges[-1])]
    words = [f"{t:g}" for t in ticks]
    if low is not None:
        ticks, words = [*ticks, (edges[0] + edges[1]) / 2], [*words, f"≤\N{NO-BREAK SPACE}{low:g}"]
    if high is not None:
        ticks, words = [*ticks, (edges[-2] + edges[-1]) / 2], [*words, f"≥\N{NO-BREAK SPACE}{high:g}"]
    ax.set_xticks(ticks, [word.replace("-", "−") for word in words])


def _stack(ax: Axes, sites: pd.DataFrame, column: str, edges: NDArray[np.float64]) -> None:
    """Bars of the perfect sites below, those of each kind of defect on top in its colour."""
    kinds = {"none": int((sites["kind"] == "none").sum()), **count_kinds(sites[sites["kind"] != "none"])}
    below = np.zeros(len(edges) - 1)
    for kind, n in kinds.items():
        values = np.clip(sites.loc[sites["kind"] == kind, column].to_numpy(), edges[0], edges[-1])
        counts = np.histogram(values, edges)[0]
        words = "perfect" if kind == "none" else f"{kind_words(kind, n)} ({n})"
        words = f"in holes ({n})" if kind == "hole" else words
        colour = PERFECT if kind == "none" else look(kind).colour
        floor = np.maximum(below, 0.1)  # a logarithmic axis has no zero
        ax.stairs(below + counts, edges, baseline=floor, fill=True, color=colour, label=words)
        below += counts


def _gauss(x: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    density = np.exp(-0.5 * ((x - centre) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return np.asarray(density)


def _draw_null(ax: Axes, edges: NDArray[np.float64], n: int, null: tuple[float, float]) -> None:
    x = np.linspace(edges[0], edges[-1], 600)
    ax.plot(x, n * (edges[1] - edges[0]) * _gauss(x, *null), color=INK, linewidth=1.1, label="chance alone")


def _draw_thresholds(ax: Axes, dark: float | None, bright: float | None) -> None:
    if dark is not None:
        _draw_threshold(ax, dark, "right")
    if bright is not None:
        _draw_threshold(ax, bright, "left")


def _draw_threshold(ax: Axes, value: float, side: Literal["left", "right"]) -> None:
    ax.axvline(value, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), gid="threshold")
    ax.annotate(
        f"{value:.3g}".replace("-", "−"),
        (value, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if side == "right" else 3, 0),
        textcoords="offset points",
        ha=side,
        va="top",
        size=8,
        color=INK,
    )


def _draw_modes(ax: Axes, modes: Sequence[Mapping[str, Any]], edges: NDArray[np.float64], n: int) -> None:
    x = np.linspace(edges[0], edges[-1], 600)
    for i, mode in enumerate(modes):
        scale = n * (edges[1] - edges[0]) * (mode["share"] or 0.0)
        spread = max(mode["spread"] or 0.0, 1e-3)
        ax.plot(
            x,
            scale * _gauss(x, mode["ratio"], spread),
            color=INK,
            linewidth=1.0,
            gid="mode",
            label="" if i else "modes",
        )


def _finish(ax: Axes) -> Axes:
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    calm(ax)
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
        handlelength=1.1,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
    return ax
