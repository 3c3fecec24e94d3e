"""How one lattice lies to another: turned, mirrored, or another crystal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice

Array = NDArray[np.float64]
SAME_CRYSTAL = 0.10  # drift, as a strain, that grains of one crystal may need to be alike
_ALIKE = 0.004  # drift by which one way to match may be worse than the best and still count
_NEAR = 0.3  # strain between two cells that may be one under drift
_EXACT, _SYMMETRIC, _DRIFT = 5e-4, 3e-3, 2e-2  # expected: difference of cells, from symmetry, drift
_NEARLY = 0.06  # departure from symmetry that drift may explain


def _unimodular() -> NDArray[np.int_]:
    """(n, 2, 2) integer matrices up to 2 with a determinant of ±1: other cells of the same lattice."""
    matrices = np.array(list(product(range(-2, 3), repeat=4))).reshape(-1, 2, 2)
    return np.asarray(matrices[np.abs(np.round(np.linalg.det(matrices))) == 1])


_CELLS = _unimodular()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relation:
    """The least turn of one lattice that gives another, when the specimen drifted during the scan.

    Parameters
    ----------
    rotation : rad, from +x towards +y, of the second against the first; NaN where no turn does.
    strain : the drift, as a strain, that makes two grains of one crystal of them; large for two crystals.
    cell : (2, 2) px, the vectors of the second lattice that correspond to a and b of the first.
    """

    rotation: float
    strain: float
    cell: Array


def relate_lattices(first: Lattice, second: Lattice) -> Relation:
    """The least turn that carries the first lattice onto the second.

    Drift stretches and shears an image along y and leaves each row as it is. The least drift of
    either grain is solved for that makes their cells alike, and as symmetric as they nearly are. Of
    all turns that need no more than 0.4 % drift above the least, the smallest is taken: a square
    lattice turned by 80° is turned by -10°.

    Examples
    --------
    >>> a = Lattice(vectors=np.array([[0.0, 10.0], [10.0, 0.0]]), coherence=1.0)
    >>> turn = np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    >>> b = Lattice(vectors=a.vectors @ turn, coherence=1.0)
    >>> round(relate_lattices(a, b).rotation, 3)
    0.1
    """
    cells = _CELLS @ second.vectors
    maps = np.linalg.inv(first.vectors) @ cells
    cells = cells[(np.linalg.det(maps) > 0) & (_polar(maps)[1] < _NEAR)]
    if not len(cells):
        return Relation(rotation=float("nan"), strain=float("inf"), cell=second.vectors)
    fits = [_without_drift(first.vectors, cell, size=first.size) for cell in cells]
    strain = np.array([fit[2] for fit in fits])
    angle = _polar(np.array([np.linalg.inv(one) @ other for one, other, _ in fits]))[0]
    good = strain <= strain.min() + _ALIKE
    best = np.flatnonzero(good)[np.argmin(np.abs(angle[good]))]
    return Relation(
        rotation=float(angle[best]) if strain[best] < SAME_CRYSTAL else float("nan"),
        strain=float(strain[best]),
        cell=cells[best],
    )


def _without_drift(first: Array, second: Array, *, size: float) -> tuple[Array, Array, float]:
    """Both cells freed of the least drift that makes them alike, and that drift as a strain.

    A drift A turns rows L into L A. With B = inv(A) inv(A)ᵀ = 1 + β the metrics L B Lᵀ of both must be
    equal: linear in β, which is 0 along x.
    """
    basis = np.array([[[1.0, 0], [0, 0]], [[0, 1], [1, 0]]])

    def metric(cell: Array, b: Array) -> Array:
        (p, q), (_, r) = cell @ b @ cell.T / size**2
        return np.array([p, q, r])

    own, other = (np.array([metric(cell, b) for b in (*basis, np.eye(2))]) for cell in (first, second))
    alike = np.column_stack([own[:2].T, -other[:2].T])
    rows, wanted = [alike / _EXACT], [(other[2] - own[2]) / _EXACT]
    for rule in _symmetries(own[2]):
        for m, zero in ((own, (0, 1)), (other, (1, 0))):
            half = rule @ m[:2].T
            rows.append(np.concatenate([half * zero[1], half * zero[0]])[None] / _SYMMETRIC)
            wanted.append(-rule @ m[2][:, None] / _SYMMETRIC)
    rows.append(np.eye(4) / _DRIFT)
    wanted.append(np.zeros(4))
    beta = np.linalg.lstsq(np.vstack(rows), np.concatenate(wanted), rcond=None)[0]
    freed = []
    for cell, part in ((first, beta[:2]), (second, beta[2:])):
        (p, q), (_, r) = np.eye(2) + np.tensordot(part, basis, 1)
        freed.append(cell @ np.array([[np.sqrt(max(p - q * q / r, 1e-6)), q / np.sqrt(r)], [0, np.sqrt(r)]]))
    return freed[0], freed[1], float(np.linalg.norm(beta) / 2)


def _symmetries(metric: Array) -> list[Array]:
    """Rules (3,) on a metric (a·a, a·b, b·b) that vanish for the symmetric cell which it nearly is."""
    rules = (np.array([1.0, 0, -1]), np.array([0.0, 1, 0]), np.array([1.0, 2, 0]), np.array([1.0, -2, 0]))
    return [rule for rule in rules if abs(rule @ metric) < _NEARLY]


def _polar(maps: Array) -> tuple[Array, Array]:
    """Angle [rad] from +x towards +y and largest principal strain of maps (n, 2, 2) of rows (y, x)."""
    u, stretch, v = np.linalg.svd(maps)
    turn = u @ v
    return np.arctan2(turn[:, 1, 0], turn[:, 1, 1]), np.abs(stretch - 1).max(axis=1)


def mirror_strain(first: Lattice, second: Lattice, direction: Array) -> float:
    """Largest principal strain left when the second lattice is the first mirrored across a line.

    Parameters
    ----------
    direction : (2,) along the line, (y, x).
    """
    along = direction / np.hypot(*direction)
    reflection = 2 * np.outer(along, along) - np.eye(2)
    mirrored = first.vectors @ reflection
    maps = np.linalg.inv(mirrored) @ (_CELLS @ second.vectors)
    return float(np.abs(maps - np.eye(2)).max(axis=(1, 2)).min())


def row_along(lattice: Lattice, direction: Array, *, tolerance: float) -> NDArray[np.int_] | None:
    """The shortest lattice vector (2,) within `tolerance` rad of a direction, in cell vectors.

    None where none is shorter than 2.2 √(cell area).
    """
    index = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3) if (i, j) != (0, 0)])
    rows = index @ lattice.vectors
    length = np.hypot(*rows.T)
    along = rows @ direction / length / max(float(np.hypot(*direction)), 1e-12)
    close = (np.arccos(np.clip(along, -1, 1)) < tolerance) & (length < 2.2 * lattice.size)
    return index[close][np.argmin(length[close])] if close.any() else None
