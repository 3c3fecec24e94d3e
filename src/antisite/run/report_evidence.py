"""Why the report believes what it says: scores of every site, and defects beside perfect sites."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

from ..plot.defects import count_kinds, kind_words
from ..plot.figures import figure_png, new_figure, pixels_png
from ..plot.gallery import Pair, pair_defects, pair_picture, pick_defects
from ..plot.scores import SIZE, plot_ratios, plot_z
from ..result import Result
from .report_markup import picture_uri, swatch, table
from .report_words import fixed, measures, number, place_words, probability

MAX_ROWS = 200
MAX_PAIRS = 24
MIN_FLAGS = 30  # fewer have no modes to speak of
_Gates = tuple[float | None, float | None]


def scores_html(result: Result) -> str:
    """For each sublattice the histograms of z and ratio, with their numbers."""
    intro = (
        "<p>Every site is compared with its nearest equals; z is the departure in units of chance, "
        "the ratio the brightness itself. Grey bars are perfect sites, coloured bars the "
        "defects; the line is what chance alone would give. A flag must pass both dashed limits: that of z "
        "(left chart), which chance rarely passes, and that of the ratio (right chart), which small "
        "departures do not pass; a bright site must pass the latter by more than chance allows. "
        "Counts are on a logarithmic scale.</p>"
    )
    return intro + "".join(_sublattice(result, one) for one in result.summary.get("sublattices", ()))


def _sublattice(result: Result, one: dict[str, Any]) -> str:
    sites = result.sites[result.sites["sublattice"] == one["name"]]
    name = escape(str(one["name"]))
    dark = "" if one["hollow"] else f"{one['n_dark']:,} flagged as too dark, "
    told = (
        f"{one['n_tested']:,} of {one['n_sites']:,} sites tested; "
        f"{dark}{one['n_bright']:,} flagged as too bright."
    )
    pictures = "".join(
        f'<img src="{picture_uri(png)}" alt="{what} on {name}">'
        for what, png in _score_pngs(sites, one, _ratio_gates(result, one)).items()
    )
    title = escape(place_words(str(one["name"])))
    return f'<h3>{title}</h3><p>{told}</p><div class="pair">{pictures}</div>{_modes_table(one)}'


def _score_pngs(sites: pd.DataFrame, one: dict[str, Any], gates: _Gates) -> dict[str, bytes]:
    if not sites["z"].notna().any():
        return {}
    null = (one["null_centre"] or 0.0, one["null_width"] or 1.0)
    figure = new_figure(*SIZE, snug=True)
    plot_z(sites, null=null, dark=one["z_dark"], bright=one["z_bright"], ax=figure.add_subplot())
    pictures = {"scores": figure_png(figure, dpi=220)}
    if sites["ratio"].notna().any():
        figure = new_figure(*SIZE, snug=True)
        plot_ratios(sites, modes=_modes(one), dark=gates[0], bright=gates[1], ax=figure.add_subplot())
        pictures["ratios"] = figure_png(figure, dpi=220)
    return pictures


def _ratio_gates(result: Result, one: dict[str, Any]) -> _Gates:
    """The ratios beyond which a departure counts; a hollow has nothing to lose."""
    told = {**result.provenance.get("settings", {}), **result.summary}
    dark, bright = told.get("min_dark"), told.get("min_bright")
    return (
        None if dark is None or one["hollow"] else 1 - dark,
        None if bright is None else 1 + bright,
    )


def _modes(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The modes of the flagged ratios; none where they are too few to tell, or all of one sort."""
    enough = one["n_dark"] + one["n_bright"] >= MIN_FLAGS and len(one["modes"]) >= 2
    return list(one["modes"]) if enough else []


def _modes_table(one: dict[str, Any]) -> str:
    def overlap(value: float | None) -> str:
        return "<\N{NO-BREAK SPACE}0.001" if value is not None and value < 0.001 else number(value)

    rows = [
        [*(number(mode[key]) for key in ("ratio", "spread", "share")), overlap(mode["overlap"])]
        for mode in _modes(one)
    ]
    head = ("flagged sites around ratio", "spread", "share", "overlap with the others")
    return table(rows, head=head) if rows else ""


def gallery_html(result: Result) -> str:
    """The strongest and the most doubtful of each kind, each beside its perfect counterpart."""
    two = " The detectors lie one above the other." if result.image.n_channels > 1 else ""
    alone = " A hole is shown alone." if (result.defects["kind"] == "hole").any() else ""
    intro = (
        "<p>Left: as found. Right: the median of the nearest perfect sites of the same sublattice, "
        f"on the same grey scale.{two}{alone}</p>"
    )
    return intro + "".join(_gallery_kind(result, kind) for kind in count_kinds(result.defects))


def _gallery_kind(result: Result, kind: str) -> str:
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
    where = place_words(str(row["sublattice"])).replace(" ", "\N{NO-BREAK SPACE}")
    caption = f"<b>#{row['id']}</b> {escape(where)}<br>{escape(measures(row))}"
    uri = picture_uri(pixels_png(pair_picture(pair)))
    return f'<figure><img src="{uri}" alt="defect {row["id"]}"><figcaption>{caption}</figcaption></figure>'


def table_html(result: Result) -> str:
    """The first rows of the table of defects."""
    ratios = [name for name in result.defects.columns if name.startswith("ratio")]
    scaled = bool(result.defects["y_A"].notna().any())
    fields = ["y", "x", *(("y_A", "x_A") if scaled else ()), *ratios, "z", "p_value", "q_value"]
    rows = [
        [
            str(row["id"]),
            swatch(row["kind"]) + escape(kind_words(row["kind"])),
            escape(str(row["sublattice"])),
            *(_cell(field, row[field]) for field in fields),
        ]
        for _, row in result.defects.head(MAX_ROWS).iterrows()
    ]
    names = {"y": "y [px]", "x": "x [px]", "y_A": "y [Å]", "x_A": "x [Å]", "p_value": "p", "q_value": "q"}
    head = ["id", "kind", "sublattice", *(names.get(f, f.replace("_", " ")) for f in fields)]
    left = len(result.defects) - len(rows)
    note = f'<p class="quiet">{left:,} more rows are in defects.csv.</p>' if left > 0 else ""
    return table(rows, head=head, n_left=3) + note


def _cell(field: str, value: float) -> str:
    """Lengths in px, z and Å to what they are good for; probabilities to two digits."""
    if field in ("p_value", "q_value"):
        return probability(value)
    return fixed(value, 1 if field in ("y", "x", "z") else 2)
