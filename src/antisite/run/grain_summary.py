"""The numbers of one grain: its lattice, and what was found on its sublattices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import norm

from ..crystal.lattice import Lattice
from ..crystal.sublattices import Sublattice
from ..detect.significance import central_null, mixture_modes
from .grain import Grain


def summarise_grain(grain: Grain, area_fraction: float, *, pixel_size: float | None) -> dict[str, Any]:
    """Lattice, sublattices, drift and size of one grain.

    Parameters
    ----------
    area_fraction : of the image.
    pixel_size : Å/px, None when unknown.
    """
    crystal = grain.crystal
    return {
        "grain": grain.number,
        "lattice": _lattice(crystal.lattice, pixel_size),
        "nn": crystal.nearest,
        "sublattices": [_sublattice(k, grain) for k in range(len(crystal.sublattices))],
        "drift_rms": [float(u.std()) for u in crystal.distortion.displacement],
        "area_fraction": area_fraction,
        "n_sites": grain.tested_columns,
    }


def repeat_length(lattice: Lattice) -> float:
    """The shortest repeat in px; of a square or hexagonal cell from its area, which shear leaves alone."""
    a, b = lattice.lengths
    acute = min(lattice.gamma, math.pi - lattice.gamma)
    if b / a < 1.1 and abs(acute - math.pi / 3) < 0.17:
        return math.sqrt(lattice.cell_area * 2 / math.sqrt(3))
    if b / a < 1.1 and abs(acute - math.pi / 2) < 0.1:
        return lattice.size
    return a


def _lattice(lattice: Lattice, pixel_size: float | None) -> dict[str, Any]:
    a, b = lattice.lengths
    return {
        "a": a,
        "b": b,
        "gamma": lattice.gamma,
        "angle": lattice.angle,
        "vectors": lattice.vectors.tolist(),
        "coherence": lattice.coherence,
        "cell_area": lattice.cell_area,
        "repeat": repeat_length(lattice),
        "a_A": None if pixel_size is None else a * pixel_size,
        "b_A": None if pixel_size is None else b * pixel_size,
    }


def _sublattice(k: int, grain: Grain) -> dict[str, Any]:
    crystal, scores, tested = grain.crystal, grain.scores, grain.tested
    sublattice: Sublattice = crystal.sublattices[k]
    own = crystal.sites.sublattice == k
    z = scores.z[own & tested]
    flagged = own & scores.flagged & tested
    centre, width = central_null(z)
    shifted = flagged & scores.shifted
    dark, bright = flagged & ~shifted & (scores.z < 0), flagged & ~shifted & (scores.z > 0)
    ratio = scores.mean_ratio
    noise = 1.4826 * float(np.median(np.abs(ratio[own & np.isfinite(ratio)] - 1))) if len(z) else math.nan
    # of the false-discovery rate alone; the least effect is a limit of the ratio
    z_dark, z_bright = (float(z) for z in (-1, 1) * norm.isf(scores.p_limit[k, :2]))
    return {
        "name": sublattice.name,
        "hollow": sublattice.hollow,
        "fractions": [sublattice.fraction.tolist()],
        "level": sublattice.level,
        "persistence": sublattice.persistence,
        "n_sites": int(own.sum()),
        "n_tested": len(z),
        "null_centre": centre,
        "null_width": width,
        "ratio_noise": noise if len(z) else None,
        "z_dark": z_dark if len(z) and not sublattice.hollow else None,
        "z_bright": z_bright if len(z) else None,
        "n_dark": int(dark.sum()),
        "n_bright": int(bright.sum()),
        "n_shifted": int(shifted.sum()),
        "modes": [
            {"ratio": m.centre, "spread": m.spread, "share": m.share, "overlap": m.overlap}
            for m in mixture_modes(ratio[flagged & ~shifted])
        ],
    }
