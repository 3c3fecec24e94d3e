"""What a line is: named from how the lattices on its two sides lie to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crystal.lattice import Lattice
from ..crystal.lattice_relation import mirror_strain, relate_lattices, row_along

Array = NDArray[np.float64]
TURN_SD = np.radians(0.05)  # rad
_ALONG = np.radians(4)  # between a line and the row that it follows
_TWIN_STRAIN = 0.10  # left when one lattice is mirrored onto the other: drift does as much
_LOW_ANGLE = np.radians(10)  # a smaller turn about a row is an array of dislocations, no twin
_OTHER_CELL = 0.08  # difference of the cell areas of two crystals
_LEAST_SHIFT = 0.10  # of a cell, told from none
_NEAR = 0.07  # of a cell, told from what a name implies


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarKind:
    """A kind of the contract, and what else is known of it.

    Parameters
    ----------
    kind : one of `defects.PLANAR_KINDS`.
    name : in plain words, empty where the numbers imply none.
    misorientation : rad, the least turn of one lattice onto the other; NaN where no turn does.
    misorientation_sd : rad, that of simulated grains (`benchmarks/planar.md`), and the square of the drift
        that the turn was freed of, as a strain: what is of second order in it is left.
    mirror : whether the line is a mirror of the two lattices.
    """

    kind: str
    name: str = ""
    misorientation: float = float("nan")
    misorientation_sd: float = TURN_SD
    mirror: bool = False


def kind_of_boundary(left: Lattice, right: Lattice, direction: Array) -> PlanarKind:
    """Kind of a line between two lattices that differ.

    A twin boundary follows a short row that both lattices share, and mirrors one into the other.

    Parameters
    ----------
    direction : (2,) along the line, (y, x).
    """
    relation = relate_lattices(left, right)
    turn = abs(relation.rotation)
    sd = float(np.hypot(TURN_SD, relation.strain**2))
    rows = [row_along(lattice, direction, tolerance=_ALONG) for lattice in (left, right)]
    shared = rows[0] is not None and rows[1] is not None
    if shared and not turn < _LOW_ANGLE and mirror_strain(left, right, direction) < _TWIN_STRAIN:
        return PlanarKind(kind="twin_boundary", misorientation=turn, misorientation_sd=sd, mirror=True)
    if abs(np.log(left.cell_area / right.cell_area)) > _OTHER_CELL and np.isnan(turn):
        return PlanarKind(kind="phase_boundary")
    return PlanarKind(kind="grain_boundary", misorientation=turn, misorientation_sd=sd)


def kind_of_fault(shift: Array, lattice: Lattice, direction: Array, *, sd: float = 0.0) -> PlanarKind:
    """Kind of a line across which one lattice is displaced.

    n mirrored layers between two rows of a lattice whose layers follow each other at a fraction f of the
    row displace what lies beyond by -2nf of the row. Where f is a third, as for {111} of a face-centred
    cubic crystal seen along [110], one such layer is an intrinsic, two are an extrinsic stacking fault.

    Parameters
    ----------
    shift : (2,) displacement of the right side, fractions of a and b.
    direction : (2,) along the line, (y, x).
    sd : of the shift.
    """
    near = max(_NEAR, 2 * sd)
    if not is_moved(shift):
        return PlanarKind(kind="planar_defect", misorientation=0.0)
    if _apart(2 * shift) < 2 * _NEAR and _apart(shift) > 0.5 - _NEAR:
        return PlanarKind(kind="antiphase_boundary", name="antiphase boundary", misorientation=0.0)
    row = row_along(lattice, direction, tolerance=_ALONG)
    if row is None or np.gcd(*row) != 1:
        return PlanarKind(kind="planar_defect", misorientation=0.0)
    along, across, offset = _in_rows(shift, row, lattice, direction)
    if abs(across - np.round(across)) > near:
        return PlanarKind(kind="planar_defect", misorientation=0.0)
    name = ""
    if abs(abs((offset + 0.5) % 1 - 0.5) - 1 / 3) < 0.08:
        layers = [n for n in (1, 2) if abs((along + 2 * n * offset + 0.5) % 1 - 0.5) < near]
        name = {1: "intrinsic stacking fault", 2: "extrinsic stacking fault"}[layers[0]] if layers else ""
    return PlanarKind(kind="stacking_fault", name=name, misorientation=0.0)


def is_moved(shift: Array, *, sd: float = 0.0) -> bool:
    """Whether a displacement, in fractions of a and b, is clearly not none."""
    return _apart(shift) > max(_LEAST_SHIFT, 2 * sd)


def _apart(shift: Array) -> float:
    """Largest distance of a component from a whole number."""
    return float(np.abs(shift - np.round(shift)).max())


def _in_rows(
    shift: Array, row: NDArray[np.int_], lattice: Lattice, direction: Array
) -> tuple[float, float, float]:
    """A displacement along a row and from row to row [fractions], and how far the next row is offset.

    The next row is that to the right of the direction: the shift is that of the right side.
    """
    index = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)])
    following = index[np.abs(index[:, 0] * row[1] - index[:, 1] * row[0]) == 1]
    p, q = row @ lattice.vectors, following @ lattice.vectors
    to_the_right = q @ np.array([direction[1], -direction[0]]) > 0
    following, q = following[to_the_right], q[to_the_right]
    shortest = int(np.argmin(np.hypot(*q.T)))
    along, across = np.linalg.solve(np.array([row, following[shortest]]).T.astype(float), shift)
    return float(along), float(across), float(q[shortest] @ p / (p @ p))
