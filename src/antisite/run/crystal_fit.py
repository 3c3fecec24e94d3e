"""One domain's pixels and expected lattice in, its perfect crystal out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..crystal.column_shape import fit_column_shape
from ..crystal.columns import Sites, measure_shifts, nearest_distance, predict_sites, settle_sites
from ..crystal.contrast import Floats, Mask, blur_within, flatten
from ..crystal.dislocation_field import DislocationField
from ..crystal.distortion import fit_distortion
from ..crystal.dumbbells import DumbbellFinder
from ..crystal.hollows import find_hollows
from ..crystal.lattice import Lattice, same_lattice
from ..crystal.perfect_crystal import PerfectCrystal
from ..crystal.reflections import check_reflections
from ..crystal.sublattices import SublatticeFinder, mean_cell
from ..errors import NoLatticeError

_SAME_PLACE = 0.5  # nearest distances; two sites of different domains that are nearer are one


def fit_crystal(
    channels: Sequence[Floats],
    mean: Floats,
    mask: Mask,
    lattice: Lattice,
    *,
    ground: Mask,
    around: DislocationField | None = None,
) -> PerfectCrystal:
    """The perfect crystal of one domain, with its sites.

    Parameters
    ----------
    channels : (y, x) each, standardised.
    mean : (y, x), over the channels.
    mask : (y, x), True where pixels tell nothing of this crystal.
    lattice : what is expected.
    ground : (y, x), True where its sites may lie.
    around : its dislocations.

    Raises
    ------
    NoLatticeError
        The waves of the image do not follow the lattice, or are not those of one crystal.
    """
    flat = flatten(mean, mask, sigma=2 * lattice.size)
    expected = lattice
    lattice, distortion = fit_distortion(flat, mask, expected, around=around)
    if not same_lattice(lattice, expected):
        raise NoLatticeError("no lattice found: the image has a repeat, but its waves do not follow it")
    check_reflections(flat, mask, lattice, distortion)
    motif = mean_cell(flat, mask, lattice, distortion)
    columns = DumbbellFinder()(motif, lattice, SublatticeFinder()(motif, lattice))
    sublattices = columns + find_hollows(motif, lattice, columns)
    cells = (
        [motif]
        if len(channels) == 1
        else [
            mean_cell(flatten(c, mask, sigma=2 * lattice.size), mask, lattice, distortion) for c in channels
        ]
    )
    nearest = nearest_distance(lattice, columns)
    sites = predict_sites(lattice, distortion, sublattices, shape=(mean.shape[0], mean.shape[1]))
    sites = _chosen(sites, lies_on(ground, sites.positions))
    if not len(sites):
        raise NoLatticeError("no lattice found: the cell is larger than the image")
    standing = sites.sublattice < len(columns)
    shifts = np.full((len(sites), 2), np.nan)
    sharp = blur_within(flat, mask, sigma=0.2 * nearest)
    shifts[standing] = measure_shifts(sharp, sites.positions[standing], reach=0.35 * nearest)
    settled = settle_sites(sites.positions, shifts)
    return PerfectCrystal(
        lattice=lattice,
        distortion=distortion,
        sublattices=tuple(sublattices),
        motif=motif,
        cells=tuple(cells),
        shapes=tuple(fit_column_shape(cell, lattice, columns) for cell in cells),
        sites=replace(sites, positions=settled),
        offsets=sites.positions + shifts - settled,
        nearest=nearest,
        mask=mask,
    )


def keep_sites(crystal: PerfectCrystal, kept: NDArray[np.bool_]) -> PerfectCrystal:
    """The crystal with some of its sites (n,) only."""
    return replace(crystal, sites=_chosen(crystal.sites, kept), offsets=crystal.offsets[kept])


def _chosen(sites: Sites, kept: NDArray[np.bool_]) -> Sites:
    return Sites(positions=sites.positions[kept], sublattice=sites.sublattice[kept], cells=sites.cells[kept])


def lies_on(area: Mask, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which positions (n, 2) px lie on marked pixels; beyond the frame the nearest pixel tells."""
    at = np.clip(np.round(positions).astype(int), 0, np.array(area.shape) - 1)
    return np.asarray(area[at[:, 0], at[:, 1]])


def without_doubles(crystals: Sequence[PerfectCrystal]) -> tuple[PerfectCrystal, ...]:
    """The crystals without the sites where a larger one, or one with a column there, has its own.

    At a boundary two lattices may want the same column.
    """
    kept = [np.ones(len(crystal.sites), dtype=bool) for crystal in crystals]
    trees = [cKDTree(crystal.sites.positions) for crystal in crystals]
    for i, first in enumerate(crystals):
        for j, second in enumerate(crystals[i + 1 :], i + 1):
            reach = _SAME_PLACE * min(first.nearest, second.nearest)
            pairs = trees[i].sparse_distance_matrix(trees[j], reach, output_type="ndarray")
            empty = first.hollow[pairs["i"]] & ~second.hollow[pairs["j"]]
            kept[i][pairs["i"][empty]] = False
            kept[j][pairs["j"][~empty]] = False
    return tuple(keep_sites(crystal, own) for crystal, own in zip(crystals, kept, strict=True))


def strength_of(crystal: PerfectCrystal, shape: tuple[int, ...]) -> Floats:
    """How strong the lattice is at every pixel, 1 where it is typical."""
    field, step = crystal.distortion.amplitude, crystal.distortion.step
    y, x = (np.arange(n) / s for n, s in zip(shape, step, strict=True))
    rows = ndimage.map_coordinates(
        field, np.meshgrid(y, np.arange(field.shape[1]), indexing="ij"), order=1, mode="nearest"
    )
    return np.asarray(
        ndimage.map_coordinates(
            rows, np.meshgrid(np.arange(shape[0]), x, indexing="ij"), order=1, mode="nearest"
        ),
        dtype=np.float32,
    )
