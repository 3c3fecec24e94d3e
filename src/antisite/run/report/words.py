"""The result in words that a person reads."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ...defects import LINE_KINDS
from ...plot.defects import count_kinds, kind_words
from ...result import Result
from .numbers import SPACE, counted, listed, number, probability

MEANINGS = {
    "vacancy": "a column is missing",
    "partial_vacancy": "part of a column is missing",
    "substitution": "another element sits in the column",
    "interstitial": "intensity where the lattice leaves a gap",
    "antisite": "an element of the crystal on the wrong site",
    "bright_site": "brighter than its equals; the cause is not known",
    "dim_site": "darker than its equals; the cause is not known",
    "complex": "several neighbouring sites depart together",
    "hole": "ten or more missing columns side by side",
    "other": "a column off its place, neither missing nor dim",
    "stacking_fault": "one side is displaced by a part of the lattice",
    "twin_boundary": "the two sides are mirror images",
    "grain_boundary": "the two sides are turned against each other",
    "antiphase_boundary": "one side is displaced onto the places of other columns",
    "phase_boundary": "the two sides are different crystals",
    "planar_defect": "the lattice breaks along a line; the cause is not known",
    "dislocation": "a half plane ends",
}


EXTENDED = LINE_KINDS


def has_lattice(result: Result) -> bool:
    """Whether there was a crystal to compare with."""
    return bool(result.summary.get("lattice_found"))


def method_of(result: Result) -> str:
    """The method that scored the sites: that of the tables, or the one that was chosen."""
    told = result.sites.loc[result.sites["score"].notna(), "method"]
    chosen = (result.provenance.get("settings") or {}).get("detect") or {}
    return str(told.iloc[0]) if len(told) else str(chosen.get("method") or "deviation")


def n_tested(result: Result) -> int:
    """How many sites, hollow ones included, were compared with their equals."""
    return int(result.sites["score"].notna().sum())


def point_rows(result: Result) -> pd.DataFrame:
    """The defects that are sites which were tested."""
    return result.defects[~result.defects["kind"].isin(EXTENDED)]


def headline(result: Result) -> str:
    """One sentence: how many defects of which kinds, or that there is no lattice."""
    if not has_lattice(result):
        return "No lattice was found"
    counts = count_kinds(result.defects)
    tested = counted(n_tested(result), "tested site")
    if not counts:
        return f"No defects were found among {tested}."
    points, lines = (
        [f"{n:,} {kind_words(kind, n)}" for kind, n in counts.items() if (kind in EXTENDED) == extended]
        for extended in (False, True)
    )
    what = "point defect" if lines else "defect"
    words = f"{counted(len(point_rows(result)), what)} among {tested}: {listed(points)}"
    words = words if points else f"No {what}s were found among {tested}"
    return f"{words}; {listed(lines)}." if lines else f"{words}."


def no_lattice_words(result: Result) -> str:
    """Why nothing could be judged; nothing when there is a lattice."""
    if has_lattice(result):
        return ""
    reason = str(result.summary.get("reason") or "").removeprefix("no lattice found: ").rstrip(".")
    cure = "If you see a lattice, crop to it (--region): fifty cells of six pixels or more across are needed."
    return "Nothing could be judged" + (f": {reason}. " if reason else ". ") + cure


def coverage(result: Result) -> str:
    """What was not analysed, in words."""
    summary = result.summary
    if not has_lattice(result):
        return ""
    several = f", {summary['n_domains']} grains of it each by its own lattice" * (summary["n_domains"] > 1)
    words = f"{number(100 * summary['analysed_fraction'])} % of the image was analysed{several}."
    untested = len(result.sites) - n_tested(result)
    if untested:
        beyond = "near another grain" if several else "outside the analysed crystal"
        words += (
            f" {counted(untested, 'predicted site')} {'was' if untested == 1 else 'were'} left untested,"
            f" at the frame, under the mask or {beyond}."
        )
    return words


def scope(result: Result) -> str:
    """What this result can never say, whatever the image."""
    if not has_lattice(result):
        return ""
    if result.summary.get("planar") is not None:
        return "Brightness names no element."
    return (
        "Point defects only: boundaries, stacking faults and dislocations were not looked for, and "
        "brightness names no element."
    )


def scale_words(result: Result) -> str:
    """Where the scale comes from, or what its absence means."""
    summary = result.summary
    size = summary.get("pixel_size")
    if not size and not has_lattice(result):
        return "The pixel size is unknown."
    if not size:
        return (
            "The pixel size is unknown, so lengths are in pixels and densities per site "
            "(--pixel-size or --lattice-constant gives densities per nm²)."
        )
    area = summary.get("area")
    words = f"Pixel size {number(size, 4)} Å ({scale_source(summary)})"
    return words + (f"; analysed area {number(area)} nm²." if area else ".")


def scale_source(summary: dict[str, Any]) -> str:
    """Who said how large a pixel is."""
    source = {"file": "from the file", "given": "as given", "lattice constant": "from the lattice constant"}
    return source.get(str(summary.get("pixel_size_from")), "unknown source")


def measures(row: pd.Series[Any]) -> str:
    """What was measured of one defect; a line breaks only between the numbers.

    Of a hole that is its box; its z and q would be those of one column of many.
    """
    if row["kind"] in EXTENDED:
        return " · ".join(words.replace(" ", SPACE) for words in _extended(row))
    figures = {"ratio": number(row["ratio"], 2)}
    if row["kind"] == "hole":
        figures = {"size": f"{row['length']:.0f} × {row['width']:.0f} px", **figures}
    else:
        figures |= {"z": number(row["z"], 3)} if pd.notna(row["z"]) else {"score": number(row["score"], 3)}
        figures |= {"q": probability(row["q_value"])}
    return " · ".join(f"{name} {words}".replace(" ", SPACE) for name, words in figures.items())


def _extended(row: pd.Series[Any]) -> list[str]:
    """The numbers of a boundary, a fault or a dislocation that are known."""
    known = {name: row[name] for name in ("length", "misorientation", "rx", "ry", "bx", "by")}
    told = {name: value for name, value in known.items() if pd.notna(value)}
    words = [f"length {number(told['length'])} px"] if "length" in told and row["path"] else []
    if "misorientation" in told:
        words.append(f"misorientation {math.degrees(told['misorientation']):.1f}°")
    if "rx" in told and "ry" in told:
        name = "R" if row["path"] else "Burgers vector"
        words.append(f"{name} ({number(told['rx'], 2)}, {number(told['ry'], 2)})")
    if "bx" in told and "by" in told:
        words.append(f"{number(math.hypot(told['bx'], told['by']), 3)} Å")
    return words


def place_words(sublattice: str) -> str:
    """Where a defect sits; nothing for one that sits on no single sublattice.

    Examples
    --------
    >>> place_words("A"), place_words("hollow"), place_words("hollow 2"), place_words("")
    ('sublattice A', 'hollow site', 'hollow site 2', '')
    >>> place_words("grain 1 · A")
    'sublattice A in grain 1'
    """
    grain, _, own = sublattice.rpartition(" · ")
    if grain:
        return f"{place_words(own)} in {grain}"
    if sublattice.startswith("hollow"):
        return sublattice.replace("hollow", "hollow site", 1)
    return f"sublattice {sublattice}" if sublattice else ""
