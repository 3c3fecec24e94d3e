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
_MAX_BINS = 2500  # of a mean cell; more say nothing new about a smooth shape


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
    step = max(1, int(np.sqrt(motif.size / _MAX_BINS)))
    grid = bin_fractions(motif.shape).reshape(*motif.shape, 2)[::step, ::step].reshape(-1, 2)
    values = motif[::step, ::step].ravel().astype(float)

    def misfit(sigma: float) -> float:
        return float(np.std(fit_columns(grid, values, lattice, places, sigma * np.eye(2))[1]))

    low, high = 0.05 * lattice.size, 0.45 * lattice.size
    sigma = float(minimize_scalar(misfit, bounds=(low, high), method="bounded", options={"xatol": 0.01}).x)
    weights, left = fit_columns(grid, values, lattice, places, sigma * np.eye(2))
    return ColumnShape(
        sigma=sigma,
        amplitudes=np.maximum(weights[1:], 1e-3 * np.abs(weights).max()),
        residual=float(np.std(left) / (np.std(values) or 1.0)),
    )


def fit_columns(
    grid: Array, values: Array, lattice: Lattice, places: Array, root: Array
) -> tuple[Array, Array]:
    """A background and periodic Gaussians by least squares.

    Parameters
    ----------
    grid : (n, 2) fractions at which `values` (n,) were seen.
    places : (k, 2) fractions of the columns.
    root : (2, 2) px, square root of their common covariance.

    Returns
    -------
    weights : (1 + k,), background and amplitudes.
    left : (n,), what they do not explain.
    """
    design = np.column_stack([np.ones(len(grid)), _gaussians(grid, lattice, places, root)])
    weights = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=float)
    return weights, values - design @ weights


def _gaussians(grid: Array, lattice: Lattice, places: Array, root: Array) -> Array:
    """Periodic Gaussians (n, k) of height one."""
    whiten = np.linalg.pinv(root)
    difference = grid[:, None] - places
    difference -= np.round(difference)
    total = np.zeros(difference.shape[:2])
    for i in range(-2, 3):
        for j in range(-2, 3):
            offset = (difference + np.array([i, j])) @ lattice.vectors @ whiten.T
            total += np.exp(-0.5 * np.einsum("gpk,gpk->gp", offset, offset))
    return total
