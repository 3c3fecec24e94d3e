"""Tables of boundaries, faults and dislocations, one row each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ...plot.defects import kind_words
from .markup import swatch, table
from .numbers import SPACE, fixed, number
from .words import MEANINGS

_LEAST_SD = 0.05  # px; less is said to be less
_FINE = 0.005  # of a cell, that needs a third decimal


def boundaries_html(lines: Sequence[Mapping[str, Any]]) -> str:
    """A row for each line; columns that no line fills are left out."""
    if not lines:
        return ""
    unit = "nm" if all(one.get("length_nm") is not None for one in lines) else "px"
    first = {one["kind"]: one["id"] for one in reversed(lines)}
    columns = {
        "id": [_link(one["id"]) for one in lines],
        "kind": [_name(one, explain=first[one["kind"]] == one["id"]) for one in lines],
        "grains, left | right": [_sides(one["grains"]) for one in lines],
        f"length [{unit}]": [
            fixed(one["length_nm"], 2) if unit == "nm" else fixed(one["length"], 0) for one in lines
        ],
        "misorientation [°]": [_angle(one) for one in lines],
        "mirror twin": [
            "–" if one.get("mirror") is None else ("yes" if one["mirror"] else "no") for one in lines
        ],
        "displacement R [a, b]": [_vector(one.get("shift"), one.get("shift_sd")) for one in lines],
        "position [px]": [_spread(one.get("path_sd")) for one in lines],
    }
    note = (
        "± is one standard deviation; of the position it is that across the line."
        + " R is how far the crystal on the right of the line is displaced against that on the left, in "
        "fractions of the cell vectors a and b; its ± is what the fit leaves."
        * any(one.get("shift") is not None for one in lines)
    )
    return "<h3>boundaries and faults</h3>" + _table(columns, n_left=3, note=note)


def dislocations_html(cores: Sequence[Mapping[str, Any]]) -> str:
    """A row for each dislocation; columns that none fills are left out."""
    if not cores:
        return ""
    scaled = any(one.get("burgers_A") is not None for one in cores)
    key, unit = ("burgers_A", "Å") if scaled else ("burgers_px", "px")
    vectors = [one.get(key) for one in cores]
    columns = {
        "id": [_link(one["id"]) for one in cores],
        "core at x, y [px]": [f"{fixed(one['x'], 1)}, {fixed(one['y'], 1)}" for one in cores],
        "position [px]": [_spread(one.get("sd")) for one in cores],
        "Burgers vector [a, b]": [_vector(one.get("burgers")) for one in cores],
        f"along x, y [{unit}]": [_vector(vector) for vector in vectors],
        f"its length [{unit}]": ["–" if v is None else fixed(math.hypot(*v), 2) for v in vectors],
        "partial": ["yes" if one["partial"] else "no" for one in cores],
        "in grain": [number(one.get("grain")) for one in cores],
        "on line": [_link(one.get("boundary")) for one in cores],
    }
    known = any(one.get("burgers") is not None for one in cores)
    note = (
        "± is one standard deviation."
        + " Burgers vectors are in fractions of the cell vectors a and b of the grain, and along x (to the "
        "right) and y (down)."
        * known
        + " A partial dislocation ends a fault." * any(one["partial"] for one in cores)
    )
    if not known:
        note += " No Burgers vector could be measured: the lattice cannot be followed round these cores."
    return "<h3>dislocations</h3>" + _table(columns, n_left=1, note=note)


def _table(columns: Mapping[str, Sequence[str]], *, n_left: int, note: str) -> str:
    told = {head: cells for head, cells in columns.items() if set(cells) != {"–"}}
    rows = list(zip(*told.values(), strict=True))
    return table(rows, head=list(told), n_left=n_left, name="facts cards") + f'<p class="quiet">{note}</p>'


def _name(one: Mapping[str, Any], *, explain: bool) -> str:
    meaning = f'<span class="meaning">{escape(MEANINGS.get(one["kind"], ""))}</span>' if explain else ""
    return f"<span>{swatch(one['kind'])}{escape(one.get('name') or kind_words(one['kind']))}{meaning}</span>"


def _sides(grains: Sequence[int]) -> str:
    first, second = ("–" if k < 0 else str(k) for k in grains)  # no crystal, or none that could be analysed
    return f"within {first}" if first == second else f"{first} | {second}"


def _angle(one: Mapping[str, Any]) -> str:
    if not one.get("misorientation"):  # a fault turns nothing
        return "–"
    sd = one.get("misorientation_sd")
    words = fixed(math.degrees(one["misorientation"]), 2)
    return words if sd is None else f"{words}{SPACE}±{SPACE}{fixed(math.degrees(sd), 2)}"


def _spread(sd: float | None) -> str:
    if sd is None or not math.isfinite(sd):
        return "–"
    return f"±{SPACE}{fixed(sd, 1)}" if sd >= _LEAST_SD else "below ±\N{NO-BREAK SPACE}0.1"


def _vector(vector: Sequence[float] | None, sd: Sequence[float] | None = None) -> str:
    if vector is None:
        return "–"
    fine = sd is not None and min(sd) < _FINE
    parts = [fixed(part, 3 if fine else 2) for part in vector]
    if sd is not None:
        spreads = [fixed(max(one, 0.001), 3) if fine else fixed(one, 2) for one in sd]
        parts = [f"{part}{SPACE}±{SPACE}{one}" for part, one in zip(parts, spreads, strict=True)]
    return "(" + ", ".join(parts) + ")"


def _link(i: int | None) -> str:
    return "–" if i is None else f'<a href="#m{i}">{i}</a>'
