"""What a person reads in the terminal: one screen for one input, one line each for several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..defects import LINE_KINDS
from ..run.batch import Outcome
from ..run.report.recall import entry_name, recall_at
from .show_planar import planar_texts

_LABEL = 11
_MAX_ROWS = 12
_SOURCES = {
    "file": "from the file",
    "given": "as given",
    "lattice constant": "from the lattice constant",
}


def detect_text(outcomes: Sequence[Outcome]) -> str:
    """One screen for one input; for several, a line each and where the files are."""
    if len(outcomes) != 1:
        return batch_text(outcomes)
    outcome = outcomes[0]
    if not outcome.summary:
        return ""
    if outcome.status == "no_lattice":
        return "\n".join([heading(outcome), line("lattice", "none found"), files_line(outcome)])
    s = outcome.summary
    parts = [heading(outcome), *lattice_lines(s), area_line(s)]
    parts += [line(label, text) for label, text in planar_texts(s)]
    parts += [sites_line(s), *defect_lines(s), *check_lines(s)]
    return "\n".join([*parts, *warning_lines(s), files_line(outcome)])


def batch_text(outcomes: Sequence[Outcome]) -> str:
    """One line for each input and for each of its warnings, then where the files are."""
    width = max(len(outcome.path.name) for outcome in outcomes)
    lines = []
    for outcome in outcomes:
        lines.append(f"{outcome.path.name:<{width}}  {batch_cell(outcome)}")
        lines += [f"  {warning}" for warning in warning_lines(outcome.summary)]
    written = [outcome.folder for outcome in outcomes if outcome.folder]
    if written:
        lines.append(line("files", f"{written[0].parent}/<stem>/report.html"))
    return "\n".join(lines)


def batch_cell(outcome: Outcome) -> str:
    """What became of one input, on one line."""
    if outcome.status == "no_lattice":
        return "no lattice"
    if outcome.status != "done":
        return "failed" if outcome.status == "failed" else "needs a choice"
    counts = outcome.summary["counts"]
    kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n and kind != "none")
    return kinds or "no defects"


def line(label: str, text: str) -> str:
    """A labelled line, aligned with the others."""
    return f"{label:<{_LABEL}} {text}"


def heading(outcome: Outcome) -> str:
    """File, size, detectors and frame."""
    s = outcome.summary
    y, x = s["shape"]
    parts = [f"{y} × {x} px"]
    parts += [f"{s['n_channels']} detectors"] if s["n_channels"] > 1 else []
    parts += [f"frame {s['frame']}"] if s["frame"] else []
    return f"{outcome.path.name}  ({' · '.join(parts)})"


def lattice_lines(s: dict[str, Any]) -> list[str]:
    """Lattice vectors and cell of each grain, and the scale."""
    grains = s["grains"]
    several = len(grains) > 1
    lines = [
        line(f"grain {grain['grain']}" if several else "lattice", _lattice_text(grain, several=several))
        for grain in grains[:_MAX_ROWS]
    ]
    return [*lines, line("scale", scale_text(s))]


def _lattice_text(grain: dict[str, Any], *, several: bool) -> str:
    lattice = grain["lattice"]
    a, b = (_length(lattice[v], lattice[f"{v}_A"]) for v in "ab")
    parts = [f"a {a}", f"b {b}", f"{math.degrees(lattice['gamma']):.1f}°"]
    parts += [f"direction {math.degrees(lattice['angle']):.1f}°"] if several else []
    parts += [f"cell {lattice['cell_area']:.1f} px²", f"coherence {lattice['coherence']:.2f}"]
    return " · ".join(parts + ([f"{100 * grain['area_fraction']:.0f} % of the image"] if several else []))


def _length(px: float, angstrom: float | None) -> str:
    return f"{px:.2f} px" if angstrom is None else f"{px:.2f} px = {angstrom:.3f} Å"


def scale_text(s: dict[str, Any]) -> str:
    """Pixel size and where it comes from."""
    if s["pixel_size"] is None:
        return "unknown: give --pixel-size or --lattice-constant for densities per nm²"
    return f"{s['pixel_size']:.4g} Å/px, {_SOURCES.get(s['pixel_size_from'], s['pixel_size_from'])}"


def area_line(s: dict[str, Any]) -> str:
    """How much was looked at."""
    area = "" if not s["area"] else f" · {s['area']:.4g} nm² tested"
    grains = f" · {s['n_domains']} grains" if s["n_domains"] > 1 else ""
    return line("analysed", f"{100 * s['analysed_fraction']:.0f} % of the image{area}{grains}")


def sites_line(s: dict[str, Any]) -> str:
    """How many sites of each sublattice were tested, grain by grain."""
    tested = [
        " · ".join(f"{sub['name']} {sub['n_tested']}" for sub in grain["sublattices"])
        for grain in s["grains"]
    ]
    if len(tested) > 1:
        tested = [f"grain {k}: {own}" for k, own in enumerate(tested[:_MAX_ROWS])]
    return line("sites", f"{', '.join(tested)} tested")


def defect_lines(s: dict[str, Any]) -> list[str]:
    """Counts and densities with their intervals, kind by kind."""
    n = sum(count for kind, count in s["counts"].items() if kind not in ("none", *LINE_KINDS))
    lines = [line("defects", f"{n} (false discovery rate {100 * s['fdr']:g} %)")]
    rows = s["densities"][:_MAX_ROWS]
    if not n or not rows:
        return lines
    cells = [_density_cells(row) for row in rows]
    unit = "per nm²" if rows[0]["per"] == "nm2" else "per site"
    cells.insert(0, ("kind", "sublattice", "n", unit, "95 % interval", "recall", "corrected"))
    kind, sublattice = (max(len(row[i]) for row in cells) for i in (0, 1))
    checked = any(row["recall"] is not None for row in rows)
    for c in cells:
        told = f"  {c[0]:<{kind}}  {c[1]:<{sublattice}} {c[2]:>6} {c[3]:>10}   {c[4]}"
        lines.append(f"{told:<{kind + sublattice + 46}} {c[5]:>6} {c[6]:>10}" if checked else told)
    if len(s["densities"]) > len(rows):
        lines.append(f"  and {len(s['densities']) - len(rows)} more in the report")
    return lines


def _density_cells(row: dict[str, Any]) -> tuple[str, ...]:
    interval = "–" if row["density"] is None else f"{row['low']:.3g} … {row['high']:.3g}"
    numbers = (_known(row["density"], "{:.3g}"), interval, _known(row["recall"], "{:.2f}"))
    return row["kind"], row["sublattice"], str(row["n"]), *numbers, _known(row["corrected"], "{:.3g}")


def _known(value: float | None, how: str) -> str:
    return "–" if value is None else how.format(value)


def check_lines(s: dict[str, Any]) -> list[str]:
    """What the self-check found of the defects that it planted, and how many discoveries were false."""
    check = s.get("self_check")
    if not check or not check["recall"]:
        return []
    dark = [entry for entry in check["recall"] if entry["side"] == "dark"]
    several = len(s.get("grains", ())) > 1
    lines: list[str] = []
    for change, words in ((-0.5, "50 % dimmer"), (-0.3, "30 % dimmer")):
        found = (", " if several else " · ").join(
            f"{entry_name(entry, several=several)} {recall_at(entry, change)[0]:.2f}" for entry in dark
        )
        lines += [line("" if lines else "would find", f"columns {words}: {found}")] if found else []
    rate = check["realised"]
    if rate["n_discoveries"]:
        false = f"{100 * rate['rate']:.2g} % ({100 * rate['low']:.2g} … {100 * rate['high']:.2g} %)"
        lines.append(line("", f"false, of what was found: {false} with planted defects"))
    if check["fdr_used"] < check["fdr_nominal"]:
        lines.append(line("", f"limits tightened to {100 * check['fdr_used']:.2g} % until the rate held"))
    return lines


def warning_lines(s: dict[str, Any]) -> list[str]:
    """What the reader must know before believing the numbers."""
    planar = s.get("planar") or {}
    return [line("warning", text) for text in (*s.get("warnings", ()), *planar.get("warnings", ()))]


def files_line(outcome: Outcome) -> str:
    """Where the files are."""
    return line("files", f"{outcome.folder}/report.html, beside tables, overlay.png and result.json")
