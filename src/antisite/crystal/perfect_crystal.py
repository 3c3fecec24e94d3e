"""The perfect crystal of one domain: what every site is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .column_shape import ColumnShape
from .columns import Sites
from .contrast import Floats, Mask
from .distortion import Distortion
from .lattice import Lattice
from .sublattices import Sublattice

LEAST_STRENGTH = 0.4  # of the typical strength of the lattice; less is no crystal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerfectCrystal:
    """Lattice, distortion, motif and sites of one domain.

    Parameters
    ----------
    lattice : its two vectors.
    distortion : where the image departs from them smoothly.
    sublattices : columns from bright to dark, then hollows.
    motif : (nb, na), the mean cell over all channels.
    cells : (nb, na), the mean cell of each channel.
    shapes : width and amplitudes of the columns, for each channel.
    sites : where columns and hollows are wanted, the local distortion included.
    offsets : (n, 2) px, measured less wanted position; NaN where nothing stands.
    nearest : px, distance between nearest columns.
    mask : (y, x), True where there is none of this crystal.
    """

    lattice: Lattice
    distortion: Distortion
    sublattices: tuple[Sublattice, ...]
    motif: Floats
    cells: tuple[Floats, ...]
    shapes: tuple[ColumnShape, ...]
    sites: Sites
    offsets: NDArray[np.float64]
    nearest: float
    mask: Mask

    @property
    def hollow(self) -> NDArray[np.bool_]:
        """(n,) sites where no column belongs."""
        return np.array([s.hollow for s in self.sublattices])[self.sites.sublattice]

    @property
    def columns(self) -> tuple[Sublattice, ...]:
        """The sublattices where atoms stand."""
        return tuple(s for s in self.sublattices if not s.hollow)
