"""What the terminal tells of grains, boundaries, faults, dislocations and strain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..plot.defects import kind_words

_MOST_ANGLES = 3
_UNITS = {"1/nm": "nm per nm²", "1/px": "px per px²", "1/nm2": "per nm²", "1/px2": "per 10⁶ px²"}
_LARGE = {"1/px2": 1e6}  # counts per px² are unreadably small


def planar_texts(s: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of each line; none where nothing was looked for."""
    planar = s.get("planar")
    told = [] if planar is None else [("planar", _found(planar, s["n_domains"]))]
    if planar and (planar["boundaries"] or planar["dislocations"]):
        told.append(("", _densities(planar)))
    return told + ([("strain", _strain(s["strain"], s["pixel_size"]))] if s.get("strain") else [])


def _found(planar: Mapping[str, Any], n_grains: int) -> str:
    lines, cores = planar["boundaries"], planar["dislocations"]
    grains = "one grain" if n_grains == 1 else f"{n_grains} grains"
    if not lines and not cores:
        return f"{grains}, no planar defect, no dislocation"
    return "; ".join([grains, *_kinds(lines), _cores(cores)])


def _kinds(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many lines of each name, with their angles or displacements where those are few."""
    names: dict[str, list[Mapping[str, Any]]] = {}
    for one in lines:
        twin = one["kind"] == "twin_boundary"  # its name is that of two together
        names.setdefault(one["kind"] if twin else one["name"] or one["kind"], []).append(one)
    told = []
    for name, group in names.items():
        pairs = dict.fromkeys(one["name"] for one in group if one["kind"] == "twin_boundary" and one["name"])
        words = f"{len(group)} {kind_words(name, len(group))}" + (f" ({', '.join(pairs)})" if pairs else "")
        numbers = [_number(one, alone=len(group) == 1) for one in group]
        few = all(numbers) and len(group) <= _MOST_ANGLES
        told.append(" ".join([words, ", ".join(numbers)]) if few else words)
    return told or ["no planar defect"]


def _number(one: Mapping[str, Any], *, alone: bool) -> str:
    """The angle of a boundary, the displacement of a fault; empty where none is known."""
    if one["shift"] is not None:
        return "R ({:z.2f}, {:z.2f})".format(*one["shift"]).replace("-", "−")
    if one["misorientation"] is None:
        return ""
    sd = one["misorientation_sd"]
    error = f" ± {math.degrees(sd):.2f}" if alone and sd is not None else ""
    return f"{math.degrees(one['misorientation']):.2f}{error}°"


def _cores(cores: Sequence[Mapping[str, Any]]) -> str:
    if not cores:
        return "no dislocation"
    n, partial = len(cores), sum(one["partial"] for one in cores)
    if partial == n:
        return f"{n} partial {kind_words('dislocation', n)}"
    on_lines = sum(one["boundary"] is not None and not one["partial"] for one in cores)
    some = "all" if on_lines == n else on_lines
    where = [f"{partial} partial"] * bool(partial) + [f"{some} on boundaries"] * bool(on_lines)
    return f"{n} {kind_words('dislocation', n)}" + (f" ({', '.join(where)})" if where else "")


def _densities(planar: Mapping[str, Any]) -> str:
    """Length of lines and number of dislocations on the area, where there are any."""
    told = []
    for key, words in {"length_density": "lines", "dislocation_density": "dislocations"}.items():
        one = planar[key]
        if one["value"]:
            value, low, high = (_LARGE.get(one["unit"], 1) * one[name] for name in ("value", "low", "high"))
            told.append(f"{words} {value:.2g} {_UNITS[one['unit']]} ({low:.2g} … {high:.2g})")
    return ", ".join(told)


def _strain(told: Mapping[str, Any], pixel_size: float | None) -> str:
    width, noise = told["resolution"], told["noise"]
    size = f"{width:.0f} px" + (f" ({width * pixel_size / 10:.2g} nm)" if pixel_size else "")
    parts = [f"resolution {size}"]
    if None not in (noise["strain"], noise["rotation"]):
        turn = math.degrees(noise["rotation"])
        parts.append(f"noise {100 * noise['strain']:.2g} % and {turn:.2g}°")
    return ", ".join([*parts, "maps in maps.npz"])
