"""From pixels to the perfect crystal that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.column_shape import fit_column_shape
from ..crystal.columns import Sites, measure_shifts, nearest_distance, predict_sites, settle_sites
from ..crystal.contrast import Floats, Mask, blur_within, flatten, standardise
from ..crystal.distortion import fit_distortion
from ..crystal.domains import DomainFinder
from ..crystal.dumbbells import DumbbellFinder
from ..crystal.hollows import find_hollows
from ..crystal.lattice import Lattice, fit_lattice, same_lattice
from ..crystal.perfect_crystal import LEAST_STRENGTH, PerfectCrystal
from ..crystal.reflections import check_reflections
from ..crystal.spacing import Spectrum, estimate_spacing, measure_spectrum
from ..crystal.sublattices import SublatticeFinder, mean_cell
from ..errors import InputError, NoLatticeError

MIN_SIDE = 32  # px; fewer hold too few cells to average
MIN_CELLS = 50  # fewer cannot tell a cell from twice the cell, nor a rare column from noise
_MARGIN = 2.0  # spacings; nearer to another domain its columns may be mistaken for one's own
_SMOOTHINGS = (0.8, 2.0, 4.0)  # px, of the image whose spacing is measured; the first is nearly always enough


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimen:
    """What was seen: prepared pixels, the crystal of the largest domain, and the others.

    Parameters
    ----------
    channels : (y, x) each, standardised.
    crystal : of domain 0.
    domains : (y, x), 0 the analysed one, 1, … others, -1 where there is no crystal or the mask.
    mask : (y, x), True where pixels were ignored.
    """

    channels: tuple[Floats, ...]
    crystal: PerfectCrystal
    domains: NDArray[np.int8]
    mask: Mask

    @property
    def n_domains(self) -> int:
        """How many lattices the image holds."""
        return int(self.domains.max()) + 1


def find_specimen(channels: NDArray[np.float32], mask: Mask, *, seed: int = 0) -> Specimen:
    """The perfect crystal of the largest domain of an image.

    Parameters
    ----------
    channels : (n, y, x)
    mask : (y, x), True where pixels are ignored.
    seed : of the search for domains.

    Raises
    ------
    NoLatticeError
        The image is constant, noise, amorphous or otherwise without a lattice.
    InputError
        It is too small, or its cells have too few pixels.
    """
    _check(channels, mask)
    prepared = tuple(standardise(channel, mask) for channel in channels)
    mean = np.asarray(np.mean(prepared, axis=0), dtype=np.float32)
    domains, lattice, spacing = _find_lattice(mean, mask, seed=seed)
    own = mask | _near(domains != 0, distance=_MARGIN * spacing)
    crystal = _fit_crystal(prepared, mean, own, lattice)
    weak = _stretch(crystal.distortion.amplitude, crystal.distortion.step, mean.shape) < LEAST_STRENGTH
    domains[(weak & (domains == 0)) | mask] = -1
    crystal = _within(crystal, (domains == 0) | mask)
    return Specimen(channels=prepared, crystal=crystal, domains=domains, mask=mask)


def _find_lattice(mean: Floats, mask: Mask, *, seed: int) -> tuple[NDArray[np.int8], Lattice, float]:
    """Domains, the lattice of the largest, and the spacing; noise is blurred away when it must be."""
    overview = _overview(mean, mask)
    reason = NoLatticeError("no lattice found: no shift returns the image onto itself")
    for smoothing in _SMOOTHINGS:
        spacing = estimate_spacing(overview, smoothing=smoothing)
        if not np.isfinite(spacing):
            continue
        domains = DomainFinder()(mean, mask, spacing=spacing, rng=seed)
        try:
            domains, lattice = _crystalline(domains, mean, mask, overview, spacing=spacing)
        except NoLatticeError as error:
            reason = error
        else:
            return domains, lattice, spacing
    raise reason


def _crystalline(
    domains: NDArray[np.int8], mean: Floats, mask: Mask, overview: Spectrum, *, spacing: float
) -> tuple[NDArray[np.int8], Lattice]:
    """Domains of one lattice each, renumbered from the largest, -1 elsewhere; and the lattice of the first.

    A domain whose lattice is that of the first belongs to it: its spectrum differed by contrast only.
    """
    if not domains.any():
        return domains, _lattice_of(overview, mask, spacing=spacing)
    lattices: dict[int, Lattice] = {}
    for k in range(int(domains.max()) + 1):
        try:
            outside = mask | (domains != k)
            lattices[k] = _lattice_of(_overview(mean, outside), outside, spacing=spacing)
        except NoLatticeError as error:
            missing = error
    if not lattices:
        raise missing
    first = next(iter(lattices.values()))
    number = np.full(int(domains.max()) + 1, -1, dtype=np.int8)
    for k, lattice in lattices.items():
        number[k] = 0 if same_lattice(lattice, first) else number.max() + 1
    return number[domains], first


def _lattice_of(overview: Spectrum, mask: Mask, *, spacing: float) -> Lattice:
    """The lattice of what is not masked, if that holds enough cells to be told from chance."""
    lattice = fit_lattice(overview, spacing=spacing)
    n_cells = int((~mask).sum() / lattice.cell_area)
    if n_cells < MIN_CELLS:
        raise NoLatticeError(
            f"no lattice found: the image must hold at least {MIN_CELLS} cells to be told from chance, "
            f"got room for {n_cells}"
        )
    return lattice


def _check(channels: NDArray[np.float32], mask: Mask) -> None:
    shape = channels.shape[1:]
    if min(shape) < MIN_SIDE:
        raise InputError(
            f"an image must be at least {MIN_SIDE} × {MIN_SIDE} px, got {shape[0]} × {shape[1]} px: "
            "too few columns to compare with each other"
        )
    for channel in channels:
        seen = channel[~mask]
        if not len(seen) or seen.min() == seen.max():
            raise NoLatticeError("no lattice found: every pixel has the same value")


def _within(crystal: PerfectCrystal, area: Mask) -> PerfectCrystal:
    """The crystal without the sites that its lattice predicts where another one, or none, is."""
    sites = crystal.sites
    at = np.clip(np.round(sites.positions).astype(int), 0, np.array(area.shape) - 1)
    kept = area[at[:, 0], at[:, 1]]
    inside = Sites(
        positions=sites.positions[kept], sublattice=sites.sublattice[kept], cells=sites.cells[kept]
    )
    return replace(crystal, sites=inside, offsets=crystal.offsets[kept])


def _near(other: Mask, *, distance: float) -> Mask:
    """Pixels within `distance` px of marked ones."""
    if not other.any():
        return other
    return np.asarray(ndimage.distance_transform_edt(~other) <= distance)


def _overview(mean: Floats, mask: Mask) -> Spectrum:
    return measure_spectrum(flatten(mean, mask, sigma=max(mean.shape) / 24), mask)


def _fit_crystal(channels: Sequence[Floats], mean: Floats, mask: Mask, lattice: Lattice) -> PerfectCrystal:
    flat = flatten(mean, mask, sigma=2 * lattice.size)
    expected = lattice
    lattice, distortion = fit_distortion(flat, mask, expected)
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


def _stretch(field: NDArray[np.float64], step: tuple[float, float], shape: tuple[int, ...]) -> Floats:
    """A coarse field (m, n) at every pixel."""
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
