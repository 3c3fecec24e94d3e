"""The result in words that a person reads."""

from __future__ import annotations

from typing import Any

import pandas as pd

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
}


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


def headline(result: Result) -> str:
    """One sentence: how many defects of which kinds, or that there is no lattice."""
    if not has_lattice(result):
        return "No lattice was found"
    counts = count_kinds(result.defects)
    tested = counted(n_tested(result), "tested site")
    if not counts:
        return f"No defects were found among {tested}."
    kinds = listed([f"{n:,} {kind_words(kind, n)}" for kind, n in counts.items()])
    return f"{counted(len(result.defects), 'defect')} among {tested}: {kinds}."


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
    words = f"{number(100 * summary['analysed_fraction'])} % of the image was analysed."
    untested = len(result.sites) - n_tested(result)
    if untested:
        words += (
            f" {counted(untested, 'predicted site')} {'was' if untested == 1 else 'were'} left untested,"
            f" at the frame, under the mask or outside the analysed crystal."
        )
    return words


def scope(result: Result) -> str:
    """What this result can never say, whatever the image."""
    if not has_lattice(result):
        return ""
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
    figures = {"ratio": number(row["ratio"], 2)}
    if row["kind"] == "hole":
        figures = {"size": f"{row['length']:.0f} × {row['width']:.0f} px", **figures}
    else:
        figures |= {"z": number(row["z"], 3)} if pd.notna(row["z"]) else {"score": number(row["score"], 3)}
        figures |= {"q": probability(row["q_value"])}
    return " · ".join(f"{name} {words}".replace(" ", SPACE) for name, words in figures.items())


def place_words(sublattice: str) -> str:
    """Where a defect sits; nothing for one that sits on no single sublattice.

    Examples
    --------
    >>> place_words("A"), place_words("hollow"), place_words("hollow 2"), place_words("")
    ('sublattice A', 'hollow site', 'hollow site 2', '')
    """
    if sublattice.startswith("hollow"):
        return sublattice.replace("hollow", "hollow site", 1)
    return f"sublattice {sublattice}" if sublattice else ""
