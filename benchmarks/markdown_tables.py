"""How the tables of the benchmarks are written."""

from __future__ import annotations

import math
from typing import Any

from antisite.evaluate.scores import RocArea, Score


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table, its columns those of the first row."""
    if not rows:
        return "(ANTISITE_DATA not given)\n"
    lines = [list(rows[0]), ["---"] * len(rows[0]), *[[str(cell) for cell in row.values()] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def interval(score: Score | RocArea, digits: int) -> str:
    """A value and its 95 % interval; a dash where it is unknown."""
    if math.isnan(score.value):
        return "–"
    return f"{score.value:.{digits}f} ({score.low:.{digits}f} to {score.high:.{digits}f})"
