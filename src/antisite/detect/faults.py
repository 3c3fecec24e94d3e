"""Faults: lines inside one lattice across which it is displaced, or along which a thin layer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, Mask
from ..crystal.distortion import fit_distortion
from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import measure_phases, visible_reflections
from ..crystal.reflections import check_reflections
from ..errors import NoLatticeError
from .amplitude_dips import measure_dips
from .displacement_steps import measure_steps, reflection_weights
from .domain_cuts import cut_domain
from .domain_map import domains_along
from .line_ends import ends_inside, reach_out
from .line_refinement import refine_line
from .line_shift import measure_shift
from .line_tracing import MIN_LENGTH, read_nodes, trace_lines
from .lines import distance_to
from .planar_defects import LEAST_CELLS, Dislocation, PlanarDefect, Structure
from .planar_kinds import PlanarKind, kind_of_fault

Array = NDArray[np.float64]
_WINDOW = 0.75  # √(cell area)
_STEP = 0.2  # of 1 - cos(phase step), averaged over the reflections, that is evidence of a line
_DIP = 0.36  # of the amplitude, likewise
_NOISY = 2.0  # of the noise of the reflections: a dip as deep is no evidence
_WINDING = 0.25  # of a cell, by which the displacement may change along a fault: it winds along a wall
_CONSTANT = 0.92  # how far phase steps must agree along a fault
_LEAST_SHIFT = 0.10  # of a cell; a weak lattice along the line tells of less
_CLEAR_SHIFT = 0.2  # of a cell, of a fault with two ends in the crystal,
_LONG = 12.0  # √(cell area), unless it is as long
_KNOWN = 2.0  # √(cell area); a fault so near to a line is that line


def with_faults(even: Floats, mask: Mask, found: Structure) -> Structure:
    """Lines inside one lattice: it is displaced across them, or a thin layer of something else lies there."""
    for k, lattice in enumerate(found.lattices):
        hidden = mask | (found.domains != k)
        faults = _faults(even, hidden, lattice, found.lines)
        if faults and _keeps_step(even, hidden, lattice):
            parts = [k]
            for fault in faults:
                n = len(found.lattices)
                found = _with_fault(found, parts, fault)
                parts += range(n, len(found.lattices))
    return found


def _keeps_step(even: Floats, hidden: Mask, lattice: Lattice) -> bool:
    """Whether this is a crystal: waves that go each its own way are weak along lines, too."""
    try:
        check_reflections(even, hidden, *fit_distortion(even, hidden, lattice))
    except NoLatticeError:
        return False
    return True


def _faults(
    even: Floats, hidden: Mask, lattice: Lattice, known: Sequence[PlanarDefect]
) -> list[PlanarDefect]:
    """Faults of one domain that do not run along known lines."""
    cell, faults = lattice.size, []
    index = visible_reflections(even, hidden, lattice)
    phases = measure_phases(even, hidden, lattice, index, window=_WINDOW * cell)
    weight = reflection_weights(phases, lattice)
    waves = phases.index @ lattice.reciprocal
    dips = measure_dips(phases, cell=cell)
    dip = max(_DIP, _NOISY * float(np.median(phases.noise)))
    evidence = np.maximum(measure_steps(phases, cell=cell, weight=weight) / _STEP, dips / dip)
    for rough in trace_lines(evidence, phases.step, cell=cell):
        if any(np.mean(distance_to(line.path, rough) < _KNOWN * cell) > 0.5 for line in known):
            continue
        refined = refine_line(even, hidden, rough, (waves, waves), cell=cell)
        shift = measure_shift(even, hidden, refined.path, lattice, phases.index, weight=weight)
        moved = np.abs(shift.value - np.round(shift.value)).max() > _LEAST_SHIFT
        weak = np.median(read_nodes(dips, rough, phases.step)) > dip
        if shift.constancy > _CONSTANT and shift.trend < _WINDING and (moved or weak):
            faults.append(
                PlanarDefect(
                    kind=PlanarKind(kind="planar_defect"),
                    path=refined.path,
                    sd=refined.sd,
                    cell=cell,
                    shift=shift.value,
                    shift_sd=shift.sd,
                )
            )
    return faults


def _with_fault(found: Structure, parts: Sequence[int], fault: PlanarDefect) -> Structure:
    """The structure with one more fault, which ends in partial dislocations or divides its domain.

    Parameters
    ----------
    parts : numbers of the domains into which earlier faults have divided the one that was searched.
    """
    cell = fault.cell
    k = max(parts, key=lambda part: int((domains_along(found.domains, fault.path) == part).sum()))
    lattice = found.lattices[k]
    path = reach_out(fault.path, found.domains, parts, cell=cell)
    length = float(np.hypot(*(path[-1] - path[0])))
    inside = ends_inside(path, found.domains, cell=cell)
    small = np.abs(fault.shift - np.round(fault.shift)).max() < _CLEAR_SHIFT
    if length < MIN_LENGTH * cell or (all(inside) and small and length < _LONG * cell):
        return found  # strain between dislocations looks like a short fault of small displacement
    partials = [
        Dislocation(
            position=path[end],
            sd=cell,
            burgers=sign * fault.shift,
            burgers_px=sign * fault.shift @ lattice.vectors,
            partial=True,
            line=len(found.lines),
        )
        # a circuit round the start runs from the right side to the left, round the end from left to right
        for within, end, sign in zip(inside, (0, -1), (-1, 1), strict=True)
        if within
    ]
    kind = kind_of_fault(fault.shift, lattice, path[-1] - path[0], sd=float(fault.shift_sd.max()))
    least = LEAST_CELLS * lattice.cell_area
    domains = cut_domain(found.domains, k, path, new=len(found.lattices), least=least, cell=cell)
    divided = domains is not found.domains
    return Structure(
        domains=domains,
        lattices=(*found.lattices, lattice) if divided else found.lattices,
        lines=(*found.lines, replace(fault, kind=kind, path=path)),
        dislocations=(*found.dislocations, *partials),
    )


def with_total(found: Structure, line: int, total: Array, lattice: Lattice) -> Structure:
    """The partial dislocations of a fault such that they make the Burgers vector that winds round it.

    Each is known but for a lattice vector; they share it so that their energy, the sum of squares, is least.
    """
    own = [n for n, core in enumerate(found.dislocations) if core.line == line and core.partial]
    if not own or not total.any():
        return found
    choices = [[found.dislocations[n].burgers + (total if n == taker else 0) for n in own] for taker in own]
    best = min(choices, key=lambda vectors: float(np.sum((np.array(vectors) @ lattice.vectors) ** 2)))
    dislocations = list(found.dislocations)
    for n, burgers in zip(own, best, strict=True):
        dislocations[n] = replace(dislocations[n], burgers=burgers, burgers_px=burgers @ lattice.vectors)
    return replace(found, dislocations=tuple(dislocations))
