"""Faults: lines inside one lattice across which it is displaced, or along which a thin layer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, Mask
from ..crystal.distortion import fit_distortion
from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases, measure_phases, visible_reflections
from ..crystal.reflections import check_reflections
from ..errors import NoLatticeError
from .domain_cuts import cut_domain
from .domain_map import domains_along
from .fault_ends import find_ends
from .fault_traces import Trace, find_traces
from .line_tracing import MIN_LENGTH
from .lines import runs_along
from .planar_defects import LEAST_CELLS, Dislocation, PlanarDefect, Structure
from .planar_kinds import is_moved, kind_of_fault

Array = NDArray[np.float64]
WINDOW = 0.75  # √(cell area), in which the phases beside a fault are measured
_CLEAR_SHIFT = 0.2  # of a cell, of a fault with two ends in the crystal,
_LONG = 12.0  # √(cell area), unless it is as long
_KNOWN = 2.0  # √(cell area); a fault so near to a line is that line
_SHADOW = 4.0  # √(cell area); so near to a fault the lattice is weak without another


def with_faults(even: Floats, mask: Mask, found: Structure) -> Structure:
    """Lines inside one lattice: it is displaced across them, or a thin layer of something else lies there."""
    for k, lattice in enumerate(found.lattices):
        hidden = mask | (found.domains != k)
        index = visible_reflections(even, hidden, lattice)
        phases = measure_phases(even, hidden, lattice, index, window=WINDOW * lattice.size)
        traces = find_traces(even, hidden, phases, lattice, found.lines, window=WINDOW * lattice.size)
        if traces and _keeps_step(even, hidden, lattice):
            found = _with_traces(found, k, phases, traces)
    return found


def _keeps_step(even: Floats, hidden: Mask, lattice: Lattice) -> bool:
    """Whether this is a crystal: waves that go each its own way are weak along lines, too."""
    try:
        check_reflections(even, hidden, *fit_distortion(even, hidden, lattice))
    except NoLatticeError:
        return False
    return True


def _with_traces(found: Structure, k: int, phases: LatticePhases, traces: Sequence[Trace]) -> Structure:
    """The structure with the faults of domain k; what one of them explains speaks for no other."""
    cell, parts, lattice = found.lattices[k].size, [k], found.lattices[k]
    known = [line.path for line in found.lines]
    unexplained, faults = known, list[Array]()
    for n, trace in enumerate(traces):
        others = unexplained + [later.fault.path for later in traces[n + 1 :]]
        ended = find_ends(trace.fault, found.domains, parts, phases, lattice, others=others)
        fault, understood = ended.fault, ended.fit is not None
        if not (trace.constant or understood) or runs_along(fault.path, faults, within=_KNOWN * cell):
            continue
        shadow = not trace.weak or runs_along(fault.path, [*known, *faults], within=_SHADOW * cell)
        if shadow and not is_moved(fault.shift, sd=float(fault.shift_sd.max())):
            continue
        n_lattices, n_lines = len(found.lattices), len(found.lines)
        found = add_fault(found, parts, fault, ended.partials)
        parts += range(n_lattices, len(found.lattices))
        if len(found.lines) > n_lines:
            faults.append(fault.path)
            unexplained = unexplained if understood else [*unexplained, fault.path]
            phases = ended.freed(phases, lattice)
    return found


def add_fault(
    found: Structure, parts: Sequence[int], fault: PlanarDefect, partials: Sequence[Dislocation]
) -> Structure:
    """The structure with one more fault, which ends in partial dislocations or divides its domain.

    Parameters
    ----------
    parts : numbers of the domains into which earlier faults have divided the one that was searched.
    """
    cell, path = fault.cell, fault.path
    k = max(parts, key=lambda part: int((domains_along(found.domains, path) == part).sum()))
    lattice = found.lattices[k]
    length = float(np.hypot(*(path[-1] - path[0])))
    small = np.abs(fault.shift - np.round(fault.shift)).max() < _CLEAR_SHIFT
    if length < MIN_LENGTH * cell or (len(partials) == 2 and small and length < _LONG * cell):
        return found  # strain between dislocations looks like a short fault of small displacement
    cores = [replace(core, line=len(found.lines)) for core in partials]
    kind = (
        fault.kind
        if fault.kind.name
        else kind_of_fault(fault.shift, lattice, path[-1] - path[0], sd=float(fault.shift_sd.max()))
    )
    least = LEAST_CELLS * lattice.cell_area
    domains = cut_domain(found.domains, k, path, new=len(found.lattices), least=least, cell=cell)
    divided = domains is not found.domains
    return Structure(
        domains=domains,
        lattices=(*found.lattices, lattice) if divided else found.lattices,
        lines=(*found.lines, replace(fault, kind=kind)),
        dislocations=(*found.dislocations, *cores),
    )
