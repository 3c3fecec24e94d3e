"""From pixels to the perfect crystals that they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask, standardise
from ..crystal.domains import DomainFinder
from ..crystal.moire import refuse_overlap
from ..crystal.perfect_crystal import LEAST_STRENGTH, PerfectCrystal
from ..detect.domain_boundaries import mean_size
from ..detect.local_reference import comparable_sites
from ..detect.patterson_domains import PattersonDomainFinder
from ..detect.planar_defects import BELONGS, Dislocation, PlanarDefect, Structure
from ..detect.structure_search import find_structure
from ..errors import InputError, NoLatticeError
from .crystal_fit import fit_crystal, keep_sites, lies_on, strength_of, without_doubles
from .lattice_search import find_lattices, largest_first

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
    domains, lattices, spacing = find_lattices(mean, mask, finder=finder or DomainFinder(), seed=seed)
    structure = (
        find_structure(mean, mask, domains, lattices)
        if planar
        else Structure(domains=domains, lattices=lattices)
    )
    if len(structure.lattices) == 1 and not structure.lines:  # streaks of a fault are no second lattice
        refuse_overlap(mean, mask, spacing=spacing)
    return _fit_crystals(prepared, mean, mask, structure, spacing=spacing)


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
        at = crystal.sites.positions
        crystals[k] = keep_sites(crystal, lies_on((seen == k) | (mask & (domains == k)), at))
    if not crystals:
        raise reasons[0]
    share = {k: float((seen == k).mean()) for k in reasons}
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
            f"a grain of {share[k]:.1%} of the image could not be analysed: {str(reason).removeprefix(_NONE)}"
            for k, reason in reasons.items()
        ),
    )


def _near(other: Mask, *, distance: float) -> Mask:
    """Pixels within `distance` px of marked ones."""
    if not other.any():
        return other
    return np.asarray(ndimage.distance_transform_edt(~other) <= distance)
