"""Rough faults: lines inside one lattice across which its phases step, or along which it is weak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats, Mask
from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases, reflection_weights
from .amplitude_dips import measure_dips
from .displacement_steps import measure_steps, steps_by_chance
from .line_refinement import refine_line
from .line_shift import measure_shift
from .line_tracing import read_nodes, trace_lines
from .lines import distance_to, runs_along
from .planar_defects import PlanarDefect
from .planar_kinds import PlanarKind, is_moved

Array = NDArray[np.float64]
_STEP = 0.2  # of 1 - cos(phase step), averaged over the reflections, that is evidence of a line
_DIP = 0.36  # of the amplitude, likewise
_NOISY = 2.0  # of the noise of the reflections: a dip as deep is no evidence
_WINDING = 0.25  # of a cell, by which the displacement may change along a fault: it winds along a wall
_CONSTANT = 0.92  # how far phase steps agree along a fault
_BENT = 0.8  # if it is short: fields of its ends bend them
_KNOWN = 2.0  # √(cell area); a fault so near to a line is that line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """A rough fault.

    Parameters
    ----------
    weak : whether the lattice is weak along it.
    constant : whether the displacement is the same all along; else only a fit tells that it is a fault.
    evidence : how much speaks for it.
    """

    fault: PlanarDefect
    weak: bool
    constant: bool
    evidence: float


def find_traces(
    even: Floats,
    hidden: Mask,
    phases: LatticePhases,
    lattice: Lattice,
    known: Sequence[PlanarDefect],
    *,
    window: float,
) -> list[Trace]:
    """Rough faults of one domain that do not run along known lines, those with most evidence first.

    Parameters
    ----------
    even : (y, x), of even contrast.
    hidden : (y, x), True where there is none of this crystal.
    window : px, of the phases.
    """
    cell, traces = lattice.size, []
    weight = reflection_weights(phases, lattice)
    waves = phases.index @ lattice.reciprocal
    dips = measure_dips(phases, cell=cell)
    dip = max(_DIP, _NOISY * float(np.median(phases.noise)))
    steps = measure_steps(phases, cell=cell, weight=weight)
    step = np.maximum(_STEP, steps_by_chance(steps, phases, window=window, cell=cell))
    evidence = np.maximum(steps / step, dips / dip)
    roughs = trace_lines(evidence, phases.step, cell=cell)
    for n, rough in enumerate(roughs):
        if runs_along(rough, [line.path for line in known], within=_KNOWN * cell):
            continue
        others = [line.path for line in known] + roughs[:n] + roughs[n + 1 :]
        room = min((float(np.median(distance_to(other, rough))) for other in others), default=np.inf)
        refined = refine_line(even, hidden, rough, (waves, waves), cell=cell)
        shift = measure_shift(even, hidden, refined.path, lattice, phases.index, weight=weight, room=room)
        weak = np.median(read_nodes(dips, rough, phases.step)) > dip
        if shift.constancy > _BENT and shift.trend < _WINDING and (is_moved(shift.value) or weak):
            fault = PlanarDefect(
                kind=PlanarKind(kind="planar_defect"),
                path=refined.path,
                sd=refined.sd,
                cell=cell,
                shift=shift.value,
                shift_sd=shift.sd,
            )
            total = float(read_nodes(evidence, rough, phases.step).sum())
            traces.append(
                Trace(fault=fault, weak=bool(weak), constant=shift.constancy > _CONSTANT, evidence=total)
            )
    return sorted(traces, key=lambda trace: -trace.evidence)
