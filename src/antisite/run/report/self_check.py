"""What the detection would have missed: recall of known defects planted into this very image."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any

from ...plot.figures import chart_svg, new_chart
from ...plot.self_check import plot_recall
from ...result import Result
from .markup import paragraphs, svg_uri, table
from .numbers import counted, fixed, percent
from .recall import (
    NOT_CHECKED,
    NOTHING_PLANTED,
    check_of,
    entry_name,
    full_run_words,
    limit_words,
    realised_words,
    recall_at,
)
from .words import place_words

_STRENGTHS = (1.0, 0.5, 0.3)
_SIDES = {"dark": "darker", "bright": "brighter"}


def self_check_html(result: Result) -> str:
    """How it was done, the realised rate, the curves, and the same as a table."""
    check = check_of(result)
    if check is None:
        return paragraphs([NOT_CHECKED])
    if not check["recall"]:
        return paragraphs([NOTHING_PLANTED])
    told = [how_words(check), realised_words(result), already_words(check), full_run_words(result)]
    several = len(result.grains) > 1
    entries = [entry | {"sublattice": entry_name(entry, several=several)} for entry in check["recall"]]
    charts = "".join(
        _chart(result, name, list(own)) for name, own in groupby(entries, key=lambda e: str(e["sublattice"]))
    )
    reading = (
        "Points are counts with their 95 % intervals, the line is the curve fitted to them with its 95 % "
        "band; the dashed line is the weakest change that is found with the probability it names. Grey is "
        "what the settings leave out by choice."
    )
    curves = f'<div class="charts">{charts}</div><p class="quiet">{reading}</p>' if charts else ""
    return paragraphs(told) + curves + _table(entries)


def how_words(check: dict[str, Any]) -> str:
    """How it was done, in one sentence."""
    rounds = counted(check["n_rounds"], "round")
    return (
        "Known defects (missing, dimmer and brighter columns of several strengths, atoms in hollows) were "
        "planted at random perfect sites of this very image, with its own noise, and scored in the same way: "
        f"{check['n_planted']:,} in {rounds}, on {percent(check['share'])} of the sites of each "
        "sublattice at a time."
    )


def already_words(check: dict[str, Any]) -> str:
    """What was flagged before anything was planted."""
    n = check["n_already"]
    if not n:
        return ""
    return (
        f"{counted(n, 'site')} flagged before anything was planted {'is' if n == 1 else 'are'} left out of "
        "this count: whether they are true nobody knows."
    )


def _chart(result: Result, name: str, entries: list[dict[str, Any]]) -> str:
    gates = result.summary.get("min_dark") or 0.0, result.summary.get("min_bright") or 0.0
    figure, ax = new_chart()
    plot_recall(entries, gates=gates, ax=ax)
    where = escape(place_words(name))
    return (
        f'<figure><h3>{where}</h3><img src="{svg_uri(chart_svg(figure))}" alt="recall on {where}"></figure>'
    )


def _table(entries: list[dict[str, Any]]) -> str:
    rows = [
        [
            _name(entry),
            *(_recall(entry, strength) for strength in _STRENGTHS),
            limit_words(entry),
        ]
        for entry in entries
    ]
    levels = {entry["limit"]["recall"] for entry in entries if entry["limit"]}
    level = fixed(levels.pop(), 2) if len(levels) == 1 else "the stated probability"
    head = ["sites", *(f"recall at {percent(s)} change" for s in _STRENGTHS), f"detection limit ({level})"]
    return table(rows, head=head, name="recall cards") if rows else ""


def _name(entry: dict[str, Any]) -> str:
    side = "added light" if entry["hollow"] else _SIDES[entry["side"]]
    return f"{escape(place_words(entry['sublattice']))}, {side}"


def _recall(entry: dict[str, Any], strength: float) -> str:
    recall, low, high = recall_at(entry, strength)
    reach = f"({fixed(low, 2)} to {fixed(high, 2)})"
    return f'<span>{fixed(recall, 2)} <span class="range">{reach}</span></span>'
