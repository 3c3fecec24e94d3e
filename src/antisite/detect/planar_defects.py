"""What breaks a crystal: the nouns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.dislocation_field import DislocationField
from ..crystal.lattice import Lattice
from .domain_map import domains_at, domains_beside
from .lines import sample_line
from .planar_kinds import PlanarKind

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
LEAST_CELLS = 20  # of a domain
BELONGS = 1.5  # √(cell area); columns so near to a line or core belong to it


def _unknown() -> Array:
    return np.full(2, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarDefect:
    """A line where the crystal changes.

    Parameters
    ----------
    kind : what it is, with a name, misorientation and mirror.
    path : (n, 2) px as (y, x).
    sd : px, uncertainty of the path across itself.
    cell : √(cell area), px.
    shift, shift_sd : (2,) displacement of the right side, in fractions of a and b; NaN between two lattices.
    """

    kind: PlanarKind
    path: Array
    sd: float
    cell: float
    shift: Array = field(default_factory=_unknown)
    shift_sd: Array = field(default_factory=_unknown)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dislocation:
    """The end of an extra half plane, or a core of a boundary.

    Parameters
    ----------
    position : (2,) px as (y, x).
    sd : px
    burgers : (2,) closed integral of du, circuit from +x towards +y, in cell vectors; NaN where unknown.
    burgers_px : (2,) the same in px as (y, x).
    partial : ends a fault.
    line : index of the line it lies on, -1 for none.
    """

    position: Array
    sd: float
    burgers: Array = field(default_factory=_unknown)
    burgers_px: Array = field(default_factory=_unknown)
    partial: bool = False
    line: int = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """Domains, their lattices, and what parts them.

    Parameters
    ----------
    domains : (y, x), -1 where there is no crystal.
    """

    domains: Domains
    lattices: tuple[Lattice, ...]
    lines: tuple[PlanarDefect, ...] = ()
    dislocations: tuple[Dislocation, ...] = ()

    def distance(self) -> Array:
        """(y, x) px from the nearest line or core, infinite without any."""
        free = np.ones(self.domains.shape, dtype=bool)
        paths = [sample_line(line.path, spacing=0.7).places for line in self.lines]
        for places in (*paths, *(core.position[None] for core in self.dislocations)):
            at = np.clip(np.round(places).astype(int), 0, np.array(free.shape) - 1)
            free[at[:, 0], at[:, 1]] = False
        return np.full(free.shape, np.inf) if free.all() else np.asarray(ndimage.distance_transform_edt(free))

    def on(self, domains: Domains) -> Structure:
        """The same with the domains that turned out to be crystals, and without the borders of two crystals
        of which one is none.
        """
        kept = [
            i
            for i, line in enumerate(self.lines)
            if line.kind.kind != "phase_boundary"
            or min(domains_beside(domains, line.path, cell=line.cell)) >= 0
        ]
        number = {old: new for new, old in enumerate(kept)}
        return replace(
            self,
            domains=domains,
            lines=tuple(self.lines[i] for i in kept),
            dislocations=tuple(replace(core, line=number.get(core.line, -1)) for core in self.dislocations),
        )

    def field_in(self, number: int) -> DislocationField:
        """What turns round the dislocations inside domain `number`; those on its borders turn elsewhere."""
        lattice = self.lattices[number]
        inside = [core for core in self.dislocations if self._lies_in(core, number)]
        if not inside:
            return DislocationField()
        burgers = np.array([core.burgers_px for core in inside]) @ lattice.reciprocal.T
        whole = np.array([not core.partial for core in inside])
        burgers[whole] = np.round(burgers[whole])
        along = [self.lines[core.line].path if core.partial else np.eye(2) for core in inside]
        return DislocationField(
            positions=np.array([core.position for core in inside]),
            burgers=burgers,
            cuts=np.array([np.arctan2(*(path[-1] - path[0])) for path in along]),
        )

    def _lies_in(self, core: Dislocation, number: int) -> bool:
        if np.isnan(core.burgers_px).any() or (core.line >= 0 and not core.partial):
            return False
        return bool(domains_at(self.domains, core.position[None])[0] == number)
