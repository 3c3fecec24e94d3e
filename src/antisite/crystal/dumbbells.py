"""Pairs of columns so close that the mean cell shows them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from .column_shape import fit_columns
from .contrast import Floats
from .lattice import Lattice
from .sublattices import Sublattice, bin_fractions

Array = NDArray[np.float64]
_TRIALS = 60  # of a fit
_LONG = 1.1  # length over width; a rounder column is one


@dataclass(frozen=True, slots=True, kw_only=True)
class DumbbellFinder:
    """Tells a pair of columns from one column that is long because the probe or the scan is.

    Only a cell with a single column is looked at: with several, the pixels resolve pairs already.

    Parameters
    ----------
    separation : widths of a column, least distance of the two.
    min_pixels : px, least distance of the two.
    gain : the pair must leave less than this share of what one long column leaves unexplained.
    balance : least brightness of the weaker over that of the stronger.
    """

    separation: float = 1.5
    min_pixels: float = 3.5
    gain: float = 0.6
    balance: float = 0.3

    def __call__(self, motif: Floats, lattice: Lattice, columns: Sequence[Sublattice]) -> list[Sublattice]:
        """The columns, a single one split in two where it is a pair.

        Parameters
        ----------
        motif : (nb, na), one unit cell.
        """
        places = self._split(motif, lattice, columns[0].fraction) if len(columns) == 1 else None
        if places is None:
            return list(columns)
        return [
            replace(columns[0], name=name, fraction=place % 1, level=float(level))
            for name, place, level in zip("AB", places[0], places[1], strict=True)
        ]

    def _split(self, motif: Floats, lattice: Lattice, centre: Array) -> tuple[Array, Array] | None:
        """Places (2, 2) and relative brightness (2,) of a pair, brighter first; None for one column."""
        step = max(1, motif.shape[0] // 24, motif.shape[1] // 24)
        grid = bin_fractions(motif.shape).reshape(*motif.shape, 2)[::step, ::step].reshape(-1, 2)
        values = motif[::step, ::step].ravel().astype(float)
        start = 0.25 * lattice.size

        def one(p: Array) -> Array:
            place = centre + lattice.fractions(p[None, :2])
            return fit_columns(grid, values, lattice, place, np.array([[p[2], p[3]], [p[3], p[4]]]))[1]

        def two(p: Array) -> Array:
            ends = np.array([p[:2] + p[2:4] / 2, p[:2] - p[2:4] / 2])
            return fit_columns(grid, values, lattice, centre + lattice.fractions(ends), p[4] * np.eye(2))[1]

        long = least_squares(one, [0, 0, start, 0, start], max_nfev=_TRIALS)
        if np.linalg.cond(long.x[[2, 3, 3, 4]].reshape(2, 2)) < _LONG:
            return None
        axis = _long_axis(long.x[2:])
        pair = least_squares(two, [0, 0, *(1.5 * start * axis), 0.7 * start], max_nfev=_TRIALS)
        distance, width = float(np.hypot(*pair.x[2:4])), abs(float(pair.x[4]))
        ends = np.array([pair.x[:2] + pair.x[2:4] / 2, pair.x[:2] - pair.x[2:4] / 2])
        places = centre + lattice.fractions(ends)
        weights = fit_columns(grid, values, lattice, places, width * np.eye(2))[0][1:]
        good = (
            self.separation * width < distance < 0.6 * lattice.size
            and distance >= self.min_pixels
            and pair.cost < self.gain**2 * long.cost
            and weights.min() > self.balance * weights.max()
        )
        if not good:
            return None
        order = np.argsort(-weights, kind="stable")
        return places[order], weights[order] / weights.max()


def _long_axis(root: Array) -> Array:
    values, vectors = np.linalg.eigh(np.array([[root[0], root[1]], [root[1], root[2]]]))
    return np.asarray(vectors[:, int(np.argmax(np.abs(values)))])
