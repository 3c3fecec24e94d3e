"""Where columns were seen: what a semantic image shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..crystal.columns import measure_shifts
from ..crystal.contrast import Floats, blur_within, flatten
from ..crystal.perfect_crystal import PerfectCrystal
from .significance import central_null
from .site_scores import Array

SURE = 3.5  # widths of the usual ratio of a sublattice; less is noise
_SEEN = 0.6  # ratio from which light is a column
_SHARP = 0.15  # nearest distances, width of the blur in which lost columns are looked for
_REACH = 0.35  # nearest distances, as far as they are looked for


def columns_seen(
    channels: Sequence[Floats], crystal: PerfectCrystal, *, ratio: Array, followed: Array
) -> Array:
    """Positions (n, 2) px of what is bright enough to be a column, extra ones in hollows included.

    Parameters
    ----------
    channels : (y, x) each, standardised.
    ratio : (n,) brightness of every site over that of its sublattice; a site without one is believed.
    followed : (n,) the same where the column was really seen.
    """
    places = _measured_positions(channels, crystal)
    light = np.where(crystal.hollow, ratio, np.fmax(ratio, followed))
    seen = np.asarray(np.isfinite(places).all(axis=1))
    for number, sublattice in enumerate(crystal.sublattices):
        own = crystal.sites.sublattice == number
        centre, width = central_null(light[own & np.isfinite(light)])
        if sublattice.hollow:
            seen[own] &= light[own] >= max(1 + _SEEN, centre + SURE * width)
        else:
            seen[own] &= ~(light[own] < min(_SEEN, centre - SURE * width))
    return places[seen]


def _measured_positions(channels: Sequence[Floats], crystal: PerfectCrystal) -> Array:
    """Position (n, 2) px of every column, of a hollow its own place; NaN where nothing stands.

    A column that moved so near to another one that they share a maximum is looked for again in a
    sharper image.
    """
    places = crystal.sites.positions + np.where(crystal.hollow[:, None], 0, crystal.offsets)
    lost = np.isnan(places).any(axis=1)
    if lost.any():
        mean = np.asarray(np.mean(channels, axis=0), dtype=np.float32)
        flat = flatten(mean, crystal.mask, sigma=2 * crystal.lattice.size)
        sharp = blur_within(flat, crystal.mask, sigma=_SHARP * crystal.nearest)
        wanted = crystal.sites.positions[lost]
        places[lost] = wanted + measure_shifts(sharp, wanted, reach=_REACH * crystal.nearest)
    return places
