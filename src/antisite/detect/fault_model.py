"""The displacement round a fault that may end inside the crystal, fitted to the phases of the lattice.

Right of the line the crystal is displaced by R. An end inside the crystal is a partial dislocation, whose
Burgers vector is -R at the start, R at the end, and a lattice vector, with its elastic field (isotropic,
after Hirth and Lothe). A homogeneous strain, and what the scan does to rows of pixels, are fitted along.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..crystal.elastic_fields import dislocation_field
from ..crystal.lattice import Lattice
from .line_shift import nearest_shift
from .lines import Line

Array = NDArray[np.float64]
_POWERS, _PER_POWER = 5, 6.0  # of y at least, for the drift; √(cell area) of rows for each
_FIRST = 8.0  # √(cell area), where a fit begins; it grows by twos, so that phases stay within a turn
_FARTHEST = np.array([0.1, 0.1, 1.0, 1.0])  # of R, cells, and of the ends, √(cell area), in a round
_NUDGE = 0.1  # √(cell area), by which an end is moved to see what that changes
_LEAST = 30  # nodes
_STILL = 1e-3  # cells and √(cell area)
_RIDGE = 1e-6
_CORRELATED = 16.0  # nodes that tell as much as one: a row that starts late moves all of its own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Phases of the reflections at nodes round a fault.

    Parameters
    ----------
    places : (n, 2) px as (y, x).
    along : (n,) px along the line from its start.
    far : (n,) px along it from where a fit begins.
    right : (n,), whether they lie to the right of the fault.
    unit : (r, n) exp(iφ).
    index : (r, 2) of the reflections.
    weight : (r,) what each tells; the sum is 1.
    line : the fault; straight where it ends inside the crystal.
    inside : whether its start and its end do.
    """

    places: Array
    along: Array
    far: Array
    right: NDArray[np.bool_]
    unit: NDArray[np.complex128]
    index: NDArray[np.int_]
    weight: Array
    line: Line
    inside: tuple[bool, bool]

    def select(self, own: NDArray[np.bool_]) -> Surroundings:
        """Some of the nodes."""
        return replace(
            self,
            places=self.places[own],
            along=self.along[own],
            far=self.far[own],
            right=self.right[own],
            unit=self.unit[:, own],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaultValues:
    """A fault in numbers.

    Parameters
    ----------
    shift : (2,) fractions of a and b, R.
    ends : (2,) √(cell area) along the line from its start.
    whole : (2, 2) lattice vectors in the Burgers vectors of the start and the end.
    smooth : (m, 2) fractions, coefficients of the smooth displacement.
    sd : (4,) of the shift and the ends.
    misfit : mean of 1 - cos of the phases that are left.
    """

    shift: Array
    ends: Array
    whole: Array
    smooth: Array | None = None
    sd: Array = field(default_factory=lambda: np.full(4, np.nan))
    misfit: float = np.inf

    @property
    def burgers(self) -> Array:
        """(2, 2) cell vectors, of the partial dislocations at the start and the end."""
        return np.asarray(self.whole + np.array([-self.shift, self.shift]))

    def exchanged(self) -> FaultValues:
        """The same fault told from its other end."""
        return replace(
            self, shift=-self.shift, ends=self.ends[::-1], whole=self.whole[::-1], sd=self.sd[[0, 1, 3, 2]]
        )

    def reduced(self) -> FaultValues:
        """The same fault with R in [-1/2, 1/2): lattice vectors go over to the Burgers vectors."""
        more = np.floor(self.shift + 0.5)
        return replace(self, shift=self.shift - more, whole=self.whole + np.array([-more, more]))

    def unwound(self, seen: Surroundings, lattice: Lattice) -> NDArray[np.complex128]:
        """(r, n) exp(iφ), freed of the step and of the fields of the ends."""
        fields = [_end_field(seen, lattice, k, end) for k, end in enumerate(self.ends)]
        return _unwound(seen, fields, replace(self, smooth=None), np.zeros(0))


def fit_values(seen: Surroundings, lattice: Lattice, values: FaultValues, *, rounds: int) -> FaultValues:
    """Rough values made better by Gauss-Newton steps, so many at most."""
    cell = lattice.size
    smooth = _smooth_part(seen.places / cell)
    growth = int(np.ceil(np.log2(max(float(seen.far.max()) / (_FIRST * cell), 1))))
    for reach in _FIRST * cell * 2.0 ** np.arange(growth + 1):
        own = seen.far <= reach
        if own.sum() < _LEAST:
            continue
        values = _improved(seen.select(own), smooth[own], lattice, values, rounds=rounds)
    return values


def _smooth_part(places: Array) -> Array:
    """(n, m) smooth displacements at places in √(cell area): a shift, a shear, and drift from row to row."""
    half = np.ptp(places, axis=0) / 2
    y, x = ((places - places.min(axis=0)) / half - 1).T
    powers = max(_POWERS, round(2 * half[0] / _PER_POWER))
    return np.column_stack([np.polynomial.chebyshev.chebvander(y, powers), x])


def _improved(
    seen: Surroundings, smooth: Array, lattice: Lattice, values: FaultValues, *, rounds: int
) -> FaultValues:
    fields = [_end_field(seen, lattice, k, end) for k, end in enumerate(values.ends)]
    if values.smooth is None:
        left = _unwound(seen, fields, values, smooth).mean(axis=1)
        rest = nearest_shift(np.angle(left), seen.index, seen.weight * np.abs(left))
        values = replace(values, smooth=np.eye(smooth.shape[1])[:, :1] * rest)
    m = smooth.shape[1]
    for _ in range(rounds):
        rest = np.angle(_unwound(seen, fields, values, smooth))
        phase = (
            -2 * np.pi * np.einsum("ri,nip->rnp", seen.index, _slopes(seen, smooth, lattice, values, fields))
        )
        weight = seen.weight[:, None] * np.cos(rest / 2) ** 2
        normal = np.einsum("rnp,rn,rnq->pq", phase, weight, phase, optimize=True)
        normal[np.diag_indices(len(normal))] += _RIDGE * np.trace(normal) / len(normal)
        step = np.linalg.solve(normal, np.einsum("rnp,rn->p", phase, weight * rest))
        step[-4:] = np.clip(step[-4:], -_FARTHEST, _FARTHEST)
        values = replace(
            values,
            smooth=values.smooth + step[: 2 * m].reshape(2, m).T,
            shift=values.shift + step[-4:-2],
            ends=values.ends + step[-2:],
        )
        fields = [_end_field(seen, lattice, k, end) for k, end in enumerate(values.ends)]
        if np.abs(step[-4:]).max() < _STILL:
            break
    rest = np.angle(_unwound(seen, fields, values, smooth))
    spread = _CORRELATED * np.average(rest**2, weights=weight) / len(seen.index)
    return replace(
        values,
        sd=np.sqrt(spread * np.diag(np.linalg.inv(normal))[-4:]),
        misfit=float(np.mean(seen.weight @ (1 - np.cos(rest)))),
    )


def _slopes(
    seen: Surroundings, smooth: Array, lattice: Lattice, values: FaultValues, fields: list[Array]
) -> Array:
    """(n, 2, p) how the displacement changes with its smooth part along a and b, with R, and the ends."""
    m = smooth.shape[1]
    slopes = np.zeros((len(smooth), 2, 2 * m + 4))
    slopes[:, 0, :m] = slopes[:, 1, m : 2 * m] = smooth
    slopes[:, :, -4:-2] = _per_shift(seen, fields)
    for k, end in enumerate(values.ends):
        nudged = _end_field(seen, lattice, k, end + _NUDGE) - fields[k]
        slopes[:, :, k - 2] = nudged @ values.burgers[k] / _NUDGE
    return slopes


def _end_field(seen: Surroundings, lattice: Lattice, k: int, end: float) -> Array:
    """(n, 2, 2) displacement [cells] by partial dislocations of Burgers vector a, b at end k of the fault."""
    field = np.zeros((len(seen.places), 2, 2))
    if not seen.inside[k]:
        return field
    across = seen.line.normals[0]
    along = np.array([-across[1], across[0]])
    z = (seen.places - seen.line.places[0] - end * lattice.size * along) @ np.array([1j, 1])
    normal = float(np.arctan2(*across))
    for n, (y, x) in enumerate(lattice.vectors):
        moved = np.empty(len(z), dtype=np.complex128)
        for own, right in ((seen.right, True), (~seen.right, False)):
            moved[own] = dislocation_field(z[own], complex(x, y), normal=normal, second_side=right)
        field[:, :, n] = np.column_stack([moved.imag, moved.real]) @ np.linalg.inv(lattice.vectors)
    return field


def _per_shift(seen: Surroundings, fields: list[Array]) -> Array:
    """(n, 2, 2) displacement by R = a, b: behind an end inside the crystal it is that of the end."""
    side = (seen.right & (not seen.inside[1]))[:, None, None] * np.eye(2)
    return np.asarray(fields[1] - fields[0] + side)


def _unwound(
    seen: Surroundings, fields: list[Array], values: FaultValues, smooth: Array
) -> NDArray[np.complex128]:
    """(r, n) exp(iφ), freed of the displacement that values tell."""
    moved = _per_shift(seen, fields) @ values.shift + sum(
        field @ whole for field, whole in zip(fields, values.whole, strict=True)
    )
    if values.smooth is not None:
        moved = moved + smooth @ values.smooth
    return np.asarray(seen.unit * np.exp(2j * np.pi * seen.index @ moved.T))
