"""How much of the beam each detector sees when the probe stands near a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..column_atoms import ColumnAtoms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Responses:
    """Tables of the signal against the place of the probe, one for each kind of column.

    The image of a thin crystal is `vacuum` plus the sum of its columns' responses.

    Parameters
    ----------
    atoms : (n,) the columns.
    values : (n, n_detectors, k, k), share of the beam less that without a column; the column stands in the
        middle (k is odd); fine enough for a cubic spline between its points.
    step : Å between the points.
    vacuum : (n_detectors,) share of the beam that each detector sees without a specimen.
    """

    atoms: tuple[ColumnAtoms, ...]
    values: NDArray[np.float32]
    step: float
    vacuum: NDArray[np.float64]

    @property
    def reach(self) -> float:
        """Å from the column to the rim of its table."""
        return self.step * int(self.values.shape[-1] // 2)
