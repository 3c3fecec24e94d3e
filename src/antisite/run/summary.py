"""The numbers of a result that a reader wants first; all of them fit into JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..defects import SCHEMA_VERSION
from ..image import Image
from .cautions import SAME_REPEAT, cautions, check_cautions
from .crystal_search import Specimen
from .densities import count_defects
from .grain import Grain
from .grain_summary import repeat_length, summarise_grain
from .self_check import SelfCheck
from .settings import Settings


def summarise(
    image: Image,
    specimen: Specimen,
    grains: Sequence[Grain],
    *,
    settings: Settings,
    lattice_constant: float,
    check: SelfCheck | None = None,
) -> dict[str, Any]:
    """Scale, lattice and sublattices of each grain, counts, densities and warnings.

    Parameters
    ----------
    grains : every domain, and what was called there.
    check : outcome of the self-check, None where it was skipped.
    """
    scale = _scale(image, _repeat(grains), lattice_constant)
    size = scale["pixel_size"]
    area = None if size is None else sum(grain.tested_area for grain in grains) * size**2 / 100
    shares = [float((specimen.domains == k).sum()) / image.mask.size for k in range(len(grains))]
    told = [summarise_grain(grain, shares[grain.number], pixel_size=size) for grain in grains]
    compared = any(grain.scores.p_limit.any() for grain in grains)
    return {
        **_header(image),
        "lattice_found": True,
        "reason": "",
        "fdr": settings.fdr,
        "min_dark": settings.min_dark,
        "min_bright": settings.min_bright,
        **scale,
        "grains": told,
        "n_domains": specimen.n_domains,
        "analysed_fraction": float((specimen.domains >= 0).sum()) / image.mask.size,
        "area": area,
        "n_sites": sum(grain.tested_columns for grain in grains),
        **count_defects(grains, area=area, curves=check.curves if check else None),
        "self_check": check.told if check else None,
        "planar": None,
        "strain": None,
        "warnings": [
            *cautions(image, specimen, scale, told, compared=compared),
            *(check_cautions(check.told, several=len(grains) > 1) if check else ()),
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
        "grains": [],
        "n_domains": 0,
        "analysed_fraction": 0.0,
        "area": None,
        "n_sites": 0,
        "counts": {},
        "densities": [],
        "self_check": None,
        "planar": None,
        "strain": None,
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


def _scale(image: Image, repeat: float | None, lattice_constant: float) -> dict[str, Any]:
    """Å/px and who said so; a given lattice constant beats the file, whose scale is rarely that good."""
    recorded = None if math.isnan(image.pixel_size) else float(image.pixel_size)
    implied = None
    if repeat is not None and not math.isnan(lattice_constant):
        implied = lattice_constant / repeat
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


def _repeat(grains: Sequence[Grain]) -> float:
    """The shortest repeat in px: of the largest grain, and the mean with others of the same crystal."""
    repeats = np.array([repeat_length(grain.crystal.lattice) for grain in grains])
    same = np.abs(repeats / repeats[0] - 1) <= SAME_REPEAT
    if same.sum() == 1:
        return float(repeats[0])
    sizes = np.array([len(grain.crystal.sites) for grain in grains])
    return float(np.average(repeats[same], weights=sizes[same]))
