"""What a slow scan does to positions: smooth drift, and rows that start late or early."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import lambertw


def drift_path(n_rows: int, rms: float, rng: Generator, *, n_waves: int = 3) -> NDArray[np.float64]:
    """Displacement of the specimen while each row is scanned.

    Parameters
    ----------
    n_rows : rows of the image.
    rms : px, root mean square of the displacement along each axis.
    n_waves : how many half periods the fastest wave of the path has.

    Returns
    -------
    NDArray
        (n_rows, 2) px, (dy, dx), mean 0.
    """
    time = (np.arange(n_rows) + 0.5) / n_rows
    waves = np.cos(np.pi * np.arange(1, n_waves + 1) * time[:, None])
    path = waves @ (rng.normal(size=(n_waves, 2)) / np.arange(1, n_waves + 1)[:, None])
    path -= path.mean(axis=0)
    return np.asarray(rms * path / np.maximum(np.sqrt((path**2).mean(axis=0)), 1e-12))


def drift_positions(positions: NDArray[np.float64], path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where columns appear when the specimen drifts along a path.

    Parameters
    ----------
    positions : (N, 2) px (y, x) without drift.
    path : (n_rows, 2) px, from `drift_path`.

    Returns
    -------
    NDArray
        (N, 2) px, the positions plus the displacement at their row.
    """
    rows = np.arange(len(path))
    shift = [np.interp(positions[:, 0], rows, path[:, axis]) for axis in (0, 1)]
    return positions + np.stack(shift, axis=1)


def jitter_rows(n_rows: int, rms: float, rng: Generator) -> NDArray[np.float64]:
    """How much farther to the right each row is sampled, independently of its neighbours.

    Parameters
    ----------
    n_rows : rows of the image.
    rms : px, root mean square of the shifts.

    Returns
    -------
    NDArray
        (n_rows,) px
    """
    return rms * rng.normal(size=n_rows)


def flyback_positions(positions: NDArray[np.float64], *, shift: float, length: float) -> NDArray[np.float64]:
    """Where columns appear when the beam comes late to the start of each row.

    At pixel x the beam stands at x + shift · exp(−x / length): columns near the left edge appear farther left
    and closer together. A column moves as a whole.

    Parameters
    ----------
    positions : (N, 2) px (y, x)
    shift : px, how far the beam is off at the start of a row; less than `length`.
    length : px along the row in which that decays to 1 / e.

    Returns
    -------
    NDArray
        (N, 2) px
    """
    if shift == 0:
        return positions
    # x = at + shift exp(-at / length), solved for at; below -1/e is what the frame never shows.
    late = -shift / length * np.exp(-np.maximum(positions[:, 1] / length, -2.0))
    move = length * lambertw(np.maximum(late, -np.exp(-1.0 - 1e-12))).real
    return np.stack([positions[:, 0], positions[:, 1] + move], axis=1)
