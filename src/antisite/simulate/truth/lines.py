"""Lines and dislocations that a scene holds, as its truth tells them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueLine:
    """A boundary or a fault.

    Its second side lies to the right as one walks along the path, seen on the screen (y down).

    Parameters
    ----------
    kind : one of `antisite.defects.PLANAR_KINDS`.
    path : (n, 2) px (y, x), dense; empty until the line is laid into a scene.
    misorientation : rad, how the crystal was turned, from 0 to π.
    least_rotation : rad, the smallest turn that brings one lattice onto the other; NaN where none does.
    mirror : the two sides are mirror images.
    shift : (along a, along b) cell fractions from −½ to ½, displacement of the second side against the
        first; None where the two sides have not the same lattice.
    layers : how many layers the lamella has whose middle or rim this is; 0: no lamella.
    """

    kind: str
    path: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    misorientation: float = 0.0
    least_rotation: float = 0.0
    mirror: bool = False
    shift: tuple[float, float] | None = None
    layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueCore:
    """Where a dislocation comes to the surface.

    Parameters
    ----------
    position : (y, x) px, the elastic centre.
    burgers : (along a, along b) cell vectors: the closed integral of du on a circuit that turns from
        +x towards +y (clockwise on the screen), u being where the crystal is less where the undisturbed
        lattice wants it.
    partial : the Burgers vector is no lattice vector.
    """

    position: tuple[float, float]
    burgers: tuple[float, float]
    partial: bool = False


def least_rotation(
    first: NDArray[np.float64], second: NDArray[np.float64], *, tolerance: float = 1e-3
) -> float:
    """The smallest turn [rad, ≥ 0] that brings one lattice onto another, NaN where none does.

    Parameters
    ----------
    first, second : (2, 2) px, rows are cell vectors (y, x).
    tolerance : share of a cell vector by which the lattices may miss each other.

    Examples
    --------
    >>> turned = np.array([[math.cos(1.2), math.sin(1.2)], [-math.sin(1.2), math.cos(1.2)]])
    >>> round(least_rotation(np.eye(2), turned), 4)  # a square lattice: 90° less 1.2 rad
    0.3708
    """
    index = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 2), axis=-1).reshape(-1, 2)
    vectors = index @ second
    same_length = np.abs(np.hypot(*vectors.T) - np.hypot(*first[0])) < tolerance * np.hypot(*first[0])
    angles = np.arctan2(*vectors[same_length].T) - math.atan2(*first[0])
    angles = (angles + math.pi) % (2 * math.pi) - math.pi
    for angle in sorted(angles, key=abs):
        index_of_second = first @ turn(angle) @ np.linalg.inv(second)
        if np.abs(index_of_second - np.round(index_of_second)).max() < tolerance:
            return float(abs(angle))
    return math.nan


def turn(angle: float) -> NDArray[np.float64]:
    """(2, 2), `positions @ turn(angle)` are (y, x) positions turned from +x towards +y by an angle [rad]."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
