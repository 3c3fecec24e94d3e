"""What is told of boundaries, faults and dislocations: each with its numbers, and how dense they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detect.domain_map import domains_at, domains_beside
from ..detect.lines import sample_line
from ..detect.planar_defects import Dislocation, PlanarDefect
from ..detect.significance import poisson_interval
from .crystal_search import Specimen
from .planar_rows import WIDTH

_FAULTS = ("stacking_fault", "antiphase_boundary", "planar_defect", "twin_boundary")
_LEVEL = math.radians(0.5)  # of a line along the rows of pixels


def summarise_planar(
    specimen: Specimen, *, corner: NDArray[np.int_], pixel_size: float | None, first_id: int
) -> dict[str, Any]:
    """Lines, dislocations and their densities, JSON-ready.

    Parameters
    ----------
    corner : (y, x) px of the analysed window.
    pixel_size : Å/px, None when unknown.
    first_id : of the first line; the other lines and then the dislocations follow.

    Notes
    -----
    Intervals are those of a Poisson count. Of a length, the count is that of the lines; without any, a
    line could be as long as the square root of the area.
    """
    lines, cores = specimen.lines, specimen.dislocations
    scale = None if pixel_size is None else pixel_size / 10
    boundaries = [_boundary(line, specimen, corner, scale, first_id + i) for i, line in enumerate(lines)]
    area = float((specimen.domains >= 0).sum()) * (1 if scale is None else scale**2)
    unit = "px" if scale is None else "nm"
    total = sum(one["length"] for one in boundaries) * (1 if scale is None else scale)
    low, high = poisson_interval(len(lines))
    longest = total / len(lines) if lines else math.sqrt(area)
    n_faults = sum(line.kind.kind in _FAULTS for line in lines)
    return {
        "boundaries": boundaries,
        "dislocations": [
            _dislocation(core, specimen, corner, pixel_size, first_id + len(lines) + i, first_id)
            for i, core in enumerate(cores)
        ],
        "length_density": {
            "value": total / area,
            "low": low * longest / area,
            "high": high * longest / area,
            "unit": f"1/{unit}",
        },
        "dislocation_density": _count(len(cores), area, f"1/{unit}2"),
        "fault_density": _count(n_faults, area, f"1/{unit}2"),
        "warnings": [
            f"the line with id {first_id + i} follows a row of pixels over the whole width: it may be a jump "
            "of the scan, which looks the same"
            for i, line in enumerate(lines)
            if _is_scan_row(line, specimen.domains.shape)
        ],
    }


def _boundary(
    line: PlanarDefect, specimen: Specimen, corner: NDArray[np.int_], scale: float | None, number: int
) -> dict[str, Any]:
    length = sample_line(line.path, spacing=line.cell).length
    turned = math.isfinite(line.kind.misorientation)
    shifted = bool(np.isfinite(line.shift).all())
    between = domains_beside(specimen.domains, line.path, cell=line.cell)
    return {
        "id": number,
        "kind": line.kind.kind,
        "name": line.kind.name,
        "grains": list(between),
        "length": length,
        "length_nm": None if scale is None else length * scale,
        "path": (line.path + corner)[:, ::-1].tolist(),
        "path_sd": line.sd,
        "width": WIDTH * line.cell,
        "misorientation": line.kind.misorientation if turned else None,
        "misorientation_sd": line.kind.misorientation_sd if turned and not shifted else None,
        "mirror": line.kind.mirror,
        "shift": line.shift.tolist() if shifted else None,
        "shift_sd": line.shift_sd.tolist() if shifted else None,
    }


def _dislocation(
    core: Dislocation,
    specimen: Specimen,
    corner: NDArray[np.int_],
    pixel_size: float | None,
    number: int,
    first_line: int,
) -> dict[str, Any]:
    y, x = core.position + corner
    known = bool(np.isfinite(core.burgers).all())
    vector = core.burgers_px[::-1]
    return {
        "id": number,
        "x": float(x),
        "y": float(y),
        "sd": core.sd,
        "burgers": core.burgers.tolist() if known else None,
        "burgers_px": vector.tolist() if known else None,
        "burgers_A": (vector * pixel_size).tolist() if known and pixel_size is not None else None,
        "partial": core.partial,
        "boundary": first_line + core.line if core.line >= 0 else None,
        "grain": int(domains_at(specimen.domains, core.position[None])[0]),
    }


def _count(n: int, area: float, unit: str) -> dict[str, Any]:
    low, high = poisson_interval(n)
    return {"n": n, "value": n / area, "low": low / area, "high": high / area, "unit": unit}


def _is_scan_row(line: PlanarDefect, shape: tuple[int, ...]) -> bool:
    rise, run = np.abs(line.path[-1] - line.path[0])
    level = np.arctan2(rise, run) < _LEVEL and run > 0.95 * (shape[1] - 1)
    return bool(level and np.isfinite(line.shift).all())  # a jump turns nothing
