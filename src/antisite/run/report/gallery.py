"""Defects beside what the perfect crystal looks like there."""

from __future__ import annotations

from html import escape

import pandas as pd

from ...defects import PLANAR_KINDS
from ...plot.defects import count_kinds, kind_words
from ...plot.figures import pixels_png
from ...plot.gallery import Pair, pair_defects, pair_picture, pick_defects
from ...result import Result
from .markup import png_uri, swatch
from .numbers import SPACE
from .words import measures, place_words

MAX_PAIRS = 24


def gallery_html(result: Result) -> str:
    """The strongest and the most doubtful of each kind, each beside its perfect counterpart."""
    two = " The detectors lie one above the other." if result.image.n_channels > 1 else ""
    alone = " A hole is shown alone." if (result.defects["kind"] == "hole").any() else ""
    intro = (
        "<p>Left: as found. Right: the median of the nearest perfect sites of the same sublattice, "
        f"on the same grey scale.{two}{alone}</p>"
    )
    kinds = [kind for kind in count_kinds(result.defects) if kind not in PLANAR_KINDS]
    return intro + "".join(_kind(result, kind) for kind in kinds) if kinds else ""


def _kind(result: Result, kind: str) -> str:
    own = result.defects[result.defects["kind"] == kind]
    strong, doubtful = pick_defects(own, limit=MAX_PAIRS)
    left = len(own) - len(strong) - len(doubtful)
    html = f"<h3>{swatch(kind)}{escape(kind_words(kind, len(own)))}</h3>" + _cards(result, strong)
    if len(doubtful):
        html += '<p class="quiet">The most doubtful, weakest first:</p>' + _cards(result, doubtful)
    return html + (f'<p class="quiet">{left:,} more are in defects.csv.</p>' if left else "")


def _cards(result: Result, defects: pd.DataFrame) -> str:
    pairs = {int(pair.row["id"]): pair for pair in pair_defects(result, defects)}
    return f'<div class="gallery">{"".join(_card(pairs[int(i)]) for i in defects["id"])}</div>'


def _card(pair: Pair) -> str:
    row = pair.row
    where = place_words(str(row["sublattice"])).replace(" ", SPACE)
    caption = f"<b>#{row['id']}</b> {escape(where)}<br>{escape(measures(row))}"
    picture = f'<img src="{png_uri(pixels_png(pair_picture(pair)))}" alt="defect {row["id"]}">'
    return f'<figure><a href="#m{row["id"]}">{picture}</a><figcaption>{caption}</figcaption></figure>'
