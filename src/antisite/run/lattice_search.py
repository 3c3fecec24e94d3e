"""The domains of an image, and the lattice of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, Mask, flatten
from ..crystal.domains import DomainFinder
from ..crystal.lattice import Lattice, fit_lattice, same_lattice
from ..crystal.moire import refuse_overlap
from ..crystal.spacing import Spectrum, estimate_spacing, measure_spectrum
from ..errors import InputError, NoLatticeError

Domains = NDArray[np.int8]
Item = TypeVar("Item")
MIN_CELLS = 50  # fewer cannot tell a cell from twice the cell, nor a rare column from noise
MIN_CELLS_BESIDE = 20  # of a further domain: its spectrum has told it apart already
_LARGE = 2.3  # spacings², of a cell that parts of the image must confirm
_SMALLER = 0.6  # of the cell of the whole image, to be another one
_OF_FAULTS, _SHARED = 3.0, 0.06  # cells in the repeat of faults; of a cell, between rows that are one
_CLEAR = 0.4  # coherence of a part of the image, where the whole has none
_SMOOTHINGS = (0.8, 2.0, 4.0)  # px, of the image whose spacing is measured; the first is nearly always enough


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dropped:
    """What looks unlike the rest of the image, and holds no lattice that could be measured.

    Parameters
    ----------
    where : (y, x), True in it.
    reason : why, in a few words.
    """

    where: Mask
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundLattices:
    """The lattices of an image.

    Parameters
    ----------
    domains : (y, x) number of the lattice at each pixel, the largest domain 0, -1 where there is none.
    lattices : one for each domain.
    spacing : a0 in px.
    dropped : where no lattice could be measured.
    """

    domains: Domains
    lattices: tuple[Lattice, ...]
    spacing: float
    dropped: tuple[Dropped, ...]


def find_lattices(
    mean: Floats, mask: Mask, *, finder: DomainFinder, seed: int, known_spacing: float | None = None
) -> FoundLattices:
    """Domains and the lattice of each; noise is blurred away when it must be."""
    overview = _overview(mean, mask)
    reason = NoLatticeError("no lattice found: no shift returns the image onto itself")
    for smoothing in _SMOOTHINGS[:1] if known_spacing else _SMOOTHINGS:
        spacing = known_spacing or estimate_spacing(overview, smoothing=smoothing)
        if not np.isfinite(spacing):
            continue
        domains = finder(mean, mask, spacing=spacing, rng=seed)
        try:
            domains, lattices, dropped = _crystalline(domains, mean, mask, overview, spacing=spacing)
        except NoLatticeError as error:
            reason = error
        else:
            return FoundLattices(domains=domains, lattices=lattices, spacing=spacing, dropped=dropped)
    _refuse_moire(mean, mask, overview)
    raise reason


def _refuse_moire(mean: Floats, mask: Mask, overview: Spectrum) -> None:
    """Say that two lattices overlap, if they do."""
    spacing = estimate_spacing(overview)
    if np.isfinite(spacing):
        refuse_overlap(mean, mask, spacing=spacing)


def _crystalline(
    domains: Domains, mean: Floats, mask: Mask, overview: Spectrum, *, spacing: float
) -> tuple[Domains, tuple[Lattice, ...], tuple[Dropped, ...]]:
    """Domains of one lattice each, renumbered from the largest, -1 elsewhere; their lattices; the dropped.

    A domain whose lattice is that of a larger one belongs to it: its spectrum differed by contrast only.
    """
    if not domains.any():
        return domains, (_lattice_of_all(overview, mean, mask, spacing=spacing),), ()
    lattices: dict[int, Lattice] = {}
    dropped: list[Dropped] = []
    reason: Exception | None = None
    number = np.arange(int(domains.max()) + 1)
    for k in number:
        own = (domains == k) & ~mask
        if not own.any():
            continue
        least = MIN_CELLS_BESIDE if lattices else MIN_CELLS
        seen = _overview(mean, ~own)
        shortest = estimate_spacing(seen)  # two lattices in one picture may hide it
        try:
            lattice = _lattice_of(
                seen, own, spacing=shortest if np.isfinite(shortest) else spacing, least=least
            )
        except (NoLatticeError, InputError) as error:
            reason = reason or error
            cell = next((known.cell_area for known in lattices.values()), spacing**2)
            small = own.sum() < least * cell
            dropped.append(Dropped(where=own, reason=f"fewer than {least} cells" if small else _words(error)))
            continue
        number[k] = next(
            (
                i
                for i, known in lattices.items()
                if same_lattice(lattice, known) or _of_faults(lattice, known)
            ),
            k,
        )
        lattices.setdefault(int(number[k]), lattice)
    if reason and not lattices:
        raise reason
    return *largest_first(number[domains], lattices), tuple(dropped)


def _words(error: Exception) -> str:
    return "cells of too few pixels" if isinstance(error, InputError) else "no repeat stands out"


def _of_faults(lattice: Lattice, known: Lattice) -> bool:
    """Whether a large cell has a row in common with a known one: the repeat of faults side by side."""
    row = known.fractions(lattice.vectors[:1])
    shared = np.abs(row - np.round(row)).max() < _SHARED
    return bool(shared and lattice.cell_area > _OF_FAULTS * known.cell_area)


def _lattice_of_all(overview: Spectrum, mean: Floats, mask: Mask, *, spacing: float) -> Lattice:
    """The lattice of the whole image, or that of its parts where they know better.

    A boundary of low angle puts the image out of step with itself, so that it shows no lattice; streaks of a
    fault are taken for spots of a larger cell, which most parts of the image do not have.
    """
    whole: Lattice | None = None
    try:
        whole = _lattice_of(overview, ~mask, spacing=spacing, least=MIN_CELLS)
        if whole.cell_area < _LARGE * spacing**2:
            return whole
    except NoLatticeError as error:
        reason = error
    parts = _overlapping_halves(mean.shape)
    found = []
    for part in parts:
        if not mask[part].all():
            with suppress(NoLatticeError, InputError):
                seen = _overview(mean[part], mask[part])
                found.append(_lattice_of(seen, ~mask[part], spacing=spacing, least=MIN_CELLS))
    if whole is not None:
        found = [lattice for lattice in found if lattice.cell_area < _SMALLER * whole.cell_area]
        return _clearest(found) if len(found) > len(parts) / 2 else whole
    if not found or _clearest(found).coherence < _CLEAR:
        raise reason
    return _clearest(found)


def _clearest(lattices: Sequence[Lattice]) -> Lattice:
    return max(lattices, key=lambda lattice: lattice.coherence)


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


def largest_first(
    domains: NDArray[np.integer], items: Mapping[int, Item]
) -> tuple[Domains, tuple[Item, ...]]:
    """Domains that have an item, numbered from the largest, -1 elsewhere; and the items in that order."""
    area = {k: int((domains == k).sum()) for k in items}
    order = sorted(items, key=lambda k: -area[k])
    renumbered = np.full(domains.shape, -1, dtype=np.int8)
    for number, k in enumerate(order):
        renumbered[domains == k] = number
    return renumbered, tuple(items[k] for k in order)


def _overview(mean: Floats, mask: Mask) -> Spectrum:
    return measure_spectrum(flatten(mean, mask, sigma=max(mean.shape) / 24), mask)
