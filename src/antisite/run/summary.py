"""The numbers of a result that a reader wants first; all of them fit into JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ..crystal.lattice import Lattice
from ..crystal.perfect_crystal import PerfectCrystal
from ..crystal.sublattices import Sublattice
from ..defects import SCHEMA_VERSION
from ..detect.significance import central_null, mixture_modes
from ..detect.site_scores import SiteScores
from ..image import Image
from .crystal_search import Specimen
from .densities import count_defects
from .self_check import SelfCheck
from .settings import Settings

_DISAGREE = 0.02  # of the scale; more is said
_FEW_SITES = 100
_SEEN = 0.9  # of strong defects; fewer are worth a warning
_FEW_PLANTED = 20
_FAINT = 0.16  # persistence of a sublattice that may be noise


def summarise(
    image: Image,
    specimen: Specimen,
    scores: SiteScores,
    kind: NDArray[np.str_],
    hole: NDArray[np.int_],
    *,
    settings: Settings,
    lattice_constant: float,
    check: SelfCheck | None = None,
) -> dict[str, Any]:
    """Lattice, scale, sublattices, counts, densities and warnings.

    Parameters
    ----------
    kind : (n,) of each site.
    hole : (n,) number of the hole that a site belongs to, -1 for most.
    check : outcome of the self-check, None where it was skipped.
    """
    crystal = specimen.crystal
    scale = _scale(image, crystal.lattice, lattice_constant)
    tested = np.isfinite(scores.z) & (hole < 0)
    sublattices = [_sublattice(k, crystal, scores, tested) for k in range(len(crystal.sublattices))]
    columns = np.isin(crystal.sites.sublattice, np.arange(len(crystal.columns)))
    n_cells = float((tested & columns).sum()) / max(len(crystal.columns), 1)
    area = None
    if scale["pixel_size"] is not None:
        area = n_cells * crystal.lattice.cell_area * scale["pixel_size"] ** 2 / 100
    return {
        **_header(image),
        "lattice_found": True,
        "reason": "",
        "fdr": settings.fdr,
        "min_dark": settings.min_dark,
        "min_bright": settings.min_bright,
        **scale,
        "lattice": _lattice(crystal.lattice, scale["pixel_size"]),
        "nn": crystal.nearest,
        "drift_rms": [float(u.std()) for u in crystal.distortion.displacement],
        "n_domains": specimen.n_domains,
        "analysed_fraction": float((specimen.domains == 0).sum()) / image.mask.size,
        "area": area,
        "n_sites": int((tested & columns).sum()),
        "sublattices": sublattices,
        **count_defects(
            crystal,
            kind,
            scores.mean_ratio,
            tested,
            n_holes=int(hole.max(initial=-1)) + 1,
            area=area,
            curves=check.curves if check else None,
        ),
        "self_check": check.told if check else None,
        "warnings": [
            *_warnings(image, specimen, scale, sublattices, compared=bool(scores.p_limit.any())),
            *(_check_warnings(check.told) if check else ()),
        ],
    }


def summarise_nothing(image: Image, reason: str) -> dict[str, Any]:
    """The summary of an image without a lattice: the same fields, nothing in them."""
    return {
        **_header(image),
        "lattice_found": False,
        "reason": reason,
        "fdr": None,
        "min_dark": None,
        "min_bright": None,
        **_scale(image, None, math.nan),
        "lattice": None,
        "nn": None,
        "drift_rms": None,
        "n_domains": 0,
        "analysed_fraction": 0.0,
        "area": None,
        "n_sites": 0,
        "sublattices": [],
        "counts": {},
        "densities": [],
        "self_check": None,
        "warnings": [],
    }


def _header(image: Image) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "image": image.name,
        "frame": image.frame,
        "shape": list(image.shape),
        "n_channels": image.n_channels,
    }


def _scale(image: Image, lattice: Lattice | None, lattice_constant: float) -> dict[str, Any]:
    """Å/px and who said so; a given lattice constant beats the file, whose scale is rarely that good."""
    recorded = None if math.isnan(image.pixel_size) else float(image.pixel_size)
    implied = None
    if lattice is not None and not math.isnan(lattice_constant):
        implied = lattice_constant / repeat_length(lattice)
    size = implied if implied is not None else recorded
    source = (
        "unknown" if size is None else "lattice constant" if implied is not None else image.pixel_size_from
    )
    return {
        "pixel_size": size,
        "pixel_size_from": source,
        "pixel_size_recorded": recorded,
        "lattice_constant": None if math.isnan(lattice_constant) else lattice_constant,
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


def _sublattice(
    k: int, crystal: PerfectCrystal, scores: SiteScores, tested: NDArray[np.bool_]
) -> dict[str, Any]:
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


def _check_warnings(told: dict[str, Any]) -> list[str]:
    """Where the self-check says that the result is not to be believed."""
    said = []
    for entry in told["recall"]:
        gone = next((p["recall"] for p in entry["points"] if p["change"] == -1 and p["n"] >= _FEW_PLANTED), 1)
        if gone < _SEEN:
            said.append(
                f"of missing columns on sublattice {entry['sublattice']} only {gone:.0%} would be found: "
                f"that few are reported there says little"
            )
    rate, kept = told["realised"]["rate"], told["kept"]
    if rate is not None and rate > told["fdr_nominal"]:
        said.append(
            f"{rate:.0%} of the discoveries were false when defects were planted, more than the "
            f"{told['fdr_nominal']:.0%} asked for, however tight the limits: look at each defect"
        )
    if kept is not None and kept < _SEEN:
        said.append(
            f"planted defects hid others: only {kept:.0%} of the defects stayed found, so that recall is "
            f"told too low"
        )
    return said


def _warnings(
    image: Image,
    specimen: Specimen,
    scale: dict[str, Any],
    sublattices: list[dict[str, Any]],
    *,
    compared: bool,
) -> list[str]:
    said = []
    if specimen.n_domains > 1:
        said.append(
            f"more than one lattice: {specimen.n_domains} domains; only the largest is analysed "
            f"({(specimen.domains == 0).sum() / image.mask.size:.0%} of the image)"
        )
    size, recorded = scale["pixel_size"], scale["pixel_size_recorded"]
    if scale["lattice_constant"] and recorded and abs(size / recorded - 1) > _DISAGREE:
        who = "the file says" if image.pixel_size_from == "file" else "--pixel-size says"
        said.append(
            f"{who} {recorded:.4g} Å/px, the lattice constant {scale['lattice_constant']:g} Å implies "
            f"{size:.4g} Å/px: {abs(size / recorded - 1):.1%} apart; the lattice constant is used"
        )
    masked = float(image.mask.mean())
    if masked:
        said.append(f"{masked:.1%} of the pixels are masked")
    lost = float((specimen.domains == -1).sum() - int(specimen.mask.sum())) / image.mask.size
    if lost > 0.01:
        said.append(f"{lost:.0%} of the image shows no lattice, or too weak a one, and was not analysed")
    tested = sum(s["n_tested"] for s in sublattices if not s["hollow"])
    if compared and tested < _FEW_SITES:
        said.append(f"only {tested} columns could be compared with each other: rare defects need more")
    said += [
        f"sublattice {s['name']} is faint: its columns may be noise or an artefact"
        for s in sublattices
        if not s["hollow"] and 0 < s["persistence"] < _FAINT
    ]
    return said
