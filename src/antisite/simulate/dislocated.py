"""Dislocations put into a scene: columns moved by their elastic field, so that no cut shows.

They come first: lines that a scene already holds are not bent, and the crystal must be undisturbed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..crystal.elastic_fields import dislocation_field, wall_field
from ..errors import InputError
from .extended_defects import Row, gap_near, reduce_shift
from .extended_truth import TrueCore, TrueLine
from .joined_crystals import across, add_line, merge_columns
from .scenes import Scene, nearest_spacing

Field = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]
"""Takes places (N,) px, x + iy, and gives the displacement there."""

_AT_CORES = 0.55  # nearest-neighbour spacings below which columns become one
_ROUNDS = 60
_DONE = 1e-4  # px, a column that moved less in the last round is found
_LARGEST_WALL = 0.5  # rad


@dataclass(frozen=True, slots=True, kw_only=True)
class Dislocation:
    """An edge dislocation to be put into a scene.

    Parameters
    ----------
    position : (y, x) px
    burgers : (along a, along b) cell vectors, sign as in `TrueCore`.
    """

    position: tuple[float, float]
    burgers: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Equal dislocations of a wall: the place of one, the Burgers vector (both x + iy), the distance."""

    start: complex
    burgers: complex
    spacing: float


def add_dislocations(scene: Scene, dislocations: Sequence[Dislocation], *, direction: float = 0.0) -> Scene:
    """The scene with dislocations at given places.

    Behind every dislocation (against the direction) the crystal has slipped by its Burgers vector. That
    shows only where those ahead on one line do not add up to a lattice vector: the fault of a partial.

    Parameters
    ----------
    dislocations : any number; the far field is smallest where they add up to nothing.
    direction : rad, from +x towards +y, of the slip.
    """
    places = np.array([item.position for item in dislocations]).reshape(-1, 2)
    heights = np.round(across(places, np.zeros(2), direction), 6)
    slabs = []
    for low, high in pairwise([-math.inf, *np.unique(heights), math.inf]):
        slabs.append((low, high, _field_of(scene, dislocations, heights < high, direction)))
    cores = [
        TrueCore(position=item.position, burgers=item.burgers, partial=_is_partial(item.burgers))
        for item in dislocations
    ]
    return replace(_displaced(scene, slabs, direction), cores=(*scene.cores, *cores))


def faulted_pair(
    scene: Scene,
    shift: tuple[float, float],
    row: Row = (1, 0),
    *,
    length: float,
    at: ArrayLike | None = None,
    total: tuple[int, int] = (0, 0),
) -> Scene:
    """A fault that begins and ends inside the crystal, at two partial dislocations.

    Parameters
    ----------
    shift : (along a, along b) cell fractions, displacement of the second side against the first.
    row : direction of the fault in cell vectors.
    length : px
    at : (y, x) px, near which the middle of the fault lies.
    total : cell vectors, sum of the two Burgers vectors; (0, 0): one is the other reversed.
    """
    middle = gap_near(scene, row, scene.centre if at is None else at)
    direction = math.atan2(*(np.asarray(row) @ scene.cell))
    half = length / 2 * np.array([math.sin(direction), math.cos(direction)])
    pair = [
        Dislocation(position=_pair(middle - half), burgers=_pair(np.asarray(total) - shift)),
        Dislocation(position=_pair(middle + half), burgers=_pair(shift)),
    ]
    done = add_dislocations(scene, pair, direction=direction)
    path = middle + np.linspace(-1, 1, max(2, round(length)))[:, None] * half
    line = TrueLine(kind="stacking_fault", path=path, shift=reduce_shift(shift))
    return replace(done, lines=(*done.lines, line))


