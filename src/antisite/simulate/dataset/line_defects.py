"""Lines and dislocations drawn for the fields of a stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError
from ..crystals.crystal import Crystal
from ..crystals.scene import Scene, nearest_spacing, perfect_scene
from ..extended_defects.boundaries import antiphase_boundary, fault, lamella, tilt_boundary, twin_boundary
from ..extended_defects.dislocations import dislocation_dipole, tilt_wall
from ..extended_defects.lattice_rows import Row

_ROWS: tuple[Row, ...] = ((1, 0), (0, 1), (1, 1), (1, -1))
_MIDDLE = 0.8  # of the frame, in which a line has a point
_TRIES = 40
_UNMOVED = 0.1  # nearest-neighbour spacings
_ROUNDING = 1e-9
_TRIAL = 8  # diagonals of a cell, edge of the frame in which lines are tried beforehand
Place = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDefects:
    """How many of the fields hold a line or dislocations; each holds one of them or none.

    Parameters
    ----------
    shares : of fields, from 0 to 1, by what `extended_defects` calls it: `tilt_boundary` (5° to 55°),
        `tilt_wall` (2° to 8°), `twin_boundary`, `lamella` (of 1 to 3 layers), `fault` (by a third of a row),
        `antiphase_boundary`, `dislocation_dipole`. Place, direction, row and size are drawn; what would leave
        the crystal as it is, such as a twin across a mirror plane, is drawn again.

    Raises
    ------
    InputError
        An unknown name, or shares that exceed 1 together.
    """

    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [name for name in self.shares if name not in _MAKERS]
        if unknown:
            raise InputError(f"a line must be one of {', '.join(_MAKERS)}, got {unknown[0]!r}")
        if not (
            all(share >= 0 for share in self.shares.values()) and sum(self.shares.values()) <= 1 + _ROUNDING
        ):
            raise InputError(
                f"shares of lines must be 0 or more and at most 1 together, got {dict(self.shares)}"
            )

    def draw(self, rng: Generator) -> str:
        """What a field holds; empty: no line."""
        left = rng.random()
        for name, share in self.shares.items():
            left -= share
            if left < 0:
                return name
        return ""


def check_lines(lines: LineDefects, crystal: Crystal, *, shape: tuple[int, int], pixel_size: float) -> None:
    """Refuse lines that the crystal has not, and frames too small for them; tried in a part of the frame.

    Parameters
    ----------
    shape : (y, x) px
    pixel_size : Å/px
    """
    edge = math.ceil(_TRIAL * _cell_diagonal(crystal.cell) / pixel_size)
    part = (min(shape[0], edge), min(shape[1], edge))
    for name in (name for name, share in lines.shares.items() if share > 0):
        rng = np.random.default_rng(0)
        put_line(perfect_scene(crystal, shape=part, pixel_size=pixel_size, rng=rng), name, rng=rng)


def put_line(scene: Scene, name: str, *, rng: Generator) -> Scene:
    """The scene with a line of that name somewhere in its frame.

    Parameters
    ----------
    scene : undisturbed, with columns one diagonal beyond the frame.

    Raises
    ------
    InputError
        The crystal has nothing of that kind, or the frame may lie between its columns.
    """
    widest = _cell_diagonal(scene.cell)
    if min(scene.shape) < widest:
        raise InputError(
            f"a frame with a {name.replace('_', ' ')} must be at least {math.ceil(widest)} px wide and high, "
            f"to hold a column of {scene.crystal.name} wherever it lies, got {min(scene.shape)} px (make it "
            f"larger)"
        )
    for _ in range(_TRIES):
        at = scene.centre + (rng.random(2) - 0.5) * _MIDDLE * np.array(scene.shape)
        changed = _MAKERS[name](scene, at, rng)
        if _shows(scene, changed):
            return changed
    raise InputError(
        f"a {name.replace('_', ' ')} must change the crystal, and leaves {scene.crystal.name} as it is along "
        f"every row tried (leave it out)"
    )


def _cell_diagonal(cell: NDArray[np.float64]) -> float:
    """The longer one."""
    a, b = cell
    return float(max(np.linalg.norm(a + b), np.linalg.norm(a - b)))


def _shows(before: Scene, after: Scene) -> bool:
    """Whether a column of the frame has moved or holds something else."""
    from scipy.spatial import cKDTree

    inside = ((after.positions > 0) & (after.positions < after.shape)).all(axis=1)
    away, nearest = cKDTree(before.positions).query(after.positions[inside])
    atoms = np.array([before.atoms.index(held) for held in before.atoms])
    held, was = (atoms[one.sites["index"].to_numpy()] for one in (after, before))
    moved = away > _UNMOVED * nearest_spacing(before)
    return bool((moved | (held[inside] != was[nearest])).any())


def _row(rng: Generator) -> Row:
    return _ROWS[rng.integers(len(_ROWS))]


def _tilt_boundary(scene: Scene, at: Place, rng: Generator) -> Scene:
    return tilt_boundary(
        scene, math.radians(rng.uniform(5, 55)), at=at, direction=rng.uniform(-math.pi, math.pi)
    )


def _tilt_wall(scene: Scene, at: Place, rng: Generator) -> Scene:
    angle, burgers = math.radians(rng.uniform(2, 8)), _ROWS[rng.integers(2)]
    return tilt_wall(scene, angle * rng.choice((-1, 1)), burgers=burgers, at=at, phase=rng.random())


def _twin_boundary(scene: Scene, at: Place, rng: Generator) -> Scene:
    return twin_boundary(scene, _row(rng), at=at)


def _lamella(scene: Scene, at: Place, rng: Generator) -> Scene:
    return lamella(scene, int(rng.integers(1, 4)), _row(rng), at=at)


def _fault(scene: Scene, at: Place, rng: Generator) -> Scene:
    row, third = _row(rng), rng.choice((-1, 1)) / 3
    return fault(scene, (row[0] * third, row[1] * third), row, at=at)


def _antiphase_boundary(scene: Scene, at: Place, rng: Generator) -> Scene:
    shift = ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5))[rng.integers(3)]
    return antiphase_boundary(scene, _row(rng), shift=shift, at=at)


def _dislocation_dipole(scene: Scene, at: Place, rng: Generator) -> Scene:
    length = rng.uniform(0.2, 0.5) * min(scene.shape)
    direction = rng.uniform(-math.pi, math.pi)
    return dislocation_dipole(scene, _ROWS[rng.integers(2)], length=length, direction=direction, at=at)


_MAKERS: dict[str, Callable[[Scene, Place, Generator], Scene]] = {
    "tilt_boundary": _tilt_boundary,
    "tilt_wall": _tilt_wall,
    "twin_boundary": _twin_boundary,
    "lamella": _lamella,
    "fault": _fault,
    "antiphase_boundary": _antiphase_boundary,
    "dislocation_dipole": _dislocation_dipole,
}
