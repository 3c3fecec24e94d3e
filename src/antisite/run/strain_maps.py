"""Strain of every grain of an image on one grid, as the result holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, flatten
from ..crystal.perfect_crystal import PerfectCrystal
from ..crystal.strain import COMPONENTS, StrainMaps, join_strain, measure_strain, strain_window


def map_strain(
    mean: Floats, crystals: Sequence[PerfectCrystal], *, origin: tuple[int, int] = (0, 0)
) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """What the summary tells of the strain, and the maps, each grain against its own lattice.

    Parameters
    ----------
    mean : (y, x), standardised mean of the channels.
    crystals : of the grains, the largest first.
    origin : (y, x) px, where the analysed window begins in the image.

    Returns
    -------
    JSON-ready numbers, and the maps of `COMPONENTS`.
    """
    window = strain_window([crystal.lattice for crystal in crystals])
    parts = [
        measure_strain(
            flatten(mean, crystal.mask, sigma=2 * crystal.lattice.size),
            crystal.mask,
            crystal.lattice,
            crystal.distortion,
            window=window,
        )
        for crystal in crystals
    ]
    joined = join_strain(parts)
    told = {
        "window": joined.window,
        "resolution": joined.resolution,
        "step": list(joined.step),
        "origin": list(origin),
        "noise": _noise(joined),
        "grains": [
            {"grain": grain, "noise": _noise(part), "rotation_mean": _mean(part.rotation)}
            for grain, part in enumerate(parts)
        ],
    }
    return told, {name: getattr(joined, name).astype(np.float32) for name in COMPONENTS}


def _noise(maps: StrainMaps) -> dict[str, float]:
    """That of the noisiest component of each sort, and each for itself."""
    sorts = {
        "strain": maps.noise_strain,
        "rotation": maps.noise_rotation,
        "displacement": maps.noise_displacement,
    }
    return sorts | {name: maps.noise[name] for name in COMPONENTS if name != "rotation"}


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