def tilt_wall(
    scene: Scene,
    angle: float,
    *,
    burgers: tuple[int, int] = (1, 0),
    second_burgers: tuple[int, int] | None = None,
    direction: float | None = None,
    at: ArrayLike | None = None,
    phase: float = 0.0,
) -> Scene:
    """A tilt boundary of a small angle: an endless wall of edge dislocations, spaced by Frank's formula.

    Parameters
    ----------
    angle : rad, the second side against the first, from +x towards +y.
    burgers : cell vectors; the wall is normal to it, the angle decides its sign.
    second_burgers, direction : a wall of any other direction [rad, from +x towards +y] needs dislocations of
        two kinds, whose densities along the wall follow.
    at : (y, x) px, a point of the wall.
    phase : where along the wall the first core lies, in spacings from `at`.

    Raises
    ------
    InputError
        The angle is 0 or above 0.5 rad, or only one of `second_burgers` and `direction` is given.
    """
    if not 0 < abs(angle) <= _LARGEST_WALL:
        raise InputError(f"the angle of a wall must be up to {_LARGEST_WALL} rad and not 0, got {angle:g}")
    if (second_burgers is None) != (direction is None):
        raise InputError("a wall must have both second_burgers and direction, or neither, got one of them")
    kinds = np.array([burgers] if second_burgers is None else [burgers, second_burgers], dtype=float)
    centre = scene.centre if at is None else np.asarray(at, dtype=float)
    # the field of a wall shrinks what it turns: start larger, so that each grain is true to scale
    grown = _stretched(scene, centre, 1 / math.cos(angle / 2))
    vectors = kinds @ grown.cell
    if direction is None:
        direction = math.atan2(*vectors[0]) + math.pi / 2
    along = np.array([math.sin(direction), math.cos(direction)])
    normal = np.array([along[1], -along[0]])
    per_px = -2 * math.tan(angle / 2) * normal @ np.linalg.pinv(vectors)
    families, cores = [], []
    for k, density in enumerate(per_px):
        if abs(density) * math.hypot(*scene.shape) < 1e-3:
            continue
        sign, spacing = math.copysign(1.0, density), 1 / abs(density)
        start = centre + (phase + 0.37 * k) * spacing * along  # never two cores at one place
        families.append(_Family(start=_complex(start), burgers=sign * _complex(vectors[k]), spacing=spacing))
        reach = math.ceil(math.hypot(*scene.shape) / spacing)
        places = start + np.arange(-reach, reach + 1)[:, None] * spacing * along
        cores += [TrueCore(position=_pair(place), burgers=_pair(sign * kinds[k])) for place in places]
    height = float(across(centre[None], np.zeros(2), direction)[0])
    slabs = [
        (-math.inf, height, _wall_of(families, direction, second_side=False)),
        (height, math.inf, _wall_of(families, direction, second_side=True)),
    ]
    moved = _displaced(grown, slabs, direction)
    line = TrueLine(kind="grain_boundary", misorientation=abs(angle), least_rotation=abs(angle))
    walled = replace(moved, cell=scene.cell, origin=scene.origin, cores=(*scene.cores, *cores))
    return add_line(walled, centre, direction, line)


def _field_of(
    scene: Scene, dislocations: Sequence[Dislocation], beyond: NDArray[np.bool_], direction: float
) -> Field:
    """The field in one slab; `beyond` says which dislocations have it on their second side."""
    normal = direction + math.pi / 2

    def field(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        total = np.zeros_like(z)
        for item, second in zip(dislocations, beyond, strict=True):
            burgers = _complex(np.asarray(item.burgers) @ scene.cell)
            place = z - _complex(item.position)
            total += dislocation_field(place, burgers, normal=normal, second_side=bool(second))
        return total

    return field


def _wall_of(families: Sequence[_Family], direction: float, *, second_side: bool) -> Field:
    normal = direction + math.pi / 2

    def field(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        total = np.zeros_like(z)
        for item in families:
            place = z - item.start
            total += wall_field(place, item.burgers, item.spacing, normal=normal, second_side=second_side)
        return total

    return field


def _displaced(scene: Scene, slabs: Sequence[tuple[float, float, Field]], direction: float) -> Scene:
    """Columns where place less displacement is a site of the scene, found slab by slab.

    The displacement is a function of where a column is, not of where it was: only so does a jump by a
    lattice vector leave no trace.
    """
    margin = 0.1 * math.hypot(*scene.shape) + 5 * nearest_spacing(scene)
    home = scene.positions
    near = np.flatnonzero(((home > -3 * margin) & (home < np.array(scene.shape) + 3 * margin)).all(axis=1))
    sites, start = scene.sites.iloc[near], home[near][:, 1] + 1j * home[near][:, 0]
    parts = []
    for low, high, field in slabs:
        z, step = start.copy(), np.full(len(start), np.inf)
        for _ in range(_ROUNDS):
            moving = np.flatnonzero(step > _DONE)
            towards = start[moving] + field(z[moving]) - z[moving]
            step[moving] = np.abs(towards)
            z[moving] += 0.7 * towards
        moved = np.stack([z.imag, z.real], axis=1)
        height = across(moved, np.zeros(2), direction)
        inside = ((moved > -margin) & (moved < np.array(scene.shape) + margin)).all(axis=1)
        kept = (step <= _DONE) & (height >= low) & (height < high) & inside
        parts.append(sites.assign(y=moved[:, 0], x=moved[:, 1]).loc[kept])
    merged = merge_columns(pd.concat(parts, ignore_index=True), _AT_CORES * nearest_spacing(scene))
    return replace(scene, sites=merged)


def _stretched(scene: Scene, centre: NDArray[np.float64], factor: float) -> Scene:
    y, x = ((scene.positions - centre) * factor + centre).T
    return replace(scene, cell=scene.cell * factor, sites=scene.sites.assign(y=y, x=x))


def _is_partial(burgers: ArrayLike) -> bool:
    values = np.asarray(burgers, dtype=float)
    return bool(np.abs(values - np.round(values)).max() > 1e-6)


def _complex(position: ArrayLike) -> complex:
    y, x = np.asarray(position, dtype=float)
    return complex(x, y)


def _pair(values: ArrayLike) -> tuple[float, float]:
    first, second = np.asarray(values, dtype=float)
    return float(first), float(second)
