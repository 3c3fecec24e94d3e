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
    "hole": "ten or more missing columns side by side",
}
_DENSITY = ("per", "density", "low", "high")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
UNITS = {"nm2": "per nm²", "site": "per site"}
_LEAST_P = 1e-10  # no distribution is known that far out


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
        times = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
        return f"{number(value / 10.0**power, digits)}{times}10{str(power).translate(_RAISED)}"
    if float(value).is_integer():
        return f"{int(value):,}".replace("-", "−")
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if places else text).replace("-", "−")


def probability(value: float) -> str:
    """A p- or q-value to two digits, as far down as it means anything."""
    return "<\N{NO-BREAK SPACE}10⁻¹⁰" if value < _LEAST_P else number(value, 2)


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
    """One sentence: how many defects of which kinds, or that there is no lattice."""
    if not result.summary.get("lattice_found"):
        return "No lattice was found"
    counts = count_kinds(result.defects)
    tested = counted(n_tested(result), "tested site")
    if not counts:
        return f"No defects were found among {tested}."
    kinds = listed([f"{n:,} {kind_words(kind, n)}" for kind, n in counts.items()])
    return f"{counted(len(result.defects), 'defect')} among {tested}: {kinds}."


def no_lattice_words(result: Result) -> str:
    """Why nothing could be judged; nothing when there is a lattice."""
    if result.summary.get("lattice_found"):
        return ""
    reason = str(result.summary.get("reason") or "").removeprefix("no lattice found: ").rstrip(".")
    return "Nothing could be judged" + (f": {reason}." if reason else ".")


def false_share(result: Result) -> str:
    """What share of the flags may be false, in words."""
    fdr = result.summary.get("fdr")
    if not fdr or not result.summary.get("lattice_found"):
        return ""
    expected = fdr * len(result.defects)
    share = f": {number(expected, 2)} of these {len(result.defects):,}" if expected >= 1 else ""
    return (
        f"The limits are meant to let about {number(100 * fdr)} % of the flagged sites, at most, be false "
        f"(the stated false-discovery rate){share}. They rest on a normal distribution of perfect sites; "
        f"contamination and strain can add to the false ones."
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
    if not size and not summary.get("lattice_found"):
        return "The pixel size is unknown."
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
    """The densities in the order of the table of kinds; a kind that is only counted has none."""
    order = {kind: i for i, kind in enumerate(KINDS)}
    rows = [row for row in result.summary.get("densities") or [] if row["n"]]
    dense = {row["kind"] for row in rows}
    for kind, n in (result.summary.get("counts") or {}).items():
        if n and kind not in dense:
            rows.append({"kind": kind, "sublattice": "all", "n": n, **dict.fromkeys(_DENSITY)})
    return sorted(rows, key=lambda row: order.get(row["kind"], len(order)))


def density_words(row: dict[str, Any]) -> tuple[str, str]:
    """Density and its 95 % interval; dashes where they are unknown."""
    if row["density"] is None:
        return "–", "–"
    return number(row["density"]), f"{number(row['low'])} to {number(row['high'])}"


def measures(row: pd.Series[Any]) -> str:
    """What was measured of one defect; a line breaks only between the numbers.

    Of a hole that is its box; its z and q would be those of one column of many.
    """
    figures = {"ratio": number(row["ratio"], 2)}
    if row["kind"] == "hole":
        figures = {"size": f"{row['length']:.0f} × {row['width']:.0f} px", **figures}
    else:
        figures |= {"z": number(row["z"], 3), "q": probability(row["q_value"])}
    return " · ".join(f"{name} {words}".replace(" ", "\N{NO-BREAK SPACE}") for name, words in figures.items())


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
