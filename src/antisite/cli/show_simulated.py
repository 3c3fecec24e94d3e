"""What `antisite simulate` prints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..plot.defects import kind_words
from .show import line

if TYPE_CHECKING:
    from rich.table import Table


def simulated_text(folder: Path, summary: Mapping[str, Any]) -> str:
    """What was simulated, what is in it, and where the files are."""
    ny, nx = summary["shape"]
    scale = f" · {summary['pixel_size']:.4g} Å/px" if "pixel_size" in summary else ""
    lines = [f"{summary['name']} · {ny} × {nx} px{scale}"]
    lines += [line("fitted", text) for text in _fitted(summary.get("fitted"))]
    if "defects" in summary:
        lines.append(line("sites", f"{summary['n_sites']:,} in the frame"))
        lines.append(line("defects", _defects(summary["defects"])))
    lines.append(line("signal", f"{_signal(summary)} on average"))
    return "\n".join([*lines, line("files", f"{folder}: {', '.join(summary['files'])}")])


def fields_text(folder: Path, summary: Mapping[str, Any]) -> str:
    """How many fields of what, and where they are."""
    ny, nx = summary["shape"]
    lines = [
        f"{summary['name']} · {summary['n_fields']:,} × {ny} × {nx} px · {summary['pixel_size']:.4g} Å/px"
    ]
    if "n_patches" in summary:
        size = summary["patch"]
        shards = f"{summary['n_shards']:,} {'shard' if summary['n_shards'] == 1 else 'shards'}"
        lines.append(line("patches", f"{summary['n_patches']:,} of {size} × {size} px in {shards}"))
    return "\n".join([*lines, line("files", f"{folder} ({summary['format']})")])


def specimen_table(rows: Iterable[tuple[str, str, str, str]]) -> Table:
    """The library, for a terminal."""
    from rich.table import Table

    table = Table("name", "structure", "cell", "columns", title="Specimens known by name")
    for column in table.columns[::2]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*row)
    return table


def _signal(summary: Mapping[str, Any]) -> str:
    """The mean of each detector, and in what it is counted."""
    recording = summary["settings"].get("recording", {"dose": math.inf})
    factor, unit = 1, "as gain and offset make it"
    if "fitted" in summary:
        unit = "in the values of the image matched"
    elif math.isinf(recording["dose"]):
        factor, unit = 100, "% of the beam"
    elif (recording["readout"]["gain"], recording["readout"]["offset"]) == (1, 0):
        unit = "electrons per pixel"
    return f"{', '.join(f'{factor * mean:.4g}' for mean in summary['mean'])} {unit}"


def _defects(counts: Iterable[Mapping[str, Any]]) -> str:
    told = [
        f"{one['n']} {kind_words(one['kind'], one['n'])}" + (f" ({one['species']})" if one["species"] else "")
        for one in counts
    ]
    return ", ".join(told) or "none"


def _fitted(fitted: Mapping[str, Any] | None) -> list[str]:
    """What was found in the image that is matched."""
    if fitted is None:
        return []
    first = fitted["detectors"][0]
    dose = "no noise" if math.isinf(first["dose"]) else f"{first['dose']:.3g} e/Å²"
    return [
        f"pixel size {fitted['pixel_size']:.4g} Å · a at {math.degrees(fitted['rotation']):.1f}°"
        f" · source {fitted['optics']['source_size']:.2g} Å",
        f"dose {dose} · film {100 * first['contamination']['strength']:.2g} % of the signal"
        f" · mean cell misses {100 * first['misfit']:.2g} %",
    ]
