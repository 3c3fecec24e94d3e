"""Two stacking faults on inclined planes that meet, as at a Lomer–Cottrell lock."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...crystal.elastic_fields import dislocation_field
from ...errors import InputError
from ..crystals.scene import Scene
from ..truth.lines import TrueCore, TrueLine
from .displaced_columns import Field, Region, displace
from .joined_crystals import across
from .lattice_rows import Row, reduce_shift, row_geometry

Array = NDArray[np.float64]
_PATCH = 7  # cells each way in which a fault is tried
_KEPT = 0.02  # of the shortest distance: change at which a fault has kept its bonds


def lomer_cottrell(
    scene: Scene,
    *,
    length: float | tuple[float, float],
    rows: tuple[Row, Row] | None = None,
    at: ArrayLike | None = None,
) -> Scene:
    """A V of two intrinsic stacking faults that meet at a stair-rod core, in a crystal seen along [110].

    A Lomer dislocation, dissociated: each fault begins at the common core and ends at a partial of edge
    character (1/6<112>), and the core is what they lack to a lattice vector (1/6<110>). All three have their
    isotropic elastic fields, and the faults are sharp cuts between the planes that keep the bonds. An
    approximation of a junction: cores are not relaxed, and the screw parts, which move columns along the beam
    only, are left out.

    Parameters
    ----------
    scene : an undisturbed crystal whose rows are stacked ABC (fcc, diamond and zinc blende along [110]).
    length : px, of each fault or of both.
    rows : their directions away from the core, in cell vectors; by default the two densest, such that the
        stair-rod is the shortest.
    at : (y, x) px, near which the core lies; the middle of the frame by default.

    Raises
    ------
    InputError
        No third of a row makes a fault that keeps the distances of neighbours.
    """
    lengths = np.broadcast_to(np.asarray(length, dtype=float), 2)
    if not (lengths > 0).all():
        raise InputError(f"the length of a fault must be positive [px], got {lengths.min():g}")
    place = scene.centre if at is None else np.asarray(at, dtype=float)
    first, second = _densest_rows(scene) if rows is None else rows
    turned = [(first, second), (first, (-second[0], -second[1]))] if rows is None else [(first, second)]
    tried = [[_intrinsic_fault(scene, row, place) for row in pair] for pair in turned]
    burgers = [np.array([own[1] for own in pair]) for pair in tried]
    rods = [np.round(own.sum(axis=0)) - own.sum(axis=0) for own in burgers]
    best = int(np.argmin([np.hypot(*(rod @ scene.cell)) for rod in rods]))
    angles = [math.atan2(*(np.array(row) @ scene.cell)) for row in turned[best]]
    core = _crossing(tried[best][0][0], angles[0], tried[best][1][0], angles[1])
    ends = [core + size * _along(angle) for size, angle in zip(lengths, angles, strict=True)]
    partials = [*zip(ends, burgers[best], angles, strict=True), (core, rods[best], angles[0])]
    done = displace(scene, _sectors(scene, core, angles, partials, lengths))
    cores = [
        TrueCore(position=(float(y), float(x)), burgers=(float(b[0]), float(b[1])), partial=True)
        for (y, x), b, _ in partials
    ]
    lines = [
        TrueLine(
            kind="stacking_fault",
            path=core + np.linspace(0, 1, max(2, round(size) + 1))[:, None] * (end - core),
            shift=reduce_shift(own),
        )
        for end, own, size in zip(ends, burgers[best], lengths, strict=True)
    ]
    return replace(done, lines=(*scene.lines, *lines), cores=(*scene.cores, *cores))


def _sectors(
    scene: Scene,
    core: Array,
    angles: list[float],
    partials: list[tuple[Array, Array, float]],
    lengths: Array,
) -> list[tuple[Region, Field]]:
    """The four sectors between the lines of the faults, each with its branch of the field.

    Behind a partial, beyond the core, both lines go on. What is added in the sector opposite the V makes the
    jump there nothing across one line and a lattice vector across the other.
    """
    opposite = tuple(
        bool(across((core - _along(other))[None], core, angle)[0] >= 0)
        for angle, other in zip(angles, angles[::-1], strict=True)
    )
    extra = (partials[1][1] @ scene.cell) * (-1 if opposite[1] else 1)

    def field_in(sides: tuple[bool, bool], rigid: complex) -> Field:
        def field(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
            total = np.full_like(z, rigid + (_complex(extra) if sides == opposite else 0))
            for place, burgers, angle in partials:
                side = sides[angles.index(angle)]
                own, normal = _complex(burgers @ scene.cell), angle + math.pi / 2
                total += dislocation_field(z - _complex(place), own, normal=normal, second_side=side)
            return total

        return field

    def region_of(sides: tuple[bool, bool]) -> Region:
        def region(positions: Array) -> NDArray[np.bool_]:
            where = [across(positions, core, angle) >= 0 for angle in angles]
            return np.asarray((where[0] == sides[0]) & (where[1] == sides[1]))

        return region

    # moved as a whole so that, on average, the planes beside each fault are where the cut is
    normals, off = [], []
    for i, (angle, size) in enumerate(zip(angles, lengths, strict=True)):
        normal = np.array([math.cos(angle), -math.sin(angle)])
        places = core + np.linspace(0.2, 0.8, 7)[:, None] * size * _along(angle)
        z = places[:, 1] + 1j * places[:, 0]
        beyond = not opposite[1 - i]
        both = [(side, beyond) if i == 0 else (beyond, side) for side in (False, True)]
        moved = np.mean([field_in(sides, 0)(z) for sides in both])
        normals.append(normal)
        off.append(-normal @ [moved.imag, moved.real])
    rigid = _complex(np.linalg.solve(np.array(normals), np.array(off)))
    every = list(product((False, True), repeat=2))
    return [(region_of((one, two)), field_in((one, two), rigid)) for one, two in every]


def _intrinsic_fault(scene: Scene, row: Row, at: Array) -> tuple[Array, Array]:
    """A point (y, x) of the gap nearest to a place, and the Burgers vector (cell vectors) at the end.

    Of all gaps between planes and of both directions, the one after which every column has its four nearest
    at the distances of the perfect crystal.
    """
    from scipy.spatial import cKDTree

    angle, spacing, _, normal = row_geometry(scene, row)
    third = np.array(row) @ scene.cell / 3
    nearest_cell = np.round((at - scene.origin) @ np.linalg.inv(scene.cell))
    cells = nearest_cell + np.array(list(product(range(-_PATCH, _PATCH + 1), repeat=2)))
    patch = (cells[:, None] + scene.crystal.fractions).reshape(-1, 2) @ scene.cell + scene.origin
    planes = np.unique(np.round(across(patch, at, angle) % spacing, 6))
    inner = np.hypot(*(patch - at).T) < 3 * spacing
    perfect = np.asarray(cKDTree(patch).query(patch[inner], k=5)[0])
    tried = []
    for low, high in zip(planes, [*planes[1:], planes[0] + spacing], strict=True):
        height = ((low + high) / 2 + spacing / 2) % spacing - spacing / 2
        for sign in (1, -1):
            moved = patch + (across(patch, at, angle) > height)[:, None] * sign * third
            change = np.abs(cKDTree(moved).query(moved[inner], k=5)[0] - perfect).max() / perfect[:, 1].min()
            tried.append((round(float(change), 4), abs(height), height, sign))
    change, _, height, sign = min(tried)
    if change > _KEPT:
        raise InputError(
            f"a junction of faults needs rows stacked ABC, as in fcc or zinc blende along [110]; "
            f"in {scene.crystal.name} no fault along {row} keeps the distances of neighbours"
        )
    return at + height * normal, -2 / 3 * sign * np.array(row, dtype=float)


def _densest_rows(scene: Scene) -> tuple[Row, Row]:
    rows = [(i, j) for i, j in product(range(-2, 3), repeat=2) if math.gcd(i, j) == 1 and (j, i) > (0, 0)]
    rows.sort(key=lambda row: round(float(np.hypot(*(np.array(row) @ scene.cell))), 6))
    return rows[0], rows[1]


def _crossing(one: Array, angle: float, other: Array, other_angle: float) -> Array:
    normals = np.array([[math.cos(a), -math.sin(a)] for a in (angle, other_angle)])
    return np.asarray(np.linalg.solve(normals, [normals[0] @ one, normals[1] @ other]))


def _along(angle: float) -> Array:
    return np.array([math.sin(angle), math.cos(angle)])


def _complex(position: Array) -> complex:
    return complex(position[1], position[0])
