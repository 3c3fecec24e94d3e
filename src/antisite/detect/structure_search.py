"""The search for what breaks a crystal: borders, then faults, dislocations and walls of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, Mask
from ..crystal.distortion import fit_distortion
from ..crystal.lattice import Lattice, same_lattice
from ..crystal.lattice_phases import LatticePhases, measure_calm_phases, smallest_cell, visible_reflections
from ..crystal.windows import even_contrast
from ..errors import NoLatticeError
from .boundary_cores import dark_cores
from .dislocations import Cores, find_cores
from .domain_boundaries import find_borders, mean_size, sharpen_domains
from .domain_cuts import cut_domain, redraw_border
from .domain_families import Family, families
from .domain_map import domains_at_nodes, domains_beside
from .domain_walls import Wall, find_walls
from .fault_ends import with_total
from .faults import with_faults
from .line_ends import TO_FRAME, reach_out
from .line_refinement import refine_line
from .lines import distance_to, sample_line
from .low_angle import turn_between
from .planar_defects import LEAST_CELLS, Dislocation, PlanarDefect, Structure
from .planar_kinds import PlanarKind, kind_of_boundary
from .twin_lamellae import named_lamellae, with_lamellae, without_slabs

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
_WINDOW = 1.0  # √(cell area)
_LEAST_SD = 0.15  # √(cell area), of a core (`benchmarks/planar.md`)
_SAME = 0.03  # of a cell, between lattices that are one; a turn of 2° makes as much
_KNOWN = 2.0  # √(cell area); a core so near to a line belongs to it
LOW_ANGLE = "low-angle grain boundary"


def find_structure(pixels: Floats, mask: Mask, domains: Domains, lattices: Sequence[Lattice]) -> Structure:
    """Borders of roughly known domains, then faults, dislocations and walls of them inside each.

    Parameters
    ----------
    pixels : (y, x), standardised.
    mask : (y, x), True where pixels are ignored.
    domains : (y, x) number of the lattice of each pixel, -1 where none is known.
    """
    even = even_contrast(pixels, mask, spacing=mean_size(lattices))
    if len(lattices) > 1:  # spots of its neighbours may have enlarged a cell
        lattices = [smallest_cell(even, mask | (domains != k), own) for k, own in enumerate(lattices)]
    lattices = _refined(even, mask, domains, lattices)
    found = without_slabs(_merged(Structure(domains=domains, lattices=lattices)))
    steps = (_with_borders, with_lamellae, with_faults, _with_cores, _with_kinds, _with_dark_cores)
    for step in steps:
        found = step(even, mask, found)
    return named_lamellae(found)


def _merged(found: Structure) -> Structure:
    """The structure with domains of one lattice as one: faults had made their spectra differ."""
    kept: list[int] = []
    domains = found.domains.copy()
    for k, lattice in enumerate(found.lattices):
        same = [
            n for n, other in enumerate(kept) if same_lattice(lattice, found.lattices[other], tolerance=_SAME)
        ]
        domains[found.domains == k] = same[0] if same else len(kept)
        if not same:
            kept.append(k)
    return Structure(domains=domains, lattices=tuple(found.lattices[k] for k in kept))


def _refined(even: Floats, mask: Mask, domains: Domains, lattices: Sequence[Lattice]) -> tuple[Lattice, ...]:
    """Each lattice fitted to the phases of its own domain, or as it was where they do not follow it."""
    refined = []
    for k, lattice in enumerate(lattices):
        try:
            refined.append(fit_distortion(even, mask | (domains != k), lattice)[0])
        except NoLatticeError:
            refined.append(lattice)
    return tuple(refined)


def _with_borders(even: Floats, mask: Mask, found: Structure) -> Structure:
    """Lines between domains that differ enough for windows to tell them apart."""
    lattices = found.lattices
    if len(lattices) < 2:
        return found
    cell = mean_size(lattices)
    domains = sharpen_domains(even, mask, found.domains, lattices)
    waves = [
        visible_reflections(even, mask | (domains != k), lattice) @ lattice.reciprocal
        for k, lattice in enumerate(lattices)
    ]
    lines = []
    for border in find_borders(domains, cell=cell):
        between = (border.left, border.right)
        refined = refine_line(even, mask, border.path, (waves[border.left], waves[border.right]), cell=cell)
        domains = redraw_border(domains, refined.path, *between, cell=cell)
        path = refined.path
        if np.any(path[0] != path[-1]):
            path = reach_out(path, domains, between, cell=cell, far=TO_FRAME)
        lines.append(
            PlanarDefect(kind=PlanarKind(kind="grain_boundary"), path=path, sd=refined.sd, cell=cell)
        )
    return replace(found, domains=domains, lines=tuple(lines))


def _with_cores(even: Floats, mask: Mask, found: Structure) -> Structure:
    """Dislocations inside domains and on borders of low angle, and the walls that they line up to."""
    beside = [
        domains_beside(found.domains, line.path, cell=line.cell)
        for line in found.lines
        if np.isnan(line.shift).any()
    ]
    for family in families(found.domains, found.lattices, beside):
        cell = family.lattice.size
        hidden = mask | ~np.isin(found.domains, family.members)
        index = visible_reflections(even, hidden, family.lattice)
        phases = measure_calm_phases(
            even, hidden, family.lattice, index, window=_WINDOW * cell, oversampling=2
        )
        cores = find_cores(phases, cell=cell)
        if len(family.members) == 1:
            n_domains = len(found.lattices)
            found, cores = _free_cores(found, family.members, cores, phases, family.lattice)
            family = replace(family, members=(*family.members, *range(n_domains, len(found.lattices))))
        on = _lines_of(cores, found, family.members, cell=cell)
        if len(family.members) > 1:  # of a pair, cores off its border were seen in each domain alone
            new = on >= 0
            cores, on = cores.select(new), on[new]
        dislocations = [
            Dislocation(
                position=position,
                sd=float(np.hypot(sd, _LEAST_SD * cell)),
                burgers=burgers.astype(float),
                burgers_px=burgers @ family.lattice.vectors,
                line=int(line),
            )
            for position, sd, burgers, line in zip(cores.positions, cores.sd, cores.burgers, on, strict=True)
        ]
        found = replace(found, dislocations=(*found.dislocations, *dislocations))
        found = replace(found, lines=_turned(found, family, phases, on))
    return found


def _free_cores(
    found: Structure, members: Sequence[int], cores: Cores, phases: LatticePhases, lattice: Lattice
) -> tuple[Structure, Cores]:
    """The structure with walls and complete partial dislocations; the cores that are part of no fault."""
    cell = lattice.size
    free = np.ones(len(cores), dtype=bool)
    for i, line in enumerate(found.lines):
        near = distance_to(line.path, cores.positions) < _KNOWN * cell
        free &= ~near
        if np.isfinite(line.shift).all():
            if set(domains_beside(found.domains, line.path, cell=cell)) <= set(members):
                found = with_total(found, i, cores.burgers[near].sum(axis=0), lattice)
            cores, free = cores.select(~near), free[~near]
    for wall in find_walls(cores.select(free), phases, lattice):
        found = _with_wall(found, wall, cell=cell)
    return found, cores


def _lines_of(cores: Cores, found: Structure, members: Sequence[int], *, cell: float) -> NDArray[np.int_]:
    """Index (n,) of the border between two of the domains on which each core lies, -1 for none."""
    on = np.full(len(cores), -1)
    for i, line in enumerate(found.lines):
        if np.isnan(line.shift).any() and set(
            domains_beside(found.domains, line.path, cell=line.cell)
        ) <= set(members):
            on[distance_to(line.path, cores.positions) < _KNOWN * cell] = i
    return on


def _turned(
    found: Structure, family: Family, phases: LatticePhases, on: NDArray[np.int_]
) -> tuple[PlanarDefect, ...]:
    """The lines, those between two members of a family named by the turn between them.

    Parameters
    ----------
    on : (n,) index of the line on which each core lies.
    """
    lines = []
    coarse = domains_at_nodes(found.domains, phases.seen.shape, phases.step)
    for i, line in enumerate(found.lines):
        pair = domains_beside(found.domains, line.path, cell=line.cell)
        low = np.isnan(line.shift).any() and pair[0] != pair[1] and set(pair) <= set(family.members)
        if low and (on == i).any():
            apart = sample_line(line.path, spacing=line.cell).length / (on == i).sum()
            turn = turn_between(phases, family.lattice, (coarse == pair[0], coarse == pair[1]), clear=apart)
            line = replace(line, kind=PlanarKind(kind="grain_boundary", name=LOW_ANGLE, misorientation=turn))
        lines.append(line)
    return tuple(lines)


def _with_wall(found: Structure, wall: Wall, *, cell: float) -> Structure:
    """The structure with the domain in which a row of dislocations lies cut along it."""
    owner = max(domains_beside(found.domains, wall.path, cell=cell))
    if owner < 0:
        return found
    path = reach_out(wall.path, found.domains, (owner,), cell=cell, far=np.inf)
    new = len(found.lattices)
    least = LEAST_CELLS * found.lattices[owner].cell_area
    domains = cut_domain(found.domains, owner, path, new=new, least=least, cell=cell)
    if domains is found.domains:
        return found
    line = PlanarDefect(kind=PlanarKind(kind="grain_boundary"), path=path, sd=wall.sd, cell=cell)
    return replace(
        found,
        domains=domains,
        lattices=(*found.lattices, found.lattices[owner]),
        lines=(*found.lines, line),
    )


def _with_kinds(even: Floats, mask: Mask, found: Structure) -> Structure:
    """The lattices fitted once more, now that the domains are known well, and the borders named by them."""
    if len(found.lattices) < 2:
        return found
    lattices = _refined(even, mask, found.domains, found.lattices)
    lines = []
    for line in found.lines:
        left, right = domains_beside(found.domains, line.path, cell=line.cell)
        if np.isnan(line.shift).any() and not line.kind.name and min(left, right) >= 0:
            direction = line.path[-1] - line.path[0]
            line = replace(line, kind=kind_of_boundary(lattices[left], lattices[right], direction))
        lines.append(line)
    return replace(found, lattices=lattices, lines=tuple(lines))


def _with_dark_cores(even: Floats, mask: Mask, found: Structure) -> Structure:
    """Cores of boundaries of high angle, across which no phase can be followed: dark, in a regular row."""
    taken = {core.line for core in found.dislocations}
    cores = [
        Dislocation(position=place, sd=0.25 * line.cell, line=i)
        for i, line in enumerate(found.lines)
        if line.kind.kind == "grain_boundary" and i not in taken
        for place in dark_cores(even, mask, line.path, cell=line.cell)
    ]
    return replace(found, dislocations=(*found.dislocations, *cores))
