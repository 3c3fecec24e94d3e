"""Grains, boundaries and dislocations: a map, a table of each, and how densely they lie."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ...plot.defects import kind_words, not_analysed
from ...plot.planar import planar_png
from ...result import Result
from .markup import paragraphs, png_uri, prose, swatch, table
from .numbers import SPACE, counted, interval, listed, number
from .planar_tables import boundaries_html, dislocations_html
from .strain import strain_html

_UNITS = {"1/nm": "nm⁻¹", "1/px": "px⁻¹", "1/nm2": "nm⁻²", "1/px2": "per 10⁶ px²"}
_LARGE = {"1/px2": 1e6}  # counts per px² are unreadably small
_DENSITIES = {
    "length_density": "boundaries and faults, length per area",
    "fault_density": "faults and twin boundaries, number per area",
    "dislocation_density": "dislocations, number per area",
}
_LIMITS = {
    "length_density": "length of boundaries and faults per area",
    "fault_density": "faults and twin boundaries per area",
    "dislocation_density": "dislocations per area",
}


def planar_html(result: Result) -> str:
    """What lies in the crystal besides points; one line when there is nothing, and empty when not known."""
    if "planar" not in result.summary:
        return ""
    planar = result.summary["planar"]
    if planar is None:
        words = "Boundaries, faults, dislocations and strain were not looked for (--no-planar)."
        return paragraphs([words]) + (_map(result) if n_grains(result) > 1 else "")
    told = [paragraphs([planar_words(result)]), _warnings(planar)]
    some = bool(planar["boundaries"] or planar["dislocations"] or n_grains(result) > 1)
    if some:
        told += [
            _map(result),
            boundaries_html(planar["boundaries"]),
            dislocations_html(planar["dislocations"]),
        ]
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
    dislocations = counted(len(cores), "partial dislocation" if partial == len(cores) else "dislocation")
    dislocations += f", {partial} of them partial" if 0 < partial < len(cores) else ""
    words = [
        "One grain" if n == 1 else f"{n} grains",
        listed(counts) or "no planar defect",
        dislocations if cores else "no dislocation",
    ]
    return (", " if not (lines or cores) else "; ").join(words) + "."


def density_words(density: Mapping[str, Any]) -> str:
    """Value, interval and unit of one density."""
    value, reach, unit = _figures(density)
    return f"{value} (95{SPACE}%: {reach}{unit})"


def how_dense(result: Result) -> str:
    """Length of lines and number of dislocations per area in one sentence; nothing where there are none."""
    planar = result.summary.get("planar") or {}
    told = [
        f"{_LIMITS[key]} {density_words(one)}"
        for key in ("length_density", "dislocation_density")
        if (one := planar.get(key)) and one["value"]
    ]
    words = listed(told)
    return words and f"{words[0].upper()}{words[1:]}."


def _figures(density: Mapping[str, Any]) -> tuple[str, str, str]:
    """Value with its unit, interval, and the unit to stand behind it."""
    large = _LARGE.get(density["unit"], 1.0)
    value, low, high = (density[name] * large for name in ("value", "low", "high"))
    unit = SPACE + _UNITS.get(density["unit"], density["unit"]).replace(" ", SPACE)
    return number(value) + unit, interval(low, high), unit


def _warnings(planar: Mapping[str, Any]) -> str:
    items = "".join(f"<li>{prose(str(text))}</li>" for text in planar.get("warnings", ()))
    return f'<div class="warnings"><ul>{items}</ul></div>' if items else ""


def _map(result: Result) -> str:
    ny, nx = result.image.shape
    width = f"max-width:max(18rem,calc(min(52rem,80vh*{nx}/{ny})))"
    picture = f'<img src="{png_uri(planar_png(result))}" alt="map of grains, boundaries and dislocations">'
    return (
        f'<figure class="map" style="{width}">{picture}<figcaption>{_map_words(result)}</figcaption></figure>'
    )


def _map_words(result: Result) -> str:
    """What the map shows, of that which is there."""
    planar = result.summary["planar"]
    told = ["Grains in colour."] if n_grains(result) > 1 else []
    if planar is None:
        told += ["Their borders are right to about a cell."]
    lines, cores = (planar["boundaries"], planar["dislocations"]) if planar else ((), ())
    kinds = dict.fromkeys(one["kind"] for one in lines)
    if kinds:
        told.append(listed([swatch(kind) + escape(kind_words(kind)) for kind in kinds]) + ".")
    known = [one.get("burgers_px") is not None for one in cores]
    if any(known):
        upright = "" if all(known) else " (upright where the Burgers vector is not known)"
        told.append(
            f"{swatch('dislocation')}dislocation, its stem along the extra half plane{upright}; arrows are "
            "Burgers vectors, to scale among themselves but enlarged against the image."
        )
    elif known:
        told.append(f"{swatch('dislocation')}dislocation, of unknown Burgers vector.")
    if not_analysed(result).any():
        told.append('<span class="swatch sheet"></span>not analysed: masked, or no crystal.')
    return " ".join(told)


def _densities(planar: Mapping[str, Any]) -> str:
    n_lines = len(planar["boundaries"])
    told = {key: one for key in _DENSITIES if (one := planar.get(key))}
    rows = [[_DENSITIES[key], number(one.get("n", n_lines)), *_figures(one)[:2]] for key, one in told.items()]
    if not rows:
        return ""
    note = (
        '<p class="quiet">The intervals are those of a Poisson count: by chance alone another area of the '
        "same size would show as much more or less.</p>"
    )
    head = ["objects", "number", "density", f"95{SPACE}% interval"]
    return "<h3>densities</h3>" + table(rows, head=head, name="facts cards") + note


def _limits(planar: Mapping[str, Any]) -> str:
    """How much there may be where nothing was found."""
    told = [
        f"{words} {reach}{unit}"
        for key, words in _LIMITS.items()
        if (one := planar.get(key))
        for _, reach, unit in [_figures(one)]
    ]
    return f"With 95{SPACE}% intervals: {listed(told)}." if told else ""
