"""The shape of a column in the mean cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from .contrast import Floats
from .lattice import Lattice
from .sublattices import Sublattice, bin_fractions, sample_cell

Array = NDArray[np.float64]
_MAX_BINS = 2500  # of a mean cell; more say nothing new about a smooth shape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnShape:
    """A mean cell as a flat background and one round Gaussian for each column.

    Parameters
    ----------
    sigma : px, common width of the columns.
    background : between the columns, in units of the image.
    amplitudes : one for each column, above the background.
    residual : rms of what the Gaussians leave, over the standard deviation of the cell.
    """

    sigma: float
    background: float
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
        background=float(weights[0]),
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


def share_light(
    fractions: Array, shape: ColumnShape, lattice: Lattice, columns: Sequence[Sublattice]
) -> Array:
    """What share (n, k) of the light at fractions (n, 2) comes from columns of each of k sublattices."""
    light = _light(fractions, shape, lattice, columns)
    return np.asarray(light / np.maximum(light.sum(axis=1, keepdims=True), 1e-12 * shape.amplitudes.max()))


def _light(fractions: Array, shape: ColumnShape, lattice: Lattice, columns: Sequence[Sublattice]) -> Array:
    places = np.array([c.fraction for c in columns])
    return _gaussians(fractions, lattice, places, shape.sigma * np.eye(2)) * shape.amplitudes


def light_of_column(
    cell: Floats,
    shape: ColumnShape,
    lattice: Lattice,
    columns: Sequence[Sublattice],
    number: int,
    offsets: Array,
) -> Array:
    """The light (n,) of one column alone at offsets (n, 2) px from it, all its neighbours left out.

    What the mean cell holds above its background is shared among the columns as their Gaussians
    are, so that the columns together give the cell again, tails and all.

    Parameters
    ----------
    cell : (nb, na), one unit cell.
    number : of the column.
    """
    fractions = columns[number].fraction + lattice.fractions(offsets)
    light = _light(fractions, shape, lattice, columns).sum(axis=1)
    own = shape.amplitudes[number] * np.exp(-(offsets**2).sum(axis=1) / (2 * shape.sigma**2))
    share = own / np.maximum(light, 1e-12 * shape.amplitudes[number])
    return np.asarray(share * (sample_cell(cell, fractions) - shape.background))
