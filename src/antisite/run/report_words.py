"""The result in words and figures that a person reads."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ..defects import KINDS
from ..plot.defects import count_kinds, kind_words
from ..result import Result

MEANINGS = {
    "vacancy": "a column is missing",
    "partial_vacancy": "part of a column is missing",
    "substitution": "another element sits in the column",
    "interstitial": "intensity where the lattice leaves a gap",
    "antisite": "an element of the crystal on the wrong site",
    "bright_site": "brighter than its equals; the cause is not known",
    "dim_site": "darker than its equals; the cause is not known",
    "complex": "several neighbouring sites depart together",
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
UNITS = {"nm2": "per nm²", "site": "% of tested sites"}


def number(value: Any, digits: int = 3) -> str:
    """A number to so many significant digits with a true minus; a dash where it is unknown.

    Examples
    --------
    >>> number(1234567, 9), number(-0.012345), number(None), number(float("nan"))
    ('1,234,567', '−0.0123', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value and not 1e-4 <= abs(value) < 1e7:
        power = math.floor(math.log10(abs(value)))
        return f"{number(value / 10.0**power, digits)} × 10{str(power).translate(_RAISED)}"
    if float(value).is_integer():
        return f"{int(value):,}".replace("-", "−")
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if places else text).replace("-", "−")


def fixed(value: float, places: int) -> str:
    """A number with so many decimals, so that columns of them stand in line.

    Examples
    --------
    >>> fixed(-2.345, 1), fixed(float("nan"), 1)
    ('−2.3', '–')
    """
    return f"{value:.{places}f}".replace("-", "−") if math.isfinite(value) else "–"


def counted(n: int, words: str, many: str = "") -> str:
    """`1 site`, `2 sites`."""
    return f"{n:,} {words if n == 1 else many or words + 's'}"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def n_tested(result: Result) -> int:
    """How many sites, hollow ones included, were compared with their equals."""
    return int(result.sites["z"].notna().sum())


def headline(result: Result) -> str:
    """One sentence: how many defects of which kinds, or why none."""
    if not result.summary.get("lattice_found"):
        reason = str(result.summary.get("reason") or "").rstrip(".")
        return "No lattice was found, so nothing could be judged" + (f": {reason}." if reason else ".")
    counts = count_kinds(result.defects)
    tested = counted(n_tested(result), "tested site")
    if not counts:
        return f"No defects were found among {tested}."
    kinds = listed([f"{n:,} {kind_words(kind, n)}" for kind, n in counts.items()])
    return f"{counted(len(result.defects), 'defect')} among {tested}: {kinds}."


def false_share(result: Result) -> str:
    """What share of the flags may be false, in words."""
    fdr = result.summary.get("fdr")
    if not fdr or not result.summary.get("lattice_found"):
        return ""
    expected = fdr * len(result.defects)
    share = f": {number(expected, 2)} of these {len(result.defects):,}" if expected >= 1 else ""
    return (
        f"The limits were set so that about {number(100 * fdr)} % of the flagged sites, at most, "
        f"are false (the stated false-discovery rate){share}."
    )


def coverage(result: Result) -> str:
    """What was not analysed, in words."""
    summary = result.summary
    if not summary.get("lattice_found"):
        return ""
    words = f"{number(100 * summary['analysed_fraction'])} % of the image was analysed."
    untested = len(result.sites) - n_tested(result)
    if untested:
        words += (
            f" {counted(untested, 'predicted site')} {'was' if untested == 1 else 'were'} left untested,"
            f" at the frame, under the mask or outside the analysed crystal."
        )
    return words


def scale_words(result: Result) -> str:
    """Where the scale comes from, or what its absence means."""
    summary = result.summary
    size, origin = summary.get("pixel_size"), summary.get("pixel_size_from")
    if not size:
        return (
            "The pixel size is unknown, so lengths are in pixels and densities per site "
            "(--pixel-size or --lattice-constant gives densities per nm²)."
        )
    source = {"file": "from the file", "given": "as given", "lattice constant": "from the lattice constant"}
    area = summary.get("area")
    words = f"Pixel size {number(size, 4)} Å ({source.get(str(origin), 'unknown source')})"
    return words + (f"; analysed area {number(area)} nm²." if area else ".")


def density_rows(result: Result) -> list[dict[str, Any]]:
    """The densities in the order of the table of kinds, that of all defects last."""
    order = {kind: i for i, kind in enumerate(KINDS)}
    rows = result.summary.get("densities") or []
    return sorted((row for row in rows if row["n"]), key=lambda row: order.get(row["kind"], len(order)))


def density_words(row: dict[str, Any]) -> tuple[str, str]:
    """Density and its 95 % interval; shares of sites as percentages."""
    factor = 100 if row["per"] == "site" else 1
    density, low, high = (
        None if row[key] is None else factor * row[key] for key in ("density", "low", "high")
    )
    return number(density), f"{number(low)} to {number(high)}"


def measures(row: pd.Series[Any]) -> str:
    """What was measured of one defect; a line breaks only between the numbers."""
    figures = {"ratio": (row["ratio"], 2), "z": (row["z"], 3), "q": (row["q_value"], 2)}
    return " · ".join(f"{name}\N{NO-BREAK SPACE}{number(*figure)}" for name, figure in figures.items())


def place_words(sublattice: str) -> str:
    """Where a defect sits.

    Examples
    --------
    >>> place_words("A"), place_words("hollow"), place_words("hollow 2")
    ('sublattice A', 'hollow site', 'hollow site 2')
    """
    if sublattice.startswith("hollow"):
        return sublattice.replace("hollow", "hollow site", 1)
    return f"sublattice {sublattice}"
