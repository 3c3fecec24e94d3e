"""Responses of columns made ready to be added to images of one pixel size."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from ..scattering.responses import Responses


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Factors of the tables along one axis, at many places between two pixels.

    Parameters
    ----------
    values : (n_phases + 1, n_terms, 2 half + 2), or with the last two axes exchanged; phase p holds the
        factors with the column p / n_phases px beyond pixel `half`.
    half : px, how far the column reaches.
    """

    values: NDArray[np.float32]
    half: int

    @property
    def n_phases(self) -> int:
        """Phases in a pixel."""
        return len(self.values) - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stamps:
    """Every table as a sum of few products of a line along y and a line along x.

    A column's image is then made from two short lines at any place between the pixels, and each row can
    have a place of its own. Round probes on thin crystals take about six products for 4e-4 of the peak.

    Parameters
    ----------
    first : (n_tables + 1,) where the terms of each table start; table = index × n_detectors + detector.
    n_mixed : (n_tables,) how many of a table's terms must be mixed from two phases along x; the others are
        so weak that the nearest phase will do.
    along_y : the lines of all terms, (n_phases + 1, 2 half + 2, n_terms).
    along_x : the lines of all terms, (n_phases + 1, n_terms, 2 half + 2).
    beyond : (n, n_detectors) Å², light of one column that the products leave out.
    """

    first: NDArray[np.int64]
    n_mixed: NDArray[np.int64]
    along_y: Lines
    along_x: Lines
    beyond: NDArray[np.float64]


def build_stamps(
    responses: Responses, *, pixel_size: tuple[float, float], reach: float | None, tolerance: float
) -> Stamps:
    """Factor the tables and sample their factors for one pixel size.

    Parameters
    ----------
    pixel_size : Å/px along y and x.
    reach : Å, columns end there (a circle); None: with their table.
    tolerance : largest error, as a share of each table's peak.
    """
    n, n_detectors, k, _ = responses.values.shape
    tables = responses.values.reshape(n * n_detectors, k, k).astype(np.float64)
    total = tables.sum(axis=(1, 2))
    places = (np.arange(k) - k // 2) * responses.step
    inside = np.ones((k, k), bool)
    if reach is not None:
        near = np.abs(places) <= reach + 3 * responses.step  # the spline needs points beyond the rim
        tables, places = tables[:, near][:, :, near], places[near]
        inside = np.hypot(places[:, None], places) <= reach
    factors_y, factors_x, rank = _factors(tables, inside, 0.75 * tolerance)
    taken = np.zeros(len(tables))
    table = np.repeat(np.arange(len(tables)), rank)
    np.add.at(taken, table, np.einsum("ti,tj,ij->t", factors_y, factors_x, inside.astype(float)))
    extent = responses.reach if reach is None else min(reach, responses.reach)
    spacing = _phase_spacing(tables, responses.step, tolerance / 4)
    lines_y, half_y = _sample_lines(factors_y, places, pixel_size[0], extent, spacing)
    lines_x, half_x = _sample_lines(factors_x, places, pixel_size[1], extent, spacing)
    first = np.concatenate([[0], np.cumsum(rank)])
    peaks = np.abs(tables).max(axis=(1, 2), initial=0)
    steps = np.abs(lines_y).max(axis=(0, 1)) * np.abs(np.diff(lines_x, axis=0)).max(axis=(0, 1)) / 2
    rest = [np.cumsum(steps[a:b][::-1])[::-1] for a, b in itertools.pairwise(first)]
    return Stamps(
        first=first,
        n_mixed=np.array([(r > tolerance / 4 * p).sum() for r, p in zip(rest, peaks, strict=True)], np.int64),
        along_y=Lines(values=lines_y, half=half_y),
        along_x=Lines(values=np.ascontiguousarray(np.swapaxes(lines_x, 1, 2)), half=half_x),
        beyond=((total - taken) * responses.step**2).reshape(n, n_detectors),
    )


def _factors(
    tables: NDArray[np.float64], inside: NDArray[np.bool_], tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Lines along y and x of all terms, and the number of terms of each table."""
    peaks = np.abs(tables).max(axis=(1, 2))
    scaled = tables / np.where(peaks > 0, peaks, 1)[:, None, None]
    # All tables share two small bases, in which their decompositions cost little.
    basis_y = _basis(np.einsum("tij,tkj->ik", scaled, scaled, optimize=True))
    basis_x = _basis(np.einsum("tji,tjk->ik", scaled, scaled, optimize=True))
    u, s, vt = np.linalg.svd(basis_y.T @ scaled @ basis_x, full_matrices=False)
    lines_y = np.swapaxes(basis_y @ u, 1, 2) * np.sqrt(s * peaks[:, None])[:, :, None]
    lines_x = (vt @ basis_x.T) * np.sqrt(s * peaks[:, None])[:, :, None]
    rank = np.zeros(len(tables), np.int64)
    for t, rest in enumerate(tables.copy()):
        while rank[t] < s.shape[1] and np.abs(rest[inside]).max(initial=0) > tolerance * peaks[t]:
            rest -= np.outer(lines_y[t, rank[t]], lines_x[t, rank[t]])
            rank[t] += 1
    kept = np.arange(s.shape[1]) < rank[:, None]
    return lines_y[kept], lines_x[kept], rank


def _basis(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal vectors that span the tables, the weakest left out."""
    power, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors[:, power >= 1e-11 * max(power[-1], 1e-300)][:, ::-1])


def _phase_spacing(tables: NDArray[np.float64], step: float, tolerance: float) -> float:
    """Å between phases such that a straight line between two is near enough to the spline."""
    peaks = np.abs(tables).max(axis=(1, 2), initial=0)
    bends = sum(np.abs(np.diff(tables, 2, axis=axis)).max(axis=(1, 2), initial=0) for axis in (1, 2))
    bend = np.max(np.asarray(bends)[peaks > 0] / peaks[peaks > 0], initial=0)
    return math.inf if bend == 0 else step * math.sqrt(8 * tolerance / bend)


def _sample_lines(
    factors: NDArray[np.float64],
    places: NDArray[np.float64],
    pixel_size: float,
    reach: float,
    spacing: float,
) -> tuple[NDArray[np.float32], int]:
    """Factors at the pixels around a column for every phase of its place, and the pixels on one side."""
    n_phases = max(math.ceil(pixel_size / spacing), 1)
    half = math.floor(reach / pixel_size + 1e-9)
    pixels = np.arange(-half, half + 2) - np.arange(n_phases + 1)[:, None] / n_phases
    if len(factors) == 0:
        return np.zeros((*pixels.shape, 0), np.float32), half
    values = make_interp_spline(places, factors.T, k=3)(np.clip(pixels * pixel_size, places[0], places[-1]))
    values[np.abs(pixels) * pixel_size > reach * (1 + 1e-9)] = 0
    return values.astype(np.float32), half
