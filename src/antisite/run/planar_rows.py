"""Boundaries, faults and dislocations as rows of the tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..defects import defect_table, path_text
from ..detect.domain_map import domains_at, domains_beside
from ..detect.lines import locate, sample_line
from ..detect.planar_defects import BELONGS, Dislocation, PlanarDefect
from ..image import Image
from .crystal_search import Specimen

Array = NDArray[np.float64]
WIDTH = 4.0  # √(cell area), of the box round a line


def planar_rows(
    image: Image,
    specimen: Specimen,
    *,
    corner: NDArray[np.int_],
    pixel_size: float | None,
    first_id: int,
    like: pd.DataFrame,
) -> pd.DataFrame:
    """One row per line, then one per dislocation, with the columns of the table `like`.

    Parameters
    ----------
    corner : (y, x) px of the analysed window.
    pixel_size : Å/px, None when unknown.
    first_id : of the first row; the others follow.
    """
    scale = math.nan if pixel_size is None else pixel_size
    rows = [_line_row(line, specimen, corner) for line in specimen.lines]
    rows += [_core_row(core, specimen, corner, scale) for core in specimen.dislocations]
    if not rows:
        return like.iloc[:0]
    table = pd.DataFrame(rows)
    columns = {str(name): values for name, values in table.items()} | {
        "id": first_id + np.arange(len(rows)),
        "image": image.name,
        "frame": image.frame,
        "y_A": table["y"] * scale,
        "x_A": table["x"] * scale,
        "method": "planar",
    }
    return defect_table(columns, n_channels=image.n_channels)


def _line_row(line: PlanarDefect, specimen: Specimen, corner: NDArray[np.int_]) -> dict[str, object]:
    path = line.path + corner
    even = sample_line(path, spacing=line.cell)
    middle = np.array([np.interp(even.length / 2, even.along, p) for p in even.places.T])
    centred = even.places - even.places.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    across = centred @ np.array([axis[1], -axis[0]])
    return {
        "kind": line.kind.kind,
        "y": middle[0],
        "x": middle[1],
        "length": float(np.ptp(centred @ axis)),
        "width": WIDTH * line.cell + float(np.ptp(across)),
        "angle": float(np.arctan2(*axis) % np.pi),
        "path": path_text(np.round(path, 2)),
        "grain": max(min(domains_beside(specimen.domains, line.path, cell=line.cell)), 0),
        "misorientation": line.kind.misorientation,
        "mirror": line.kind.mirror,
        "rx": line.shift[0],
        "ry": line.shift[1],
        "bx": math.nan,
        "by": math.nan,
    }


def _core_row(
    core: Dislocation, specimen: Specimen, corner: NDArray[np.int_], scale: float
) -> dict[str, object]:
    y, x = core.position + corner
    return {
        "kind": "dislocation",
        "y": y,
        "x": x,
        "length": specimen.crystal.nearest,
        "width": specimen.crystal.nearest,
        "angle": 0.0,
        "path": "",
        "grain": max(int(domains_at(specimen.domains, core.position[None])[0]), 0),
        "misorientation": math.nan,
        "mirror": pd.NA,
        "rx": core.burgers[0],
        "ry": core.burgers[1],
        "bx": core.burgers_px[1] * scale,
        "by": core.burgers_px[0] * scale,
    }


def sites_of_lines(sites: pd.DataFrame, specimen: Specimen, *, corner: NDArray[np.int_]) -> pd.DataFrame:
    """The sites, those beside a line or core with its kind: they were not compared with the crystal."""
    kind = sites["kind"].to_numpy(dtype=object).copy()
    places = np.asarray(sites[["y", "x"]].to_numpy() - corner, dtype=float)
    free = kind == "none"
    for line in specimen.lines:
        even = sample_line(line.path, spacing=0.25 * line.cell)
        along, across = locate(places, even)
        near = (np.abs(across) < BELONGS * line.cell) & (along >= 0) & (along <= even.length)
        kind[near & free] = line.kind.kind
    for core in specimen.dislocations:
        reach = BELONGS * specimen.crystal.lattice.size
        near = np.hypot(*(places - core.position).T) < reach
        kind[near & free] = "dislocation"
    return sites.assign(kind=pd.Series(kind, index=sites.index, dtype="str"))
