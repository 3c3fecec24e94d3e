"""How dense the defects lie: as observed, and corrected for those that were missed."""

from __future__ import annotations

from html import escape
from typing import Any

from ...defects import KINDS
from ...plot.defects import kind_words
from ...result import Result
from .markup import swatch, table
from .numbers import SPACE, interval, listed, number, percent
from .words import EXTENDED, MEANINGS, place_words

_DENSITY = ("per", "density", "low", "high", "recall", "corrected", "corrected_low", "corrected_high")
UNITS = {"nm2": "per nm²", "site": "per site"}


def density_rows(result: Result) -> list[dict[str, Any]]:
    """The densities of points in the order of the table of kinds; a kind that is only counted has none."""
    order = {kind: i for i, kind in enumerate(KINDS)}
    rows = [row for row in result.summary.get("densities") or [] if row["n"]]
    dense = {row["kind"] for row in rows}
    for kind, n in (result.summary.get("counts") or {}).items():
        if n and kind not in dense and kind not in EXTENDED:
            rows.append({"kind": kind, "sublattice": "all", "n": n})
    rows = [dict.fromkeys(_DENSITY) | row for row in rows]
    return sorted(rows, key=lambda row: order.get(row["kind"], len(order)))


def densities_html(result: Result) -> str:
    """A row for each kind and sublattice, with what the kind means."""
    rows = density_rows(result)
    if not rows:
        return ""
    unit = next((f" [{UNITS[row['per']]}]" for row in rows if row["per"]), "")
    head = ["kind", "number", f"density{unit}", "95 % interval"]
    corrected = any(row["corrected"] is not None for row in rows)
    head += ["recall", "corrected for recall", "95 % interval "] if corrected else []
    first = {row["kind"]: i for i, row in reversed(list(enumerate(rows)))}
    cells = [
        [_name(row, explain=first[row["kind"]] == i), number(row["n"]), *_figures(row)][: len(head)]
        for i, row in enumerate(rows)
    ]
    note = (
        '<p class="quiet">Recall is the share of planted defects of the same strength that were found; the '
        "corrected density is the observed one divided by it.</p>"
    )
    return table(cells, head=head, name="densities cards") + note * corrected


def _figures(row: dict[str, Any]) -> list[str]:
    """Density and interval as observed, recall, then the same corrected; dashes where they are unknown."""
    return [
        number(row["density"]),
        interval(row["low"], row["high"]),
        percent(row["recall"]),
        number(row["corrected"]),
        interval(row["corrected_low"], row["corrected_high"]),
    ]


def _name(row: dict[str, Any], *, explain: bool) -> str:
    name = swatch(row["kind"]) + escape(kind_words(row["kind"], row["n"]))
    where = place_words(row["sublattice"]).replace(" ", SPACE)
    place = "" if row["sublattice"] == "all" else f", {where}"
    meaning = MEANINGS.get(row["kind"], "") if explain else ""
    return f'{name}{escape(place)}<span class="meaning">{escape(meaning)}</span>'


def density_words(result: Result) -> str:
    """The density of each kind in one sentence, corrected for those that were missed where that is known."""
    rows = [row for row in density_rows(result) if row["sublattice"] == "all" and row["density"] is not None]
    if not rows:
        return ""
    told, partly = [], []
    for row in rows:
        known = row["corrected"] is not None
        names = ("corrected", "corrected_low", "corrected_high") if known else ("density", "low", "high")
        value, low, high = (row[name] for name in names)
        kind = kind_words(row["kind"], 2)
        told.append(f"{kind} {number(value, 2)} ({interval(low, high, 2)})")
        partly += [] if known else [kind]
    words = f"Defects {UNITS[rows[0]['per']]}, with 95 % intervals: {listed(told)}."
    if len(partly) == len(rows):
        return words
    but = f", but for {listed(partly)}" if partly else ""
    return f"{words} They are corrected for those that were missed{but}."
