"""The tables of a result: sites, defects and domains."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..crystal.perfect_crystal import PerfectCrystal
from ..defects import defect_table
from ..image import Image
from .grain import Grain


def site_table(
    image: Image,
    grains: Sequence[Grain],
    *,
    corner: NDArray[np.int_],
    pixel_size: float | None,
    method: str,
) -> pd.DataFrame:
    """One row per site, grain after grain and sublattice after sublattice.

    Parameters
    ----------
    corner : (y, x) px of the analysed window.
    pixel_size : Å/px, None when unknown.
    method : that scored the sites.
    """
    scale = math.nan if pixel_size is None else pixel_size
    tables = [_grain_table(image, grain, corner=corner, scale=scale, method=method) for grain in grains]
    table = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
    return table.assign(id=np.arange(len(table)))


def _grain_table(
    image: Image, grain: Grain, *, corner: NDArray[np.int_], scale: float, method: str
) -> pd.DataFrame:
    crystal, scores, kind = grain.crystal, grain.scores, grain.kind
    sites = crystal.sites
    names = np.array([s.name for s in crystal.sublattices])
    ratio = scores.mean_ratio
    # nothing stands at an empty site: its position is where the lattice wants it
    empty = crystal.hollow | np.isin(kind, ("vacancy", "hole"))
    offset = np.where(empty[:, None], np.nan, crystal.offsets)
    place = sites.positions + corner + np.nan_to_num(offset)
    columns = {
        "image": image.name,
        "frame": image.frame,
        "kind": kind,
        "y": place[:, 0],
        "x": place[:, 1],
        "dy": offset[:, 0],
        "dx": offset[:, 1],
        "y_A": place[:, 0] * scale,
        "x_A": place[:, 1] * scale,
        "length": crystal.nearest,
        "width": crystal.nearest,
        "angle": 0.0,
        "grain": grain.number,
        "sublattice": names[sites.sublattice],
        "ratio": ratio,
        "z": scores.z,
        "score": scores.score,
        "p_value": scores.p_value,
        "q_value": scores.q_value,
        "method": method,
    }
    if image.n_channels > 1:
        columns |= {f"ratio_{c + 1}": values for c, values in enumerate(scores.ratio)}
    return defect_table(columns, n_channels=image.n_channels)


def defect_rows(sites: pd.DataFrame, hole: NDArray[np.int_]) -> pd.DataFrame:
    """One row per defect, the strangest first; the sites of a hole together are one.

    Parameters
    ----------
    hole : (n,) number of the hole that each site belongs to, -1 for most.
    """
    rows = [sites[~sites["kind"].isin(("none", "hole"))]]
    for number in range(int(hole.max(initial=-1)) + 1):
        members = sites[hole == number]
        row = members.loc[[members["score"].idxmax()]].copy()
        middle = ["y", "x", "y_A", "x_A", "ratio"]
        row[middle] = members[middle].mean().to_numpy()[None]
        row[["length", "width", "angle"]] = [
            _box(members[["y", "x"]].to_numpy(), float(row["length"].iloc[0]))
        ]
        row["sublattice"] = ""
        rows.append(row)
    defects = pd.concat(rows) if len(rows) > 1 else rows[0]
    return defects.sort_values(["score", "id"], ascending=[False, True]).reset_index(drop=True)


def _box(positions: NDArray[np.float64], nearest: float) -> tuple[float, float, float]:
    """Length, width [px] and angle [rad] of the box round columns at positions (n, 2) as (y, x)."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    length, width = np.ptp(centred @ axes, axis=0) + nearest
    angle = float(np.arctan2(axes[0, 0], axes[1, 0]) % np.pi)
    return (length, width, angle) if length >= width else (width, length, (angle + np.pi / 2) % np.pi)


def domain_table(crystals: Sequence[PerfectCrystal], domains: NDArray[np.int8]) -> pd.DataFrame:
    """One row per domain: its area, lattice and number of sites.

    Parameters
    ----------
    domains : (y, x), number of the domain of each pixel, -1 for none.
    """
    vectors = np.array([crystal.lattice.vectors.ravel() for crystal in crystals])
    return pd.DataFrame(
        {
            "domain": np.arange(len(crystals)),
            "area": np.bincount(domains[domains >= 0], minlength=len(crystals)),
            **dict(zip(("ay", "ax", "by", "bx"), vectors.T, strict=True)),
            "coherence": [crystal.lattice.coherence for crystal in crystals],
            "n_sites": [len(crystal.sites) for crystal in crystals],
        }
    )
