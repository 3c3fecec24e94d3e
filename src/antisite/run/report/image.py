"""The image of the report: layers of pixels, a veil, and marks, in one drawing whose view can move.

Everything lies in the pixel coordinates of the image, where the centre of a pixel is an integer; the
view box is what a reader looks at. `view.js` moves it.
"""

from __future__ import annotations

import math
from html import escape

from ...plot.defects import count_kinds, kind_words, not_analysed, pixel_scale
from ...plot.figures import pixels_png
from ...plot.grains import grain_sheet, shown_grains
from ...plot.images import shown_levels, veil
from ...plot.scale_bars import place_scale_bar
from ...result import Result
from .marks import marks_svg, smallest_mark
from .markup import png_uri, swatch

MAX_PIXELS = 2048 * 2048
_VEIL = 512  # px of the longer side; a veil has no detail
_BUTTONS = (("1.6", "+", "zoom in"), ("0.625", "−", "zoom out"), ("0", "reset", "show the whole image"))


def image_html(result: Result) -> str:
    """The image with what can be switched on and off, and the buttons that move the view."""
    ny, nx = result.image.shape
    factor = min(math.ceil(math.sqrt(result.image.n_channels * ny * nx / MAX_PIXELS)), ny, nx)
    near = 12 * (result.nearest or max(ny, nx) / 12)
    drawing = (
        f'<svg viewBox="-0.5 -0.5 {nx} {ny}" tabindex="0" role="group" data-near="{near:.1f}" '
        f'data-smallest="{smallest_mark(result):.3f}" aria-label="the image with marks of defects">'
        f"{_pixels(result, factor)}{_veil(result, factor)}{_grains(result)}"
        f"{marks_svg(result)}{_scale(result)}</svg>"
    )
    # a tall image may be higher than the window, or nothing could be seen in it
    width = f"max-width:max(18rem,calc(88vh*{nx}/{ny}))"
    buttons = "".join(
        f'<button type="button" data-zoom="{zoom}" aria-label="{words}" title="{words}">{sign}</button>'
        for zoom, sign, words in _BUTTONS
    )
    tools = f'<div class="tools"><div>{_controls(result)}</div><div class="zoom live">{buttons}</div></div>'
    stage = f'<div class="stage" style="aspect-ratio:{nx}/{ny}">{drawing}</div>'
    note = f'<p class="quiet">Shown at 1/{factor} of its {ny} × {nx} px.</p>' if factor > 1 else ""
    return f'<div class="viewer" style="{width}">{tools}{stage}{_hints(result)}{note}</div>'


def _hints(result: Result) -> str:
    some = bool(len(result.defects))
    told = '<p class="told live" aria-live="polite"></p>' * some
    link = " Click a mark, a row of the table or a picture below to see it in all three." * some
    return (
        f'{told}<p class="quiet live">The wheel, two fingers or + and − zoom, dragging or the arrow keys '
        f"move, 0 resets.{link}</p>"
    )


def _pixels(result: Result, factor: int) -> str:
    ny, nx = (n // factor * factor for n in result.image.shape)
    layers = []
    for i in range(result.image.n_channels):
        uri = png_uri(pixels_png(shown_levels(result.image, i, factor=factor)))
        hidden = ' style="display:none"' if i else ""
        layers.append(_picture(uri, ny, nx, f'data-channel="{i}" aria-label="detector {i + 1}"{hidden}'))
    return "".join(layers)


def _veil(result: Result, factor: int) -> str:
    """What was left out, under a half-opaque sheet; nothing when all of the image was analysed."""
    dim = not_analysed(result)
    if not dim.any():
        return ""
    coarse = min(max(factor, math.ceil(max(dim.shape) / _VEIL)), *dim.shape)
    sheet = veil(dim[::coarse, ::coarse])
    ny, nx = (coarse * n for n in sheet.shape[:2])
    return _picture(png_uri(pixels_png(sheet)), ny, nx, 'class="veil" data-layer="veil"')


def _grains(result: Result) -> str:
    """The grains in colour, switched off at first; nothing where there is one."""
    domain = result.maps.get("domain")
    if domain is None or domain.max(initial=0) < 1:
        return ""
    coarse = min(math.ceil(max(domain.shape) / _VEIL), *domain.shape)
    sheet = grain_sheet(shown_grains(result, factor=coarse))
    ny, nx = (coarse * n for n in sheet.shape[:2])
    hidden = 'class="veil" data-layer="grains" style="display:none"'
    return _picture(png_uri(pixels_png(sheet)), ny, nx, hidden)


def _picture(uri: str, ny: int, nx: int, attributes: str) -> str:
    place = f'x="-0.5" y="-0.5" width="{nx}" height="{ny}" preserveAspectRatio="none"'
    return f'<image href="{uri}" {place} {attributes}/>'


def _controls(result: Result) -> str:
    boxes = [
        f'<label><input type="checkbox" checked autocomplete="off" data-toggle="{kind}">{swatch(kind)}'
        f"{escape(kind_words(kind, n))} <b>{n:,}</b></label>"
        for kind, n in count_kinds(result.defects).items()
    ]
    if _grains(result):
        boxes.append('<label><input type="checkbox" autocomplete="off" data-toggle="grains">grains</label>')
    if not_analysed(result).any():
        words = '<span class="swatch sheet"></span>not analysed'
        boxes.append(
            f'<label><input type="checkbox" checked autocomplete="off" data-toggle="veil">{words}</label>'
        )
    return "".join(
        f'<div class="controls">{"".join(row)}</div>' for row in (boxes, _detectors(result)) if row
    )


def _detectors(result: Result) -> list[str]:
    n = result.image.n_channels
    if n == 1:
        return []
    button = '<input type="radio" autocomplete="off" name="channel"'
    return [
        f'<label>{button} value="{i}"{"" if i else " checked"}>detector {i + 1}</label>' for i in range(n)
    ]


def _scale(result: Result) -> str:
    """The bar of the whole view, with the px of one unit, from which that of a closer view follows."""
    spots = result.defects[["y", "x"]].to_numpy()
    size = pixel_scale(result)
    unit, name = (1.0, "px") if math.isnan(size) else (10 / size, "nm")
    bar = place_scale_bar(result.image.shape, size, avoid=spots)
    return (
        f'<g class="scale" data-unit="{unit:.6g}" data-name="{name}"><rect x="{bar.x:.2f}" y="{bar.y:.2f}" '
        f'width="{bar.length:.2f}" height="{bar.thick:.2f}"/><text x="{bar.words_x:.2f}" '
        f'y="{bar.words_y:.2f}" font-size="{bar.size:.2f}">{bar.words}</text></g>'
    )
