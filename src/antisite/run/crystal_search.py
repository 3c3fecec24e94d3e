"""From pixels to the perfect crystals that they show."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask, flatten, standardise
from ..crystal.distortion import fit_distortion
from ..crystal.domains import DomainFinder, SpectrumDomainFinder
from ..crystal.foreign_patches import foreign_patches
from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import smallest_cell
from ..crystal.moire import refuse_overlap
from ..crystal.perfect_crystal import LEAST_STRENGTH, PerfectCrystal
from ..crystal.reflections import check_reflections
from ..crystal.windows import even_contrast
from ..detect.domain_boundaries import mean_size
from ..detect.local_reference import comparable_sites
from ..detect.planar_defects import BELONGS, Dislocation, PlanarDefect, Structure
from ..detect.structure_search import find_structure
from ..errors import InputError, NoLatticeError
from .crystal_fit import fit_crystal, keep_sites, lies_on, strength_of, without_doubles
from .lattice_search import Dropped, FoundLattices, find_lattices, largest_first

Domains = NDArray[np.int8]
MIN_SIDE = 32  # px; fewer hold too few cells to average
_MARGIN = 2.0  # spacings; nearer to another domain its columns may be mistaken for one's own
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
    refused : domains that show a lattice, but of which no crystal could be made.
    foreign : (y, x), True on patches inside a crystal that are no part of it.
    dropped : where no lattice could be measured.
    """

    channels: tuple[Floats, ...]
    crystals: tuple[PerfectCrystal, ...]
    domains: Domains
    mask: Mask
    lines: tuple[PlanarDefect, ...] = ()
    dislocations: tuple[Dislocation, ...] = ()
    refused: tuple[Dropped, ...] = ()
    foreign: Mask | None = None
    dropped: tuple[Dropped, ...] = ()

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
    finder: DomainFinder | None = None,
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
    finder = finder or SpectrumDomainFinder()
    found = _lattices_of(mean, mask, finder=finder, seed=seed)
    domains, lattices, spacing = found.domains, found.lattices, found.spacing
    structure = (
        find_structure(mean, mask, domains, lattices)
        if planar
        else Structure(domains=domains, lattices=lattices)
    )
    if len(structure.lattices) == 1 and not structure.lines:  # streaks of a fault are no second lattice
        refuse_overlap(mean, mask, spacing=spacing, known=structure.lattices[0])
    specimen = _fit_crystals(prepared, mean, mask, structure, spacing=spacing, planar=planar)
    return replace(specimen, dropped=found.dropped)


def _lattices_of(mean: Floats, mask: Mask, *, finder: DomainFinder, seed: int) -> FoundLattices:
    """What `find_lattices` finds, with the repeat of most of the image.

    Two lattices side by side may be taken for one with a cell several times too large, whose further
    reflections are those of a grain only: it is looked for again at the smaller repeat.
    """
    found = find_lattices(mean, mask, finder=finder, seed=seed)
    smaller = _repeat_of_most(mean, mask, found)
    if smaller is None:
        return found
    with suppress(NoLatticeError, InputError):
        again = find_lattices(mean, mask, finder=finder, seed=seed, known_spacing=smaller.lengths[0])
        if len(again.lattices) > 1:
            return again
    flat = flatten(mean, mask, sigma=2 * smaller.size)
    try:
        check_reflections(flat, mask, *fit_distortion(flat, mask, found.lattices[0]))
    except NoLatticeError:
        return replace(found, lattices=(smaller,), spacing=smaller.lengths[0])
    return found


def _repeat_of_most(mean: Floats, mask: Mask, found: FoundLattices) -> Lattice | None:
    """The lattice with a smaller cell that most of an image of one lattice has, if there is one."""
    if len(found.lattices) > 1:
        return None
    (lattice,) = found.lattices
    even = even_contrast(mean, mask, spacing=lattice.size)
    smaller = smallest_cell(even, mask | (found.domains != 0), lattice)
    return smaller if smaller.cell_area < lattice.cell_area else None


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
    planar: bool,
) -> Specimen:
    """The crystal of each domain; one that cannot be fitted leaves no domain.

    What lies beside a line or a core is no perfect crystal: it is left out as if it were masked. So are, in
    the search for planar defects, patches of something else.

    Raises
    ------
    NoLatticeError, InputError
        None can; the reason is that of the largest.
    """
    crystals: dict[int, PerfectCrystal] = {}
    reasons: dict[int, Exception] = {}
    domains, lattices = structure.domains, structure.lattices
    seen = np.where(mask, np.int8(-1), domains)
    patches = np.zeros(mask.shape, dtype=bool)
    broken = structure.distance() < BELONGS * mean_size(lattices)
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
        if planar:
            foreign = (domains == k) & ~mask & _foreign(mean, mask | edge, crystal)
            patches |= foreign
            seen[foreign] = -1
        at = crystal.sites.positions
        crystals[k] = keep_sites(crystal, lies_on((seen == k) | (mask & (domains == k)), at))
    if not crystals:
        raise reasons[0]
    numbered, ordered = largest_first(seen, crystals)
    left = structure.on(numbered)
    return Specimen(
        channels=channels,
        crystals=without_doubles(ordered),
        domains=numbered,
        mask=mask,
        lines=left.lines,
        dislocations=left.dislocations,
        refused=tuple(
            Dropped(where=seen == k, reason=str(reason).removeprefix(_NONE)) for k, reason in reasons.items()
        ),
        foreign=patches,
    )


def _foreign(mean: Floats, hidden: Mask, crystal: PerfectCrystal) -> Mask:
    """Pixels of patches that are no part of a crystal, and of what is so near that it belongs to them."""
    lattice = crystal.lattice
    flat = flatten(mean, hidden, sigma=2 * lattice.size)
    margin = BELONGS * lattice.size
    return foreign_patches(flat, hidden, lattice, crystal.distortion, margin=margin)


def _near(other: Mask, *, distance: float) -> Mask:
    """Pixels within `distance` px of marked ones."""
    if not other.any():
        return other
    return np.asarray(ndimage.distance_transform_edt(~other) <= distance)
