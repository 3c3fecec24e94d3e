"""The hollow places of a cell, where an extra atom would sit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .contrast import Floats
from .lattice import Lattice
from .sublattices import Sublattice, bin_fractions, periodic_distance, sample_cell, sub_bin

Array = NDArray[np.float64]
_ROOMY = 0.8  # of the largest distance from the columns
_DARK = 0.35  # of the motif's range; a brighter place may be a column that was not seen


def find_hollows(motif: Floats, lattice: Lattice, columns: Sequence[Sublattice]) -> list[Sublattice]:
    """The dark places that lie farthest from every column, from dark to bright.

    Parameters
    ----------
    motif : (nb, na), one unit cell.
    """
    level = (motif - motif.min()) / (np.ptp(motif) or 1)
    grid = bin_fractions(level.shape)
    room = np.min([periodic_distance(grid - column.fraction, lattice) for column in columns], axis=0)
    room = room.reshape(level.shape).astype(np.float32)
    roomy = (room == ndimage.maximum_filter(room, size=5, mode="wrap")) & (room > _ROOMY * room.max())
    places = _apart(sub_bin(room, *np.nonzero(roomy)), lattice, least=0.5 * float(room.max()))
    depth = sample_cell(level, places)
    places, depth = places[depth < _DARK], depth[depth < _DARK]
    return [
        Sublattice(
            name="hollow" if len(depth) == 1 else f"hollow {n + 1}",
            fraction=places[k],
            level=float(depth[k]),
            persistence=0.0,
        )
        for n, k in enumerate(np.argsort(depth, kind="stable"))
    ]


def _apart(places: Array, lattice: Lattice, *, least: float) -> Array:
    """Of places closer than `least` px only the first."""
    kept: list[Array] = []
    for place in places:
        if all(periodic_distance((place - other)[None], lattice)[0] >= least for other in kept):
            kept.append(place)
    return np.array(kept).reshape(-1, 2)
