"""Grain boundaries, twins and faults put into a scene, their truth exact.

Every function takes a `Scene` and gives a new one, so that they can follow one another; `sketch_scene` makes
the image. A row of the lattice is named by its direction in whole cell vectors: (1, 0) lies along `a`.
Lines run along their direction; the second side is to the right of it on the screen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from ..crystals.scene import Scene
from ..truth.lines import TrueLine, least_rotation, turn
from .joined_crystals import Motion, across, add_line, join
from .lattice_rows import Row, gap_near, reduce_shift, row_geometry

_NO_LINE_LAYERS = 3  # a lamella of more layers is noted as its two boundaries


def tilt_boundary(
    scene: Scene, angle: float, *, at: ArrayLike | None = None, direction: float = 0.0
) -> Scene:
    """Two rigid half crystals, turned by ∓ half an angle about a point of the straight line between them.

    Parameters
    ----------
    angle : rad, the second side against the first, from +x towards +y.
    at : (y, x) px, a point of the line; the middle of the frame by default.
    direction : rad, of the line, from +x towards +y.
    """
    centre = _point(scene, at)
    joined = join(
        scene,
        centre,
        direction,
        lambda positions: (positions - centre) @ turn(-angle / 2) + centre,
        lambda positions: (positions - centre) @ turn(angle / 2) + centre,
    )
    line = TrueLine(
        kind="grain_boundary",
        misorientation=abs(angle),
        least_rotation=least_rotation(scene.cell, scene.cell @ turn(angle)),
    )
    return add_line(joined, centre, direction, line)


def twin_boundary(
    scene: Scene,
    row: Row = (1, 0),
    *,
    at: ArrayLike | None = None,
    through: str = "row",
    rotate: bool = False,
    column: int = 0,
) -> Scene:
    """A twin: the second side is the mirror image of the first, across a row of the lattice.

    Parameters
    ----------
    row : direction of the boundary in cell vectors.
    at : (y, x) px, near which the boundary lies.
    through : `row`: through columns, which both sides share; `gap`: through the widest gap between rows.
    rotate : mirror along the row instead of across it (turn by 180° about the normal), as a polar crystal
        does: zinc blende keeps its bonds. The boundary then lies halfway between the shared columns.
    column : which column of the cell the row goes through.
    """
    line, axis = _twin_plane(scene, row, _point(scene, at), through, rotate, column)
    angle, *_ = row_geometry(scene, row)
    twinned = join(scene, line, angle, _still, _mirror(axis, angle, rotate))
    return add_line(twinned, line, angle, _twin_line(scene, row))


def lamella(
    scene: Scene,
    layers: int,
    row: Row = (1, 0),
    *,
    at: ArrayLike | None = None,
    through: str = "row",
    rotate: bool = False,
    column: int = 0,
) -> Scene:
    """A twin lamella: two twin boundaries some layers apart.

    One layer in a face-centred crystal seen along [110] is the intrinsic stacking fault, two the extrinsic
    one. Up to three layers are noted as one line in the middle, more as two twin boundaries.

    Parameters
    ----------
    layers : how many steps from row to row are mirrored.
    row, through, rotate, column : as in `twin_boundary`.
    at : (y, x) px, near which the first boundary lies.
    """
    if layers < 1:
        raise InputError(f"layers must be 1 or more, got {layers}")
    line, axis = _twin_plane(scene, row, _point(scene, at), through, rotate, column)
    angle, spacing, along, normal = row_geometry(scene, row)
    step = layers * spacing * normal
    twinned = join(scene, line, angle, _still, _mirror(axis, angle, rotate))
    other_axis = _nearest_in_layer(twinned, axis + step, angle, column) if rotate else axis + step
    unit = along if rotate else normal
    shift = 2 * ((other_axis - axis) @ unit) * unit  # two mirrors, one after the other, only move
    done = join(twinned, line + step, angle, _still, lambda positions: positions + shift, beyond=scene)
    if layers > _NO_LINE_LAYERS:
        rim = _twin_line(scene, row, layers=layers)
        return add_line(add_line(done, line, angle, rim), line + step, angle, rim)
    fractions = reduce_shift(shift @ np.linalg.inv(scene.cell))
    kind = "stacking_fault" if max(map(abs, fractions)) > 1e-3 else "planar_defect"
    middle = TrueLine(kind=kind, shift=fractions, layers=layers)
    return add_line(done, line + step / 2, angle, middle)


def fault(
    scene: Scene, shift: tuple[float, float], row: Row = (1, 0), *, at: ArrayLike | None = None
) -> Scene:
    """A fault: the second side is moved as it is, in the widest gap between rows.

    Half a cell along an axis or a diagonal is noted as an antiphase boundary, anything else as a stacking
    fault.

    Parameters
    ----------
    shift : (along a, along b) cell fractions by which the second side is moved.
    row : direction of the fault in cell vectors.
    at : (y, x) px, near which the fault lies.
    """
    place = gap_near(scene, row, _point(scene, at))
    moved = np.asarray(shift) @ scene.cell
    angle, *_ = row_geometry(scene, row)
    doubled = 2 * np.asarray(shift)
    half = np.abs(doubled - np.round(doubled)).max() < 1e-6
    kind = "antiphase_boundary" if half else "stacking_fault"
    joined = join(scene, place, angle, _still, lambda positions: positions + moved)
    return add_line(joined, place, angle, TrueLine(kind=kind, shift=reduce_shift(shift)))


def antiphase_boundary(
    scene: Scene,
    row: Row = (1, 0),
    *,
    shift: tuple[float, float] | None = (0.5, 0.5),
    at: ArrayLike | None = None,
) -> Scene:
    """An antiphase boundary: the lattice goes on, what stands on its sites has changed places.

    Parameters
    ----------
    row : direction of the boundary in cell vectors.
    shift : (along a, along b) cell fractions by which the second side is moved; None: it is turned about the
        middle between two nearest columns instead, so that gallium stands where arsenic was.
    at : (y, x) px, near which the boundary lies.
    """
    place, angle = gap_near(scene, row, _point(scene, at)), row_geometry(scene, row)[0]
    if shift is None:
        columns = scene.origin + scene.crystal.fractions @ scene.cell
        if len(columns) != 2:
            raise InputError(
                f"a crystal must have two columns to change places, got {len(columns)} (give shift)"
            )
        twice = columns.sum(axis=0)
        joined = join(scene, place, angle, _still, lambda positions: twice - positions)
    else:
        if max(map(abs, reduce_shift(shift))) < 1e-6:
            raise InputError(f"the shift of an antiphase boundary must be no lattice vector, got {shift}")
        moved = np.asarray(shift) @ scene.cell
        joined = join(scene, place, angle, _still, lambda positions: positions + moved)
    true = TrueLine(kind="antiphase_boundary", shift=reduce_shift(shift or (0.0, 0.0)))
    return add_line(joined, place, angle, true)


def _point(scene: Scene, at: ArrayLike | None) -> NDArray[np.float64]:
    return scene.centre if at is None else np.asarray(at, dtype=float)


def _still(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    return positions


def _twin_plane(
    scene: Scene, row: Row, at: NDArray[np.float64], through: str, rotate: bool, column: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(2,) px each: a point of the boundary and a point that the twin operation leaves where it is."""
    if through not in ("row", "gap"):
        raise InputError(f'through must be "row" or "gap", got {through!r}')
    if through == "gap":
        middle = gap_near(scene, row, at)
        return middle, middle
    positions = scene.positions
    own = positions[scene.sites["index"] == column]
    anchor = own[np.argmin(((own - at) ** 2).sum(axis=1))]
    if not rotate:
        return anchor, anchor
    angle, spacing, along, _ = row_geometry(scene, row)
    height = np.abs(across(positions, anchor, angle))
    on_axis = np.abs((positions - anchor) @ along) < 0.02 * spacing
    others = positions[on_axis & (height > 1e-3) & (height < 0.8 * spacing)]
    if not len(others):
        return anchor, anchor
    return (anchor + others[np.argmin(((others - anchor) ** 2).sum(axis=1))]) / 2, anchor


def _nearest_in_layer(
    scene: Scene, place: NDArray[np.float64], angle: float, column: int
) -> NDArray[np.float64]:
    """(2,) px, the column nearest to a place that stands on the same row."""
    own = scene.positions[scene.sites["index"] == column]
    own = own[np.abs(across(own, place, angle)) < 1e-3]
    return np.asarray(own[np.argmin(((own - place) ** 2).sum(axis=1))])


def _mirror(axis: NDArray[np.float64], angle: float, rotate: bool) -> Motion:
    """The mirror across a direction [rad], or along it, that leaves a point (2,) px where it is."""
    flipped = np.array([math.sin(angle), math.cos(angle)] if rotate else [math.cos(angle), -math.sin(angle)])
    return lambda positions: positions - 2 * ((positions - axis) @ flipped)[:, None] * flipped


def _twin_line(scene: Scene, row: Row, *, layers: int = 0) -> TrueLine:
    *_, normal = row_geometry(scene, row)
    mirrored = scene.cell - 2 * (scene.cell @ normal)[:, None] * normal
    turned = least_rotation(scene.cell, mirrored)
    return TrueLine(
        kind="twin_boundary", misorientation=turned, least_rotation=turned, mirror=True, layers=layers
    )
