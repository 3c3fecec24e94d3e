"""The first rows of the table of defects; each leads to its mark in the image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd

from ...plot.defects import kind_words
from ...result import Result
from .markup import swatch
from .numbers import fixed, probability

MAX_ROWS = 500
_PRINTED = 60  # rows; the style sheet hides the others on paper
_NAMES = {"y": "y [px]", "x": "x [px]", "y_A": "y [Å]", "x_A": "x [Å]", "p_value": "p", "q_value": "q"}
_PLACES = {"y": 1, "x": 1, "z": 1, "grain": 0}


def table_html(result: Result) -> str:
    """One row for each defect, the strangest first, with the fields that are known of any."""
    defects = result.defects
    ratios = [name for name in defects.columns if name.startswith("ratio")]
    wanted = ["ratio", "z", "q_value", "y", "x", "y_A", "x_A", *ratios[1:], "p_value"]
    wanted[1:1] = ["score"] if defects["z"].isna().all() else []
    fields = [name for name in wanted if defects[name].notna().any()]
    fields[:0] = ["grain"] if len(result.grains) > 1 else []
    several = len(defects["method"].unique()) > 1
    head = ["id", "kind", "sublattice", *(_NAMES.get(f, f.replace("_", " ")) for f in fields)]
    head += ["method"] if several else []
    rows = "\n".join(_row(row, fields, several) for row in defects.head(MAX_ROWS).to_dict("records"))
    titles = "".join(f"<th>{title}</th>" for title in head)
    return (
        '<div class="rows"><div class="scroll tall"><table class="defects left3 sortable">'
        f"<thead><tr>{titles}</tr></thead><tbody>\n{rows}\n</tbody></table></div>{_notes(len(defects))}</div>"
    )


def _notes(n: int) -> str:
    notes = '<p class="quiet live">Click a heading to sort; kinds switched off above are hidden here too.</p>'
    if n > MAX_ROWS:
        notes += f'<p class="quiet">{n - MAX_ROWS:,} more rows are in defects.csv.</p>'
    if n > _PRINTED:
        notes += f'<p class="quiet paper">The first {_PRINTED} rows are printed; all are in defects.csv.</p>'
    return notes


def _row(row: Mapping[Hashable, Any], fields: list[str], several: bool) -> str:
    i, kind = row["id"], row["kind"]
    cells = [
        f'<td><a href="#m{i}">{i}</a></td>',
        f"<td>{swatch(kind)}{escape(kind_words(kind))}</td>",
        f"<td>{escape(str(row['sublattice']))}</td>",
        *(_cell(field, row[field]) for field in fields),
        f"<td>{escape(str(row['method']))}</td>" * several,
    ]
    return f'<tr id="r{i}" data-layer="{kind}">{"".join(cells)}</tr>'


def _cell(field: str, value: float) -> str:
    """Lengths in px, z and Å to what they are good for; probabilities to two digits, sorted by the value."""
    if field in ("p_value", "q_value"):
        worth = "" if pd.isna(value) else f' data-worth="{value:.4g}"'
        return f"<td{worth}>{probability(value)}</td>"
    return f"<td>{fixed(value, _PLACES.get(field, 2))}</td>"
