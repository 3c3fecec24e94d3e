"""From pixels to the perfect crystals that they show."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask, flatten, standardise
from ..crystal.domains import DomainFinder
from ..crystal.lattice import Lattice, fit_lattice, same_lattice
from ..crystal.moire import refuse_overlap
from ..crystal.perfect_crystal import LEAST_STRENGTH, PerfectCrystal
from ..crystal.spacing import Spectrum, estimate_spacing, measure_spectrum
from ..detect.domain_boundaries import mean_size
from ..detect.local_reference import comparable_sites
from ..detect.patterson_domains import PattersonDomainFinder
from ..detect.planar_defects import Dislocation, PlanarDefect, Structure
from ..detect.structure_search import find_structure
from ..errors import InputError, NoLatticeError
from .crystal_fit import fit_crystal, keep_sites, lies_on, strength_of, without_doubles

Domains = NDArray[np.int8]
Item = TypeVar("Item")
MIN_SIDE = 32  # px; fewer hold too few cells to average
MIN_CELLS = 50  # fewer cannot tell a cell from twice the cell, nor a rare column from noise
MIN_CELLS_BESIDE = 20  # of a further domain: its spectrum has told it apart already
_CLEAR = 0.4  # coherence of a part of the image, where the whole has none
_BROKEN = 1.5  # √(cell area); so near to a line or core no site is compared
_MARGIN = 2.0  # spacings; nearer to another domain its columns may be mistaken for one's own
_SMOOTHINGS = (0.8, 2.0, 4.0)  # px, of the image whose spacing is measured; the first is nearly always enough
_NONE = "no lattice found: "


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimen:
    """What was seen: prepared pixels, and the crystal of every domain.

    Parameters
    ----------
    channels : (y, x) each, standardised.
    crystals : one for each domain, in the order of their numbers.
    domains : (y, x), 0 the largest, -1 where there is no crystal or the mask.
    mask : (y, x), True where pixels were ignored.
    lines : boundaries between domains, and faults.
    dislocations : in domains and on boundaries.
    refused : why a domain that shows a lattice has no crystal, one sentence for each.
    """

    channels: tuple[Floats, ...]
    crystals: tuple[PerfectCrystal, ...]
    domains: Domains
    mask: Mask
    lines: tuple[PlanarDefect, ...] = ()
    dislocations: tuple[Dislocation, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def crystal(self) -> PerfectCrystal:
        """That of the largest domain."""
        return self.crystals[0]

    @property
    def n_domains(self) -> int:
        """How many lattices the image holds."""
        return len(self.crystals)


def find_specimen(
    channels: NDArray[np.float32],
    mask: Mask,
    *,
    planar: bool = True,
    finder: DomainFinder | PattersonDomainFinder | None = None,
    seed: int = 0,
) -> Specimen:
    """The perfect crystal of every domain of an image, and the lines and dislocations that break it.

    Parameters
    ----------
    channels : (n, y, x)
    mask : (y, x), True where pixels are ignored.
    planar : look for faults and dislocations, and where exactly boundaries run.
    finder : of the domains; by their spectra unless given.
    seed : of the search for domains.

    Raises
    ------
    NoLatticeError
        The image is constant, noise, amorphous or otherwise without a lattice.
    InputError
        It is too small, its cells have too few pixels, or no column can be compared.
    """
    _check(channels, mask)
    prepared = tuple(standardise(channel, mask) for channel in channels)
    mean = np.asarray(np.mean(prepared, axis=0), dtype=np.float32)
    domains, lattices, spacing = _find_lattices(mean, mask, finder=finder or DomainFinder(), seed=seed)
    structure = (
        find_structure(mean, mask, domains, lattices)
        if planar
        else Structure(domains=domains, lattices=lattices)
    )
    return _fit_crystals(prepared, mean, mask, structure, spacing=spacing)


def _find_lattices(
    mean: Floats, mask: Mask, *, finder: DomainFinder | PattersonDomainFinder, seed: int
) -> tuple[Domains, tuple[Lattice, ...], float]:
    """Domains, the lattice of each, and the spacing; noise is blurred away when it must be."""
    overview = _overview(mean, mask)
    reason = NoLatticeError("no lattice found: no shift returns the image onto itself")
    for smoothing in _SMOOTHINGS:
        spacing = estimate_spacing(overview, smoothing=smoothing)
        if not np.isfinite(spacing):
            continue
        domains = finder(mean, mask, spacing=spacing, rng=seed)
        try:
            domains, lattices = _crystalline(domains, mean, mask, overview, spacing=spacing)
        except NoLatticeError as error:
            reason = error
        else:
            return domains, lattices, spacing
    raise reason


def _crystalline(
    domains: Domains, mean: Floats, mask: Mask, overview: Spectrum, *, spacing: float
) -> tuple[Domains, tuple[Lattice, ...]]:
    """Domains of one lattice each, renumbered from the largest, -1 elsewhere; and their lattices.

    A domain whose lattice is that of a larger one belongs to it: its spectrum differed by contrast only.
    """
    if not domains.any():
        refuse_overlap(mean, mask, spacing=spacing)
        return domains, (_lattice_of_all(overview, mean, mask, spacing=spacing),)
    lattices: dict[int, Lattice] = {}
    reason: Exception | None = None
    number = np.arange(int(domains.max()) + 1)
    for k in number:
        own = (domains == k) & ~mask
        least = MIN_CELLS_BESIDE if lattices else MIN_CELLS
        seen = _overview(mean, ~own)
        shortest = estimate_spacing(seen)  # two lattices in one picture may hide it
        try:
            refuse_overlap(mean, ~own, spacing=spacing)
            lattice = _lattice_of(
                seen, own, spacing=shortest if np.isfinite(shortest) else spacing, least=least
            )
        except (NoLatticeError, InputError) as error:
            reason = reason or error
            continue
        number[k] = next((i for i, known in lattices.items() if same_lattice(lattice, known)), k)
        lattices.setdefault(int(number[k]), lattice)
    if reason and not lattices:
        raise reason
    return _largest_first(number[domains], lattices)


def _lattice_of_all(overview: Spectrum, mean: Floats, mask: Mask, *, spacing: float) -> Lattice:
    """The lattice of the whole image, or where that is bent out of step the clearest one of its parts."""
    try:
        return _lattice_of(overview, ~mask, spacing=spacing, least=MIN_CELLS)
    except NoLatticeError as error:
        found = []
        for part in _overlapping_halves(mean.shape):
            if not mask[part].all():
                seen = _overview(mean[part], mask[part])
                with suppress(NoLatticeError, InputError):
                    found.append(_lattice_of(seen, ~mask[part], spacing=spacing, least=MIN_CELLS))
        clearest = max(found, key=lambda lattice: lattice.coherence, default=None)
        if clearest is None or clearest.coherence < _CLEAR:
            raise error
        return clearest


def _overlapping_halves(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Nine windows of half the image's sides."""
    rows, columns = ([slice(n * i // 4, n * i // 4 + n // 2) for i in range(3)] for n in shape)
    return [(y, x) for y in rows for x in columns]


def _lattice_of(overview: Spectrum, own: Mask, *, spacing: float, least: int) -> Lattice:
    """The lattice of some pixels, if they hold enough cells to be told from chance."""
    lattice = fit_lattice(overview, spacing=spacing)
    n_cells = int(own.sum() / lattice.cell_area)
    if n_cells < least:
        raise NoLatticeError(
            f"no lattice found: the image must hold at least {least} cells to be told from chance, "
            f"got room for {n_cells}"
        )
    return lattice


def _largest_first(
    domains: NDArray[np.integer], items: Mapping[int, Item]
) -> tuple[Domains, tuple[Item, ...]]:
    """Domains that have an item, numbered from the largest, -1 elsewhere; and the items in that order."""
    area = {k: int((domains == k).sum()) for k in items}
    order = sorted(items, key=lambda k: -area[k])
    renumbered = np.full(domains.shape, -1, dtype=np.int8)
    for number, k in enumerate(order):
        renumbered[domains == k] = number
    return renumbered, tuple(items[k] for k in order)


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


def _fit_crystals(
    channels: tuple[Floats, ...],
    mean: Floats,
    mask: Mask,
    structure: Structure,
    *,
    spacing: float,
) -> Specimen:
    """The crystal of each domain; one that cannot be fitted leaves no domain.

    What lies beside a line or a core is no perfect crystal: it is left out as if it were masked.

    Raises
    ------
    NoLatticeError, InputError
        None can; the reason is that of the largest.
    """
    crystals: dict[int, PerfectCrystal] = {}
    reasons: dict[int, Exception] = {}
    domains, lattices = structure.domains, structure.lattices
    seen = np.where(mask, np.int8(-1), domains)
    broken = structure.distance() < _BROKEN * mean_size(lattices)
    for k, lattice in enumerate(lattices):
        edge = broken | _near(domains != k, distance=_MARGIN * spacing)
        try:
            crystal = fit_crystal(
                channels, mean, mask | edge, lattice, ground=domains == k, around=structure.field_in(k)
            )
            comparable_sites(crystal, mean.shape)
        except (NoLatticeError, InputError) as error:
            reasons[k] = error
            continue
        weak = strength_of(crystal, mean.shape) < LEAST_STRENGTH
        seen[weak & ~edge & (seen == k)] = -1
        at = crystal.sites.positions
        crystals[k] = keep_sites(crystal, lies_on((seen == k) | (mask & (domains == k)), at))
    if not crystals:
        raise reasons[0]
    share = {k: float((seen == k).mean()) for k in reasons}
    numbered, ordered = _largest_first(seen, crystals)
    return Specimen(
        channels=channels,
        crystals=without_doubles(ordered),
        domains=numbered,
        mask=mask,
        lines=structure.lines,
        dislocations=structure.dislocations,
        refused=tuple(
            f"a grain of {share[k]:.1%} of the image could not be analysed: {str(reason).removeprefix(_NONE)}"
            for k, reason in reasons.items()
        ),
    )


def _near(other: Mask, *, distance: float) -> Mask:
    """Pixels within `distance` px of marked ones."""
    if not other.any():
        return other
    return np.asarray(ndimage.distance_transform_edt(~other) <= distance)


def _overview(mean: Floats, mask: Mask) -> Spectrum:
    return measure_spectrum(flatten(mean, mask, sigma=max(mean.shape) / 24), mask)
