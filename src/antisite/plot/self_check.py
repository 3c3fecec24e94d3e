"""What would have been found: recall against the strength of a defect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .figures import CHART, INK, calm, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"dark": "#0072b2", "bright": "#b5651d"}
_IGNORED = "#eceff2"
_TOP = 1.17  # of the axis: room for words above the curves
_CROWDED = 60  # %, nearer to the edge words stand on the inner side


def plot_recall(
    entries: Sequence[Mapping[str, Any]], *, gates: tuple[float, float] = (0.0, 0.0), ax: Axes | None = None
) -> Axes:
    """Recall of one sublattice: counts with their intervals, the fitted curve and its band, the limit.

    Parameters
    ----------
    entries : one for each side, as in the `recall` of a self-check.
    gates : least loss and least gain of brightness that count; what lies between is shaded.
    ax : where to draw.
    """
    ax = own_axes(ax, *CHART)
    hollow = any(entry["hollow"] for entry in entries)
    low = 0.0 if hollow else -100 * gates[0]
    ax.axvspan(low, 100 * gates[1], color=_IGNORED, linewidth=0, gid="gates", zorder=0)
    for entry in entries:
        _draw_side(ax, entry)
    changes = [point["change"] for entry in entries for key in ("points", "curve") for point in entry[key]]
    reach = 103 * max(np.abs(changes), default=1.0)
    ax.set(xlim=(-3 if hollow else -reach, reach), ylim=(-0.03, _TOP), yticks=np.linspace(0, 1, 6))
    ax.set_xlabel("added light [% of a column]" if hollow else "change of brightness [%]")
    ax.set_ylabel("share found")
    calm(ax)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f}".replace("-", "−") if value else "0")
    return ax


def _draw_side(ax: Axes, entry: Mapping[str, Any]) -> None:
    colour = COLOURS[entry["side"]]
    x, recall, low, high = (
        np.array([point[key] for point in entry["curve"]]) for key in ("change", "recall", "low", "high")
    )
    ax.fill_between(100 * x, low, high, color=colour, alpha=0.18, linewidth=0, gid="band")
    ax.plot(100 * x, recall, color=colour, linewidth=1.4, gid="curve")
    x, recall, low, high = (
        np.array([point[key] for point in entry["points"] if point["n"]])
        for key in ("change", "recall", "low", "high")
    )
    ends = np.clip([recall - low, high - recall], 0, None)
    points = ax.errorbar(100 * x, recall, ends, fmt="o", ms=3.2, color=colour, elinewidth=0.9, zorder=4)
    points.lines[0].set_gid("points")
    _draw_limit(ax, entry["limit"], colour)


def _draw_limit(ax: Axes, limit: Mapping[str, float] | None, colour: str) -> None:
    """A dashed line where defects begin to be found with the probability of the limit."""
    if limit is None:
        return
    at = 100 * limit["change"]
    ax.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), gid="limit")
    outward = abs(at) < _CROWDED
    right = outward == (at > 0)
    ax.annotate(
        f"{limit['recall']:.2f} at {at:+.0f} %".replace("-", "−"),
        (at, _TOP - 0.04),
        xytext=(3 if right else -3, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        size=8,
        color=colour,
    )
