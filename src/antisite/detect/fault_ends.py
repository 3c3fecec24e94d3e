"""Where a fault ends: at the rim of its crystal, or inside it at partial dislocations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases, reflection_weights
from .fault_fit import fit_fault, free_of
from .fault_model import FaultValues
from .line_ends import ends_inside, reach_out
from .lines import distance_to, sample_line
from .planar_defects import Dislocation, PlanarDefect, Structure
from .planar_kinds import is_moved

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
_MISFIT = 0.05  # mean of 1 - cos beyond that of noise; phases farther off are not those of this fault
_CLEARLY = 0.5  # of the misfit of a fault that runs on to the rim, where one that ends before it is believed
_BOW = 0.5  # √(cell area); the ends of a line that bows farther are left where they were seen
_MIDDLE = 0.8  # of a line, that tells its direction
_MOVED = 3.0  # √(cell area), by which an end may lie off where it was seen
_LEAST_SD = 0.005  # of a cell; what the model leaves out
_LEAST_END_SD = 0.2  # √(cell area)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EndedFault:
    """A fault with its ends.

    Parameters
    ----------
    fault : with its displacement.
    partials : the dislocations at those ends that lie inside the crystal.
    path, inside : the line that was fitted, and which of its ends lie inside.
    fit : None where no fit explains the phases; the fault is then as it was seen.
    """

    fault: PlanarDefect
    partials: tuple[Dislocation, ...]
    path: Array
    inside: tuple[bool, bool]
    fit: FaultValues | None

    def freed(self, phases: LatticePhases, lattice: Lattice) -> LatticePhases:
        """The phases without what the fault does to them, if that is known."""
        if self.fit is None:
            return phases
        return free_of(self.fit, phases, lattice, self.path, self.inside)


def find_ends(
    fault: PlanarDefect,
    domains: Domains,
    members: Sequence[int],
    phases: LatticePhases,
    lattice: Lattice,
    *,
    others: Sequence[Array],
) -> EndedFault:
    """A rough fault with its displacement and ends as the phases have them, and its partial dislocations.

    Parameters
    ----------
    domains : (y, x), -1 where there is no crystal.
    members : numbers of the domains in which the fault may run.
    phases : of the crystal, with `lattice`.
    others : paths of other lines.
    """
    cell = fault.cell
    limit = _MISFIT + float(reflection_weights(phases, lattice) @ phases.noise**2) / 4
    tried: list[tuple[Array, tuple[bool, bool], FaultValues | None]] = []
    for path in _possible(fault.path, domains, members, cell=cell):
        inside = ends_inside(path, domains, cell=cell)
        path = _straight(path, bow=_BOW * cell) if any(inside) else path
        fit = None
        if not any(inside) or len(path) == 2:
            fit = fit_fault(phases, lattice, path, fault.shift, inside, others=others)
        believed = fit is not None and fit.misfit < limit and _in_place(fit, path, inside, cell=cell)
        tried.append((path, inside, fit if believed else None))
    path, inside, fit = tried[0]
    for other in tried[1:]:
        if other[2] is not None and (fit is None or other[2].misfit < _CLEARLY * fit.misfit):
            path, inside, fit = other
    return _as_fitted(fault, path, inside, fit, lattice)


def _as_fitted(
    fault: PlanarDefect, path: Array, inside: tuple[bool, bool], fit: FaultValues | None, lattice: Lattice
) -> EndedFault:
    """A fault and its partial dislocations, by a fit or, where there is none, as they were seen."""
    cell = fault.cell
    if fit is None:
        fault = replace(fault, path=path)
        sd, burgers = np.ones(2), np.array([-fault.shift, fault.shift])
    else:
        fault = replace(
            fault,
            path=_between(path, fit.ends * cell, inside) if any(inside) else path,
            shift=fit.shift,
            shift_sd=np.hypot(fit.sd[:2], _LEAST_SD),
        )
        sd, burgers = np.hypot(fit.sd[2:], _LEAST_END_SD), fit.burgers
    partials = tuple(
        Dislocation(
            position=fault.path[end],
            sd=float(sd[end]) * cell,
            burgers=burgers[end],
            burgers_px=burgers[end] @ lattice.vectors,
            partial=True,
        )
        for end in (0, -1)
        if inside[end]
    )
    return EndedFault(fault=fault, partials=partials, path=path, inside=inside, fit=fit)


def _possible(path: Array, domains: Domains, members: Sequence[int], *, cell: float) -> list[Array]:
    """The path carried on to the rim where that is near; and each end so carried as it was seen."""
    carried = reach_out(path, domains, members, cell=cell)
    seen = reach_out(path, domains, members, cell=cell, far=0.0)
    starts, stops = (
        [carried[end], seen[end]] if np.hypot(*(carried[end] - seen[end])) > cell else [carried[end]]
        for end in (0, -1)
    )
    return [np.vstack([start, seen[1:-1], stop]) for start, stop in product(starts, stops)]


def _straight(path: Array, *, bow: float) -> Array:
    """The straight line (2, 2) along a path, or the path where that bows farther."""
    line = sample_line(path, spacing=1.0).middle(_MIDDLE).places
    centre = line.mean(axis=0)
    along = np.linalg.svd(line - centre, full_matrices=False)[2][0]
    straight = centre + (path[[0, -1]] - centre) @ along[:, None] * along
    return straight if distance_to(straight, line).max() < bow else path


def _in_place(fit: FaultValues, path: Array, inside: tuple[bool, bool], *, cell: float) -> bool:
    """Whether the ends of a fit lie about where they were seen, if it displaces the crystal at all."""
    length = float(np.hypot(*(path[-1] - path[0]))) / cell
    off = np.abs(fit.ends - [0, length]).max(where=inside, initial=0)
    return bool(off < _MOVED and fit.ends[0] < fit.ends[1]) or not is_moved(fit.shift)


def _between(path: Array, ends: Array, inside: tuple[bool, bool]) -> Array:
    """A straight line with those ends that lie inside the crystal at places along it, px."""
    along = (path[-1] - path[0]) / np.hypot(*(path[-1] - path[0]))
    return np.where(np.array(inside)[:, None], path[0] + ends[:, None] * along, path[[0, -1]])


def with_total(found: Structure, line: int, total: Array, lattice: Lattice) -> Structure:
    """The partial dislocations of a fault such that they make the Burgers vector that winds round it.

    Each is known but for a lattice vector. If they do not make it yet, that one takes what is missing which
    leaves them the least energy, the sum of squares. No winding tells nothing: noise may have hidden it.
    """
    own = [n for n, core in enumerate(found.dislocations) if core.line == line and core.partial]
    if len(own) < 2 or not total.any():
        return found
    total = total - sum(found.dislocations[n].burgers for n in own)
    if np.abs(total).max() < 0.5:
        return found
    choices = [[found.dislocations[n].burgers + (total if n == taker else 0) for n in own] for taker in own]
    best = min(choices, key=lambda vectors: float(np.sum((np.array(vectors) @ lattice.vectors) ** 2)))
    dislocations = list(found.dislocations)
    for n, burgers in zip(own, best, strict=True):
        dislocations[n] = replace(dislocations[n], burgers=burgers, burgers_px=burgers @ lattice.vectors)
    return replace(found, dislocations=tuple(dislocations))
