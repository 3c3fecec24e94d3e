"""Columns that stand off their place while as bright as their equals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..crystal.perfect_crystal import PerfectCrystal
from .column_light import FOLLOW, kernel_width
from .local_reference import LocalReference, centre_all

Array = NDArray[np.float64]
_GAIN = 0.5  # of what a column that has left its site as a whole would gain
_SEEN = 0.97  # of the columns of a sublattice; where fewer are seen as maxima, noise places many


def follows(gain: Array, distance: Array, crystal: PerfectCrystal) -> NDArray[np.bool_]:
    """Whether columns (n,) are brighter where they were seen than on their site, as displaced ones are.

    The maximum of a dim column beside a bright one may lie far from both, and no light is gained there.

    Parameters
    ----------
    gain : (n,) ratio where the column was seen, followed at most so far, less that on the site.
    distance : (n,) nearest distances.
    """
    square = crystal.shapes[0].sigma ** 2 + kernel_width(crystal) ** 2
    off = np.minimum(np.nan_to_num(distance), FOLLOW) * crystal.nearest
    return np.asarray(gain >= _GAIN * -np.expm1(-(off**2) / (2 * square)))


def measure_shift(
    crystal: PerfectCrystal, references: Sequence[LocalReference], *, least: float
) -> tuple[Array, Array]:
    """How far columns stand off their place, and the p-value of standing off by more than `least`.

    Along each axis of the image, a shift is compared with those of the neighbours, and its scale is
    that of the sublattice: rows shift more along than across the scan.

    Parameters
    ----------
    least : nearest distances, a shift that is no news.

    Returns
    -------
    distance : (n,) nearest distances.
    p_value : (n,), NaN on sublattices that are too faint to place columns, and at hollows.
    """
    n = len(crystal.sites)
    distance, p_value = np.full((2, n), np.nan)
    seen = np.asarray(np.isfinite(crystal.offsets).all(axis=1))
    shift = [centre_all(along, references) for along in np.nan_to_num(crystal.offsets).T]
    for reference in references[: len(crystal.columns)]:
        own = reference.members
        if not len(own) or seen[own].mean() < _SEEN:
            continue
        z = np.hypot(*(reference.standardise(along) for along in shift))
        off = np.asarray(np.hypot(*(along[own] for along in shift)) / crystal.nearest)
        beyond = z * np.clip(1 - least / np.maximum(off, 1e-12), 0, None)
        distance[own] = np.where(seen[own], off, 0)
        p_value[own] = np.where(seen[own], np.exp(-(beyond**2) / 2), 1)  # Rayleigh: two axes
    return distance, p_value
