"""Dislocations put into a scene: columns moved by their elastic field, so that no cut shows.

They come first: lines that a scene already holds are not bent, and the crystal must be undisturbed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...crystal.elastic_fields import dislocation_field, wall_field
from ...errors import InputError
from ..crystals.scene import Scene
from ..truth.lines import TrueCore, TrueLine
from .displaced_columns import Field, Region, displace
from .joined_crystals import across, add_line
from .lattice_rows import Row, gap_near, reduce_shift

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
        field = _field_of(scene, dislocations, heights < high, direction)
        slabs.append((_slab(direction, low, high), field))
    cores = [
        TrueCore(position=item.position, burgers=item.burgers, partial=_is_partial(item.burgers))
        for item in dislocations
    ]
    return replace(displace(scene, slabs), cores=(*scene.cores, *cores))


def dislocation_dipole(
    scene: Scene,
    burgers: tuple[int, int] = (1, 0),
    *,
    length: float,
    direction: float | None = None,
    at: ArrayLike | None = None,
) -> Scene:
    """Two dislocations of opposite Burgers vectors, whose far fields cancel.

    Parameters
    ----------
    burgers : cell vectors, of the second one.
    length : px, from the first to the second.
    direction : rad, from +x towards +y, from the first to the second; 45° from the Burgers vector by
        default, where edge dislocations hold each other.
    at : (y, x) px, halfway.
    """
    slip = math.atan2(*(np.asarray(burgers) @ scene.cell))
    angle = slip + math.pi / 4 if direction is None else direction
    middle = scene.centre if at is None else np.asarray(at, dtype=float)
    half = length / 2 * np.array([math.sin(angle), math.cos(angle)])
    pair = [
        Dislocation(position=_pair(middle - half), burgers=_pair(-np.asarray(burgers))),
        Dislocation(position=_pair(middle + half), burgers=_pair(burgers)),
    ]
    return add_dislocations(scene, pair, direction=slip)


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
        (_slab(direction, -math.inf, height), _wall_of(families, direction, second_side=False)),
        (_slab(direction, height, math.inf), _wall_of(families, direction, second_side=True)),
    ]
    moved = displace(grown, slabs)
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


def _slab(direction: float, low: float, high: float) -> Region:
    def region(positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        height = across(positions, np.zeros(2), direction)
        return np.asarray((height >= low) & (height < high))

    return region


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
