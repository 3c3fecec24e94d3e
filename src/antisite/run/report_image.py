"""The image of the report: layers of pixels, a veil, and marks, each to be switched on and off."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..plot.defects import count_kinds, kind_words, look, mark_radius, marks_of, outline, pixel_scale
from ..plot.figures import pixels_png
from ..plot.images import left_out, shown_levels, veil
from ..plot.scale_bars import place_scale_bar
from ..result import Result
from .report_markup import picture_uri, swatch
from .report_words import measures, place_words

MAX_PIXELS = 2048 * 2048


def image_html(result: Result) -> str:
    """The image, the veil and the marks, each to be switched on and off."""
    n = result.image.n_channels
    ny, nx = result.image.shape
    factor = math.ceil(math.sqrt(n * ny * nx / MAX_PIXELS))
    factor = min(factor, ny, nx)
    layers = []
    for i in range(n):
        grey = shown_levels(result.image, i, factor=factor)
        hidden = " hidden" if i else ""
        uri = picture_uri(pixels_png(grey))
        layers.append(f'<img data-channel="{i}" src="{uri}" alt="detector {i + 1}"{hidden}>')
    dim = left_out(result.image, result.maps.get("domain"))
    if dim.any():
        coarse = max(factor, math.ceil(max(dim.shape) / 512))
        coarse = min(coarse, ny, nx)
        uri = picture_uri(pixels_png(veil(dim[::coarse, ::coarse])))
        layers.append(f'<img class="veil" data-layer="veil" src="{uri}" alt="">')
    note = f'<p class="quiet">Shown at 1/{factor} of its {ny} × {nx} px.</p>' if factor > 1 else ""
    # a tall image may be higher than the window, or nothing could be seen in it
    shape = f"aspect-ratio:{nx}/{ny};max-width:max(10rem,calc(92vh*{nx}/{ny}))"
    stage = f'<div class="stage" style="{shape}">{"".join(layers)}{_overlay(result)}</div>'
    return _controls(result, bool(dim.any())) + stage + note


def _controls(result: Result, veiled: bool) -> str:
    boxes = [
        f'<label><input type="checkbox" checked data-toggle="{kind}">{swatch(kind)}'
        f"{escape(kind_words(kind, n))} <b>{n:,}</b></label>"
        for kind, n in count_kinds(result.defects).items()
    ]
    if veiled:
        boxes.append('<label><input type="checkbox" checked data-toggle="veil">not analysed</label>')
    return "".join(
        f'<div class="controls">{"".join(row)}</div>' for row in (boxes, _detectors(result)) if row
    )


def _detectors(result: Result) -> list[str]:
    n = result.image.n_channels
    if n == 1:
        return []
    button = '<input type="radio" name="channel"'
    return [
        f'<label>{button} value="{i}"{"" if i else " checked"}>detector {i + 1}</label>' for i in range(n)
    ]


def _overlay(result: Result) -> str:
    """Marks in the pixel coordinates of the image: the centre of a pixel is an integer."""
    ny, nx = result.image.shape
    radius = mark_radius(result)
    groups = []
    for kind in count_kinds(result.defects):
        own = result.defects[result.defects["kind"] == kind]
        shape, marks = "", ""
        if kind == "hole":
            shapes = zip(own.iterrows(), marks_of(own, radius), strict=True)
            marks = "\n".join(f"<g>{_title(row)}{_rimmed(points)}</g>" for (_, row), points in shapes)
        else:
            shape = f'<defs><g id="mark-{kind}">{_rimmed(outline(kind, radius))}</g></defs>'
            marks = "\n".join(_mark(row) for _, row in own.iterrows())
        groups.append(f'{shape}<g data-layer="{kind}" stroke="{look(kind).colour}">\n{marks}\n</g>')
    return (
        f'<svg viewBox="-0.5 -0.5 {nx} {ny}" role="img" aria-label="marks of defects">'
        f"{''.join(groups)}{_scale(result)}</svg>"
    )


def _rimmed(shape: NDArray[np.float64]) -> str:
    """A line over a wider dark one, of the same width at every zoom."""
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in shape)
    line = f'<polygon points="{points}" fill="none" vector-effect="non-scaling-stroke"'
    return f'{line} stroke="#000" stroke-opacity=".55" stroke-width="4"/>{line} stroke-width="2"/>'


def _mark(row: pd.Series[Any]) -> str:
    return f'<use href="#mark-{row["kind"]}" x="{row["x"]:.2f}" y="{row["y"]:.2f}">{_title(row)}</use>'


def _title(row: pd.Series[Any]) -> str:
    what = [kind_words(row["kind"]), place_words(row["sublattice"])]
    words = f"#{row['id']} {', '.join(filter(None, what))}: {measures(row)}"
    return f"<title>{escape(words)}</title>"


def _scale(result: Result) -> str:
    spots = result.defects[["y", "x"]].to_numpy()
    bar = place_scale_bar(result.image.shape, pixel_scale(result), avoid=spots)
    return (
        f'<g class="scale"><rect x="{bar.x:.2f}" y="{bar.y:.2f}" width="{bar.length:.2f}"'
        f' height="{bar.thick:.2f}"/><text x="{bar.words_x:.2f}" y="{bar.words_y:.2f}"'
        f' font-size="{bar.size:.2f}">{bar.words}</text></g>'
    )
