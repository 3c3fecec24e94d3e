"""Walls: dislocations in a row, which turn the crystal on one side against that on the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..crystal.lattice import Lattice
from ..crystal.lattice_phases import LatticePhases
from .dislocations import Cores
from .low_angle import turn_between

Array = NDArray[np.float64]
_FEW = 2
_SURE = 3  # cores; fewer must turn the crystal all along the line, to the frame
_MOST = 60  # cores, of which every pair is tried
_ASIDE = 1.5  # √(cell area), of a core from its wall
_SIDES = 10.0  # √(cell area) from the wall, within which the turn is measured
_FEW_NODES = 12
_LEAST_TURN = np.radians(0.8)
_FRANK, _EXACT = 2.5, 1.4  # by which the turn may differ from that which the cores make; if they are few


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wall:
    """A straight row of dislocations.

    Parameters
    ----------
    path : (2, 2) px as (y, x), from the first core to the last.
    sd : px, scatter of the cores across it.
    rotation : rad, between its sides.
    """

    path: Array
    sd: float
    rotation: float


def find_walls(cores: Cores, phases: LatticePhases, lattice: Lattice) -> list[Wall]:
    """Rows of cores across which the crystal is turned as much as the cores make it (Frank)."""
    walls = []
    rest = cores
    while len(rest) >= _FEW:
        on = _best_row(rest, cell=lattice.size)
        if on.sum() < _FEW:
            break
        row = rest.select(on)
        rest = rest.select(~on)
        wall = _wall(row, phases, lattice)
        if wall is not None:
            walls.append(wall)
    return walls


def _best_row(cores: Cores, *, cell: float) -> NDArray[np.bool_]:
    """Of the cores those on the straight line that most lie on."""
    places = cores.positions[:_MOST]
    best = np.zeros(len(cores), dtype=bool)
    for i, j in combinations(range(len(places)), 2):
        along = places[j] - places[i]
        length = float(np.hypot(*along))
        if length > 3 * cell:
            away = (cores.positions - places[i]) @ np.array([along[1], -along[0]]) / length
            on = np.abs(away) < _ASIDE * cell
            if on.sum() > best.sum():
                best = on
    return best


def _wall(row: Cores, phases: LatticePhases, lattice: Lattice) -> Wall | None:
    cell = lattice.size
    centre = row.positions.mean(axis=0)
    axis = np.linalg.svd(row.positions - centre)[2][0]
    along = (row.positions - centre) @ axis
    across = (row.positions - centre) @ np.array([axis[1], -axis[0]])
    ends = np.array([centre + t * axis for t in (along.min(), along.max())])
    beyond, aside = _nodes_beside(ends, phases)
    few = len(row) < _SURE
    inside = few | ((beyond > 0) & (beyond < np.hypot(*(ends[1] - ends[0]))))
    near = inside & (np.abs(aside) < _SIDES * cell)
    sides = (near & (aside < 0), near & (aside > 0))
    if min(side.sum() for side in sides) < _FEW_NODES:
        return None
    turn = turn_between(phases, lattice, sides, clear=2 * cell)
    length = float(np.ptp(along)) * len(row) / (len(row) - 1)
    made = float(np.hypot(*(row.burgers.sum(axis=0) @ lattice.vectors))) / length
    ratio = turn / max(made, 1e-6)
    if not turn > _LEAST_TURN or not max(ratio, 1 / max(ratio, 1e-6)) < (_EXACT if few else _FRANK):
        return None
    return Wall(path=ends, sd=max(float(across.std()), 0.1 * cell), rotation=turn)


def _nodes_beside(ends: Array, phases: LatticePhases) -> tuple[Array, Array]:
    """Coordinates (my, mx) px of the nodes: along the line from the first end, and to its right."""
    places = np.moveaxis(np.indices(phases.seen.shape), 0, -1) * phases.step - ends[0]
    axis = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
    return places @ axis, places @ np.array([axis[1], -axis[0]])
