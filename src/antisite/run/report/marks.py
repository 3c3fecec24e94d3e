"""The marks of the defects over the image; each leads to its row of the table."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...plot.defects import CORE, count_kinds, kind_words, look, mark_radius, marks_of, outline, turns_of
from ...plot.lines import LINES, UPRIGHT, core_outline, line_points
from ...result import Result
from .words import measures, place_words

MAX_NAMED = 5000  # marks that say what they mark; more would make a large file


def marks_svg(result: Result) -> str:
    """A group for each kind; the shape of a kind is drawn once and used at every place."""
    radius, turns = mark_radius(result), turns_of(result)
    groups = []
    for kind in count_kinds(result.defects):
        own = result.defects[result.defects["kind"] == kind]
        shape = ""
        if kind in LINES:
            shapes = [_line(kind, path) for path in own["path"]]
        elif kind == "hole":
            shapes = [_rimmed(points) for points in marks_of(own, radius)]
        elif kind == "dislocation":
            shape = _defined(kind, core_outline(CORE * radius))
            shapes = [_core(x, y, turns.get(i, UPRIGHT)) for i, x, y in own[["id", "x", "y"]].to_numpy()]
        else:
            shape = _defined(kind, outline(kind, radius))
            places = own[["x", "y"]].to_numpy()
            shapes = [f'<use href="#mark-{kind}" x="{x:.2f}" y="{y:.2f}"/>' for x, y in places]
        name = "mark line" if kind in LINES else "mark"
        marks = "\n".join(
            f'<a class="{name}" id="m{i}" href="#r{i}" tabindex="-1">{title}{drawn}</a>'
            for i, title, drawn in zip(own["id"], _titles(own, len(result.defects)), shapes, strict=True)
        )
        groups.append(f'{shape}<g data-layer="{kind}" stroke="{look(kind).colour}">\n{marks}\n</g>')
    return "".join(groups)


def smallest_mark(result: Result) -> float:
    """What a mark may shrink to in a close view, of its size in the whole image.

    There it is as large as the column wants it; in the whole of a large image it must be seen at all.
    """
    return float(min(0.62 * result.nearest / mark_radius(result), 1.0)) or 1.0


def _defined(kind: str, shape: NDArray[np.float64]) -> str:
    return f'<defs><g class="shape" id="mark-{kind}">{_rimmed(shape)}</g></defs>'


def _line(kind: str, path: str) -> str:
    """A path over a wider dark one, and a clear one still wider, which is easier to hit."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line_points(path))
    line = f'<polyline points="{points}" vector-effect="non-scaling-stroke"'
    dash = " ".join(f"{2.4 * part:.1f}" for part in LINES[kind].dash) or "none"
    return f'{line} class="hit"/>{line} class="rim"/>{line} stroke-dasharray="{dash}"/>'


def _core(x: float, y: float, turn: float) -> str:
    spin = f' transform="rotate({math.degrees(turn - UPRIGHT):.0f} {x:.2f} {y:.2f})"'
    return f'<use href="#mark-dislocation" x="{x:.2f}" y="{y:.2f}"{spin}/>'


def _rimmed(shape: NDArray[np.float64]) -> str:
    """A line over a wider dark one, of the same width at every zoom."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape)
    line = f'<polygon points="{points}" vector-effect="non-scaling-stroke"'
    return f'{line} class="rim"/>{line}/>'


def _titles(defects: pd.DataFrame, n: int) -> list[str]:
    """What each mark marks, shown by the browser under the mouse; nothing where `n` defects are too many."""
    return [""] * len(defects) if n > MAX_NAMED else [_title(row) for _, row in defects.iterrows()]


def _title(row: pd.Series[Any]) -> str:
    what = [kind_words(row["kind"]), place_words(row["sublattice"])]
    words = f"#{row['id']} {', '.join(filter(None, what))}: {measures(row)}"
    return f"<title>{escape(words)}</title>"
