"""The shape of a column in the mean cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from .contrast import Floats
from .lattice import Lattice
from .sublattices import Sublattice, bin_fractions

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnShape:
    """A mean cell as a flat background and one round Gaussian for each column.

    Parameters
    ----------
    sigma : px, common width of the columns.
    amplitudes : one for each column, in units of the image.
    residual : rms of what the Gaussians leave, over the standard deviation of the cell.
    """

    sigma: float
    amplitudes: Array
    residual: float


def fit_column_shape(motif: Floats, lattice: Lattice, columns: Sequence[Sublattice]) -> ColumnShape:
    """Width and amplitudes of columns at known places.

    Parameters
    ----------
    motif : (nb, na), one unit cell.
    """
    places = np.array([c.fraction for c in columns])
    grid, values = bin_fractions(motif.shape), motif.ravel().astype(float)

    def misfit(sigma: float) -> float:
        return _solve(grid, values, lattice, places, sigma)[1]

    low, high = 0.05 * lattice.size, 0.45 * lattice.size
    sigma = float(minimize_scalar(misfit, bounds=(low, high), method="bounded", options={"xatol": 0.01}).x)
    weights, residual = _solve(grid, values, lattice, places, sigma)
    return ColumnShape(
        sigma=sigma, amplitudes=np.maximum(weights[1:], 1e-3 * np.abs(weights).max()), residual=residual
    )


def _solve(
    grid: Array, values: Array, lattice: Lattice, places: Array, sigma: float | Array
) -> tuple[Array, float]:
    """Background and amplitudes by least squares, and the relative residual."""
    design = np.column_stack([np.ones(len(grid)), _gaussians(grid, lattice, places, sigma)])
    weights, *_ = np.linalg.lstsq(design, values, rcond=None)
    return weights, float(np.std(values - design @ weights) / (np.std(values) or 1.0))


def _gaussians(grid: Array, lattice: Lattice, places: Array, sigma: float | Array) -> Array:
    """Periodic Gaussians (n grid, n places); `sigma` is a width or a (2, 2) root of the covariance, px."""
    whiten = np.linalg.inv(np.eye(2) * sigma if np.ndim(sigma) == 0 else np.asarray(sigma))
    difference = grid[:, None] - places
    difference -= np.round(difference)
    total = np.zeros(difference.shape[:2])
    for i in range(-2, 3):
        for j in range(-2, 3):
            offset = (difference + (i, j)) @ lattice.vectors @ whiten.T
            total += np.exp(-0.5 * np.einsum("gpk,gpk->gp", offset, offset))
    return total
