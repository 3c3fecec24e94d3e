"""Dislocations: points round which the phases of the lattice wind."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..crystal.lattice_phases import LatticePhases

Array = NDArray[np.float64]
_SAME = 2.0  # √(cell area); windings so near to each other are one core
_SEEN = 0.3  # share of the window
_PRESENT = 0.25  # of the typical amplitude, round a core
_RING = 2.5  # √(cell area), radius at which the crystal round a core must be there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cores:
    """Dislocation cores of one crystal.

    Parameters
    ----------
    positions : (n, 2) px as (y, x).
    burgers : (n, 2) Burgers vectors in cell vectors: the closed integral of du, circuit from +x towards +y.
    sd : (n,) px, distance between the places where different reflections wind.
    """

    positions: Array
    burgers: NDArray[np.int_]
    sd: Array

    def __len__(self) -> int:
        return len(self.positions)

    def select(self, chosen: NDArray[np.bool_]) -> Cores:
        """Some of them."""
        return Cores(positions=self.positions[chosen], burgers=self.burgers[chosen], sd=self.sd[chosen])


def find_cores(phases: LatticePhases, *, cell: float) -> Cores:
    """Where the phases of two reflections that span the lattice wind by whole turns.

    The phase of reflection g is -2π g·u, so that it winds by -2π g·b round a core of Burgers vector b
    (Hÿtch, Putaux & Pénisson 2003, Nature 423, 270). Windings within two cells of each other are one core;
    those that cancel are noise.

    Parameters
    ----------
    phases : measured with a window of about one cell, nodes closer than the window needs.
    cell : √(cell area), px.
    """
    pair = _spanning_pair(phases)
    winding = np.array([_winding(phases.waves[i]) for i in pair])
    there = phases.seen > _SEEN
    at = np.argwhere((winding != 0).any(axis=0) & there[1:, 1:] & there[:-1, :-1])
    if not len(at):
        return Cores(positions=np.zeros((0, 2)), burgers=np.zeros((0, 2), dtype=int), sd=np.zeros(0))
    places = (at + 0.5) * phases.step
    pairs = cKDTree(places).query_pairs(_SAME * cell, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(at), len(at)))
    group = connected_components(links, directed=False)[1]
    turns = winding[:, at[:, 0], at[:, 1]].T
    positions, burgers, spread = [], [], []
    for k in np.unique(group):
        own = group == k
        total = turns[own].sum(axis=0)
        if not total.any() or not _in_crystal(phases, places[own].mean(axis=0), cell=cell):
            continue
        zeros = [
            _zero(phases.waves[i], at[own & (turns[:, n] != 0)], phases.step)
            for n, i in enumerate(pair)
            if total[n]
        ]
        positions.append(np.mean(zeros, axis=0))
        spread.append(max((float(np.hypot(*(a - b))) for a, b in combinations(zeros, 2)), default=0.0))
        burgers.append(-np.linalg.solve(phases.index[pair].astype(float), total))
    return Cores(
        positions=np.array(positions).reshape(-1, 2),
        burgers=np.round(np.array(burgers).reshape(-1, 2)).astype(int),
        sd=np.array(spread),
    )


def _spanning_pair(phases: LatticePhases) -> list[int]:
    """The two strongest reflections whose indices have a determinant of one, or any that are not parallel."""
    pairs = list(combinations(range(len(phases.index)), 2))
    area = [abs(round(np.linalg.det(phases.index[list(pair)]))) for pair in pairs]
    least = min(a for a in area if a)
    return list(next(pair for pair, a in zip(pairs, area, strict=True) if a == least))


def _winding(wave: NDArray[np.complex128]) -> NDArray[np.int_]:
    """(my - 1, mx - 1) turns of the phase round each mesh of the grid, from +x towards +y."""
    right = np.angle(wave[:, 1:] * wave[:, :-1].conj())
    down = np.angle(wave[1:] * wave[:-1].conj())
    return np.round((right[:-1] + down[:, 1:] - right[1:] - down[:, :-1]) / (2 * np.pi)).astype(int)


def _zero(wave: NDArray[np.complex128], meshes: NDArray[np.int_], step: tuple[float, float]) -> Array:
    """Mean place [px] where a wave vanishes within meshes (n, 2), by its mean slopes there."""
    places = []
    for y, x in meshes:
        a, b, c, d = wave[y, x], wave[y, x + 1], wave[y + 1, x], wave[y + 1, x + 1]
        along_y, along_x, middle = (c + d - a - b) / 2, (b + d - a - c) / 2, (a + b + c + d) / 4
        slopes = np.array([[along_y.real, along_x.real], [along_y.imag, along_x.imag]])
        shift = np.zeros(2)
        if abs(np.linalg.det(slopes)) > 1e-12:
            shift = np.clip(-np.linalg.solve(slopes, [middle.real, middle.imag]), -0.5, 0.5)
        places.append((np.array([y, x]) + 0.5 + shift) * step)
    return np.asarray(np.mean(places, axis=0))


def _in_crystal(phases: LatticePhases, place: Array, *, cell: float) -> bool:
    """Whether the lattice is there all round a place; beside a hole or the frame phases wind in noise."""
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = place + _RING * cell * np.column_stack([np.sin(angle), np.cos(angle)])
    at = np.round(ring / phases.step).astype(int)
    inside = np.all((at >= 0) & (at < phases.strength.shape), axis=1)
    if not inside.all():
        return False
    strength = (phases.strength * (phases.seen > 0.5))[at[:, 0], at[:, 1]]
    return bool(strength.min() > _PRESENT)
