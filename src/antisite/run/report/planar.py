"""Grains, boundaries and dislocations: a map, a table of each, and how densely they lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ...plot.defects import kind_words
from ...plot.planar import planar_png
from ...result import Result
from .markup import paragraphs, png_uri, prose, swatch, table
from .numbers import SPACE, counted, fixed, interval, listed, number
from .strain import strain_html

UNITS = {"1/nm": "nm⁻¹", "1/px": "px⁻¹", "1/nm2": "nm⁻²", "1/px2": "px⁻²"}
_DENSITIES = {
    "length_density": "length of boundaries and faults per area",
    "fault_density": "faults per area",
    "dislocation_density": "dislocations per area",
}


def planar_html(result: Result) -> str:
    """What lies in the crystal besides points; one line when there is nothing, and empty when not known."""
    if "planar" not in result.summary:
        return ""
    planar = result.summary["planar"]
    if planar is None:
        return paragraphs(["Boundaries, faults, dislocations and strain were not looked for (--no-planar)."])
    told = [paragraphs([planar_words(result)]), _warnings(planar)]
    some = bool(planar["boundaries"] or planar["dislocations"] or n_grains(result) > 1)
    if some:
        told += [_map(result), _boundaries(planar["boundaries"]), _dislocations(planar["dislocations"])]
    told += [_densities(planar) if some else paragraphs([_limits(planar)])]
    told += [strain_html(result, folded=not some)]
    return "\n".join(filter(None, told))


def n_grains(result: Result) -> int:
    """How many grains there are."""
    return int(result.summary.get("n_domains") or 1)


def planar_words(result: Result) -> str:
    """Grains, lines and dislocations in one sentence."""
    planar, n = result.summary["planar"], n_grains(result)
    lines, cores = planar["boundaries"], planar["dislocations"]
    kinds = [one["kind"] for one in lines]
    counts = [counted(kinds.count(k), kind_words(k), kind_words(k, 2)) for k in dict.fromkeys(kinds)]
    partial = sum(one["partial"] for one in cores)
    words = [
        "One grain" if n == 1 else f"{n} grains",
        listed(counts) or "no planar defect",
        (counted(len(cores), "dislocation") + (f", {partial} of them partial" if partial else ""))
        if cores
        else "no dislocation",
    ]
    return (", " if not (lines or cores) else "; ").join(words) + "."


def density_words(density: Mapping[str, Any]) -> str:
    """Value, interval and unit of one density."""
    unit = UNITS.get(density["unit"], density["unit"])
    return (
        f"{number(density['value'])}{SPACE}{unit} "
        f"(95{SPACE}%: {interval(density['low'], density['high'])}{SPACE}{unit})"
    )


def _warnings(planar: Mapping[str, Any]) -> str:
    items = "".join(f"<li>{prose(str(text))}</li>" for text in planar.get("warnings", ()))
    return f'<div class="warnings"><ul>{items}</ul></div>' if items else ""


def _map(result: Result) -> str:
    ny, nx = result.image.shape
    words = (
        "Grains in colour, boundaries and faults as lines, dislocations as ⊥ with the stem along the extra "
        "half plane (upright where the Burgers vector is not known); arrows are Burgers vectors, to scale "
        "among themselves. Veiled: no crystal."
    )
    width = f"max-width:max(18rem,calc(min(52rem,80vh*{nx}/{ny})))"
    picture = f'<img src="{png_uri(planar_png(result))}" alt="map of grains, boundaries and dislocations">'
    return f'<figure class="map" style="{width}">{picture}<figcaption>{words}</figcaption></figure>'


def _boundaries(lines: Sequence[Mapping[str, Any]]) -> str:
    if not lines:
        return ""
    unit = "nm" if all(one.get("length_nm") is not None for one in lines) else "px"
    head = ["id", "kind", "grains", f"length [{unit}]", "misorientation [°]", "mirror", "R [cell vectors]"]
    rows = [
        [
            f'<a href="#m{one["id"]}">{one["id"]}</a>',
            f"<span>{swatch(one['kind'])}{escape(one.get('name') or kind_words(one['kind']))}</span>",
            _sides(one["grains"]),
            fixed(one["length_nm"], 2) if unit == "nm" else fixed(one["length"], 0),
            _angle(one),
            "–" if one.get("mirror") is None else ("yes" if one["mirror"] else "no"),
            _vector(one.get("shift"), one.get("shift_sd")),
            f"±{SPACE}{number(one.get('path_sd'), 2)}",
        ]
        for one in lines
    ]
    return "<h3>boundaries and faults</h3>" + table(
        rows, head=[*head, "across [px]"], n_left=3, name="facts cards"
    )


def _dislocations(cores: Sequence[Mapping[str, Any]]) -> str:
    if not cores:
        return ""
    scaled = any(one.get("burgers_A") is not None for one in cores)
    head = ["id", "Burgers vector [cell vectors]"]
    head += ["x, y [Å]", "length [Å]"] if scaled else ["x, y [px]", "length [px]"]
    rows = []
    for one in cores:
        vector = one.get("burgers_A" if scaled else "burgers_px")
        rows.append(
            [
                f'<a href="#m{one["id"]}">{one["id"]}</a>',
                _vector(one.get("burgers")) + " partial" * bool(one["partial"]),
                _vector(vector),
                "–" if vector is None else fixed(math.hypot(*vector), 2),
                f"{fixed(one['x'], 1)}, {fixed(one['y'], 1)}",
                f"±{SPACE}{number(one.get('sd'), 2)}",
                number(one.get("grain")),
                _link(one.get("boundary")),
            ]
        )
    head += ["core x, y [px]", "within [px]", "grain", "at the end of or on"]
    return "<h3>dislocations</h3>" + table(rows, head=head, n_left=1, name="facts cards")


def _densities(planar: Mapping[str, Any]) -> str:
    told = {words: planar.get(key) for key, words in _DENSITIES.items()}
    rows = [[words, density_words(one)] for words, one in told.items() if one]
    return table(rows, head=["density", "value and interval"], name="facts cards left2") if rows else ""


def _limits(planar: Mapping[str, Any]) -> str:
    """How much there may be where nothing was found."""
    told = [
        f"{words} {interval(one['low'], one['high'])}{SPACE}{UNITS.get(one['unit'], one['unit'])}"
        for key, words in _DENSITIES.items()
        if (one := planar.get(key))
    ]
    return f"With 95{SPACE}% intervals: {listed(told)}." if told else ""


def _sides(grains: Sequence[int]) -> str:
    first, second = grains
    return f"within {first}" if first == second else f"{first} | {second}"


def _angle(one: Mapping[str, Any]) -> str:
    if one.get("misorientation") is None:
        return "–"
    sd = one.get("misorientation_sd")
    words = fixed(math.degrees(one["misorientation"]), 2)
    return words if sd is None else f"{words} ±{SPACE}{fixed(math.degrees(sd), 2)}"


def _vector(vector: Sequence[float] | None, sd: Sequence[float] | None = None) -> str:
    if vector is None:
        return "–"
    parts = [fixed(part, 2) for part in vector]
    if sd is not None:
        parts = [f"{part}{SPACE}±{SPACE}{fixed(one, 2)}" for part, one in zip(parts, sd, strict=True)]
    return "(" + ", ".join(parts) + ")"


def _link(i: int | None) -> str:
    return "–" if i is None else f'<a href="#m{i}">{i}</a>'
