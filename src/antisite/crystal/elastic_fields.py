"""Displacement around edge dislocations in an isotropic crystal, seen end-on.

Plane strain after Hirth and Lothe, *Theory of Dislocations*, in complex numbers: z = x + iy, u = ux + i uy.
A circuit that turns from +x towards +y (clockwise on the screen, y being down) gains one Burgers vector.
The field is told on either side of a line through the dislocations: each side holds one unbroken branch, and
the two differ by sums of Burgers vectors only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

POISSON = 1 / 3
_KAPPA = 3 - 4 * POISSON
_CORE = 1e-6  # px, keeps the logarithm finite at the centre


def dislocation_field(
    z: NDArray[np.complex128], burgers: complex, *, normal: float, second_side: bool
) -> NDArray[np.complex128]:
    """Displacement [px] around one dislocation at the origin.

    Parameters
    ----------
    z : px, x + iy.
    burgers : px, bx + i by.
    normal : rad, from +x towards +y, direction that points to the second side.
    second_side : whether the branch is that of the second side.
    """
    local = z * np.exp(-1j * normal) + _CORE
    # ahead (along −i) both branches agree, behind (along +i) they differ by a whole turn
    angle = np.angle(local) if second_side else np.angle(-local) - math.pi
    log = np.log(np.abs(local)) + 1j * angle
    turned = burgers * np.exp(-1j * normal)
    field = _combine(log, turned, local / np.conj(local))
    return np.asarray(field * np.exp(1j * normal))


def wall_field(
    z: NDArray[np.complex128], burgers: complex, spacing: float, *, normal: float, second_side: bool
) -> NDArray[np.complex128]:
    """Displacement [px] around an endless wall of equal dislocations, one of them at the origin.

    Far away on the second side the crystal is turned by −(burgers along the normal) / (2 spacing), on the
    first side by as much the other way; stresses die out over one spacing when the Burgers vector is normal
    to the wall.

    Parameters
    ----------
    z : px, x + iy.
    burgers : px, bx + i by.
    spacing : px
    normal : rad, from +x towards +y, direction that points across the wall to the second side.
    second_side : whether the branch is that of the second side.
    """
    zeta = math.pi * (z * np.exp(-1j * normal) + _CORE) / spacing
    if second_side:
        log = zeta + np.log(1 - np.exp(-2 * zeta))
    else:
        log = -zeta + np.log(1 - np.exp(2 * zeta)) + 1j * math.pi
    ratio = 2 * zeta.real / np.tanh(np.conj(zeta))
    turned = burgers * np.exp(-1j * normal)
    return np.asarray(_combine(log, turned, ratio) * np.exp(1j * normal))


def _combine(
    log: NDArray[np.complex128], burgers: complex, ratio: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """The displacement from the sums of ln z and of z / z̄."""
    stretch = (_KAPPA - 1) * log.real * burgers + np.conj(burgers) * ratio
    return np.asarray((burgers * log.imag - 1j * stretch / (_KAPPA + 1)) / (2 * math.pi))
