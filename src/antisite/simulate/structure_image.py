"""A whole periodic structure as a multislice program would image it, from its columns."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .crystals.projection import across_beam, column_atoms_of
from .progress import Progress
from .scattering.neighbours import CLOSE, find_pairs, pair_responses
from .scattering.optics import Optics
from .scattering.probe import probe_wave
from .scattering.responses import Responses, compute_responses

if TYPE_CHECKING:
    from ase import Atoms

SLICE = 1.0
"""Å, thickness of a slice."""
_LEVEL = 1e-6  # Å; heights that differ by less are one


def structure_image(
    atoms: Atoms,
    optics: Optics,
    *,
    shape: tuple[int, int],
    slice_thickness: float = SLICE,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> NDArray[np.float32]:
    """Share of the beam on each detector, one period of the structure, without noise.

    The beam enters at height 0 of the structure's cell. As in a multislice program with slices, every atom
    acts in the plane in which its slice begins, and potentials are as fine as the widest detector needs.
    Where a detector begins close to the probe's disc, neighbouring columns interfere: pairs are added.

    Parameters
    ----------
    atoms : its third cell vector along the beam.
    shape : (y, x) px; pixel (0, 0) is the cell's origin, x along its first vector, y along its second.
    slice_thickness : Å; 0: every atom acts at its own height, and potentials are exact.
    cache, workers, progress : as in `compute_responses`.

    Returns
    -------
    NDArray
        (n_detectors, y, x)

    Raises
    ------
    InputError
        The structure has no cell, or its third vector is not along the beam.

    Examples
    --------
    >>> from ase.build import mx2
    >>> sheet = mx2("MoS2", vacuum=2)
    >>> structure_image(sheet, Optics(static=True), shape=(24, 24)).shape
    (1, 24, 24)
    """
    if np.abs(np.asarray(atoms.cell)[2, :2]).max() > 1e-3:
        raise InputError(
            f"the third cell vector must lie along the beam (z), got {np.round(atoms.cell[2], 3).tolist()} Å "
            f"(turn the structure, or choose a cell with upright sides)"
        )
    cell = across_beam(atoms, (True, True))[1]
    if min(shape) < 1:
        raise InputError(f"shape must be at least 1 × 1 px, got {shape[0]} × {shape[1]}")
    sliced = _sliced(atoms, slice_thickness)
    places, index, columns = column_atoms_of(sliced, periodic=True)
    pixels = np.stack([cell[1] / shape[0], cell[0] / shape[1]])
    image = np.tile(_vacuum(optics, cell)[:, None, None].astype(np.float32), (1, *shape))
    if min(detector.inner for detector in optics.detectors) < CLOSE * optics.convergence:
        middles, which, pairs = find_pairs(places, index, columns, cell=cell)
        together = pair_responses(pairs, optics, workers=workers, progress=progress)
        image += _periodic_sum(middles, which, together, shape=shape, pixels=pixels)
    responses = compute_responses(
        columns, optics, sampled=slice_thickness > 0, cache=cache, workers=workers, progress=progress
    )
    return image + _periodic_sum(places, index, responses, shape=shape, pixels=pixels)


def _sliced(atoms: Atoms, thickness: float) -> Atoms:
    """The structure, atoms beyond its cell brought back, each in the plane in which its slice begins."""
    sliced: Atoms = atoms.copy()
    depth = float(atoms.cell[2, 2])
    if depth > 0:
        height = (atoms.positions[:, 2] + _LEVEL) % depth - _LEVEL
        slab = depth / np.ceil(depth / thickness - 1e-9) if thickness > 0 else 0.0
        sliced.positions[:, 2] = np.floor((height + _LEVEL) / slab) * slab if slab else height
    return sliced


def _periodic_sum(
    places: NDArray[np.float64],
    index: NDArray[np.integer],
    responses: Responses,
    *,
    shape: tuple[int, int],
    pixels: NDArray[np.float64],
) -> NDArray[np.float32]:
    """(n_detectors, y, x), the columns of all periods.

    Parameters
    ----------
    places : (N, 2) Å (y, x)
    pixels : (2, 2) Å, what one pixel along y and one along x are, each (y, x).
    """
    if not len(places):
        return np.zeros((responses.values.shape[1], *shape), np.float32)
    if np.abs(pixels - np.diag(np.diag(pixels))).max() > 1e-9 * np.abs(pixels).max():
        return _oblique_sum(places, index, responses, shape=shape, pixels=pixels)
    from .render.field import TOLERANCE_PERIODIC, FieldRenderer

    render = FieldRenderer(
        responses=replace(responses, vacuum=np.zeros_like(responses.vacuum)),
        pixel_size=(float(pixels[0, 0]), float(pixels[1, 1])),
        tolerance=TOLERANCE_PERIODIC,
    )
    return render(places @ np.linalg.inv(pixels), index, shape=shape, periodic=True)


def _oblique_sum(
    places: NDArray[np.float64],
    index: NDArray[np.integer],
    responses: Responses,
    *,
    shape: tuple[int, int],
    pixels: NDArray[np.float64],
) -> NDArray[np.float32]:
    """As `_periodic_sum`, where the image has no right angles: every table is read at every pixel."""
    from scipy.ndimage import map_coordinates, spline_filter

    frame = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) @ pixels
    period = pixels * np.array(shape)[:, None]
    n = np.ceil(responses.reach * np.linalg.norm(np.linalg.inv(period), axis=0)).astype(int) + 1
    half = responses.values.shape[-1] // 2
    image = np.zeros((responses.values.shape[1], *shape))
    splines = [[spline_filter(table) for table in column] for column in responses.values]
    for place, column in zip(places, index, strict=True):
        for shift in product(*(range(-m, m + 1) for m in n)):
            away = np.moveaxis(frame - place - np.array(shift) @ period, -1, 0) / responses.step
            if np.hypot(*away).min() < half:
                for one, spline in zip(image, splines[column], strict=True):
                    one += map_coordinates(spline, away + half, prefilter=False)
    return image.astype(np.float32)


def _vacuum(optics: Optics, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the beam on each detector without a specimen, of the plane waves that fit into the cell."""
    reciprocal = np.linalg.inv(cell).T
    widest = 2e-3 * optics.convergence / optics.wavelength
    n = np.ceil(widest / np.linalg.norm(reciprocal, axis=1)).astype(int) + 1
    wave_numbers = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in n], indexing="ij"), axis=-1)
    ky, kx = np.moveaxis(wave_numbers @ reciprocal, -1, 0)
    intensity = np.abs(probe_wave(optics, ky, kx, _rim(reciprocal, ky, kx))) ** 2
    angle = 1e3 * optics.wavelength * np.hypot(ky, kx)
    rings = [(angle >= ring.inner) & (angle < ring.outer) for ring in optics.detectors]
    return np.array([intensity[ring].sum() for ring in rings])


def _rim(
    reciprocal: NDArray[np.floating], ky: NDArray[np.floating], kx: NDArray[np.floating]
) -> NDArray[np.float64]:
    """1/Å, distance of neighbouring waves of the cell in each wave's own direction."""
    angle = np.arctan2(ky, kx)
    along = [np.hypot(*vector) for vector in reciprocal]
    return np.asarray(np.hypot(along[0] * np.cos(angle), along[1] * np.sin(angle)))
