"""Columns to images: every column's response, added at its place between the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .compiled import compiled_fast
from .scattering.responses import Responses
from .stamps import Stamps, build_stamps

# Share of a column's peak: of frames that noise covers anyhow, and of periodic ones, made for comparison.
TOLERANCE = 6e-4
TOLERANCE_PERIODIC = 2e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldRenderer:
    """Images of columns at one pixel size; what depends on that alone is computed once.

    Parameters
    ----------
    responses : tables of the columns.
    pixel_size : Å/px, or Å/px along y and along x.
    reach : Å, columns end there; None: with their table. The light beyond is not lost: it becomes a uniform
        level, what the columns of the frame send there over the area of the frame.
    tolerance : largest error of one column, as a share of its peak.

    Examples
    --------
    >>> from antisite.simulate.column_atoms import ColumnAtoms
    >>> table = np.exp(-np.hypot(*np.mgrid[-20:21, -20:21] * 0.15)**2)[None, None].astype(np.float32)
    >>> atoms = (ColumnAtoms(("W",), (0.0,)),)
    >>> responses = Responses(atoms=atoms, values=table, step=0.15, vacuum=np.zeros(1))
    >>> render = FieldRenderer(responses=responses, pixel_size=0.2)
    >>> image = render(np.array([[16.0, 20.0]]), np.array([0]), shape=(32, 40))
    >>> image.shape, round(float(image[0, 16, 20]), 3)
    ((1, 32, 40), 1.0)
    """

    responses: Responses
    pixel_size: float | tuple[float, float]
    reach: float | None = None
    tolerance: float = TOLERANCE
    stamps: Stamps = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes = self.pixel_sizes
        if not all(0 < size < math.inf for size in sizes):
            raise InputError(f"pixel_size must be positive [Å/px], got {self.pixel_size}")
        if self.reach is not None and not self.reach > 0:
            raise InputError(f"reach must be positive [Å], got {self.reach:g}")
        stamps = build_stamps(self.responses, pixel_size=sizes, reach=self._circle, tolerance=self.tolerance)
        object.__setattr__(self, "stamps", stamps)

    @property
    def pixel_sizes(self) -> tuple[float, float]:
        """Å/px along y and x."""
        return self.pixel_size if isinstance(self.pixel_size, tuple) else (self.pixel_size,) * 2

    @property
    def _circle(self) -> float | None:
        """Å, the radius at which columns end before their table does."""
        return self.reach if self.reach is not None and self.reach < self.responses.reach else None

    def __call__(
        self,
        positions: NDArray[np.float64],
        index: NDArray[np.integer],
        *,
        shape: tuple[int, int],
        row_shift: NDArray[np.float64] | None = None,
        periodic: bool = False,
    ) -> NDArray[np.float32]:
        """The image on every detector.

        Parameters
        ----------
        positions : (N, 2) px (y, x); columns outside the frame that reach into it belong to them.
        index : (N,) which of the tables each column has.
        shape : (y, x) px
        row_shift : (y,) px, each row is sampled that much farther to the right; None: as it should be.
        periodic : the frame is one period along both axes.

        Returns
        -------
        NDArray
            (n_detectors, y, x), share of the beam, vacuum included.
        """
        positions, index = _checked(positions, index, len(self.responses.values))
        shift = np.zeros(shape[0]) if row_shift is None else np.asarray(row_shift, np.float64)
        if shift.shape != shape[:1] or not np.isfinite(shift).all():
            raise InputError(f"row_shift needs one finite number for each of {shape[0]} rows")
        stamps = self.stamps
        images = np.empty((len(self.responses.vacuum), *shape), np.float32)
        images[:] = (self.responses.vacuum + self._level(positions, index, shape, periodic))[:, None, None]
        if periodic:
            positions, index = _repeated(positions, index, shape, stamps, np.abs(shift).max(initial=0))
        order = np.argsort(positions[:, 0], kind="stable")  # neighbours in memory one after the other
        _add_columns(
            images,
            positions[order],
            index[order],
            shift,
            row_shift is not None and bool(shift.any()),
            stamps.first,
            stamps.n_mixed,
            stamps.along_y.values,
            stamps.along_x.values,
            np.asarray(self.pixel_sizes),
            self._circle or 0.0,
        )
        return images

    def _level(
        self,
        positions: NDArray[np.float64],
        index: NDArray[np.int64],
        shape: tuple[int, int],
        periodic: bool,
    ) -> NDArray[np.float64]:
        """Light of the frame's columns beyond their reach, spread over the frame."""
        framed = np.ones(len(index), bool)
        if not periodic:
            framed = np.all((positions >= -0.5) & (positions < np.asarray(shape) - 0.5), axis=1)
        area = shape[0] * shape[1] * self.pixel_sizes[0] * self.pixel_sizes[1]
        counts = np.bincount(index[framed], minlength=len(self.stamps.beyond))
        return np.asarray(counts @ self.stamps.beyond / max(area, 1e-300))


def render_field(
    positions: NDArray[np.float64],
    index: NDArray[np.integer],
    responses: Responses,
    *,
    shape: tuple[int, int],
    pixel_size: float | tuple[float, float],
    row_shift: NDArray[np.float64] | None = None,
    reach: float | None = None,
    periodic: bool = False,
) -> NDArray[np.float32]:
    """The image of columns on every detector, `(n_detectors, y, x)`, vacuum included.

    See `FieldRenderer`, which is quicker for several images with the same tables and pixel size. A periodic
    image is made with an error below 1e-4 of the peak.
    """
    renderer = FieldRenderer(
        responses=responses,
        pixel_size=pixel_size,
        reach=reach,
        tolerance=TOLERANCE_PERIODIC if periodic else TOLERANCE,
    )
    return renderer(positions, index, shape=shape, row_shift=row_shift, periodic=periodic)


def _checked(
    positions: NDArray[np.float64], index: NDArray[np.integer], n_tables: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions and indices that the compiled code can trust."""
    positions = np.ascontiguousarray(positions, dtype=np.float64).reshape(-1, 2)
    numbers: NDArray[np.int64] = np.ascontiguousarray(index).astype(np.int64)
    if index.shape != positions.shape[:1]:
        raise InputError(f"each column needs one index, got {index.size} for {len(positions)} columns")
    if not np.isfinite(positions).all():
        raise InputError("positions of columns must be finite")
    if len(index) and not (index.min() >= 0 and index.max() < n_tables):
        raise InputError(f"index must be 0 to {n_tables - 1}, got {index.min()} to {index.max()}")
    return positions, numbers


def _repeated(
    positions: NDArray[np.float64],
    index: NDArray[np.int64],
    shape: tuple[int, int],
    stamps: Stamps,
    shift: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The columns of one period and their copies that reach into it."""
    size = np.asarray(shape)
    margin = np.array([stamps.along_y.half + 1, stamps.along_x.half + 1 + shift])
    n = np.ceil(margin / size).astype(int)
    copies = (np.indices(2 * n + 1).reshape(2, -1).T - n)[:, None] * size
    moved = (positions % size + copies).reshape(-1, 2)
    near = np.all((moved > -margin) & (moved < size + margin), axis=1)
    return moved[near], np.tile(index, len(copies))[near]


@compiled_fast
def _add_columns(
    images: NDArray[np.float32],
    positions: NDArray[np.float64],
    index: NDArray[np.int64],
    shift: NDArray[np.float64],
    shifted: bool,
    first: NDArray[np.int64],
    n_mixed: NDArray[np.int64],
    along_y: NDArray[np.float32],
    along_x: NDArray[np.float32],
    pixel_size: NDArray[np.float64],
    circle: float,
) -> None:
    """Add each column's products to the images; shifted rows mix two phases each, others share a mixture."""
    n_detectors, height, width = images.shape
    length_y, n_terms, length_x = along_y.shape[1], along_y.shape[2], along_x.shape[2]
    n_phases_y, n_phases_x = along_y.shape[0] - 1, along_x.shape[0] - 1
    half_y, half_x = length_y // 2 - 1, length_x // 2 - 1
    lines = along_x.reshape((n_phases_x + 1) * n_terms, length_x)
    most = 0
    for t in range(first.size - 1):
        most = max(most, first[t + 1] - first[t])
    mixed = np.empty((most, length_x), np.float32)
    which = np.zeros(2 * most + 8, np.int64)
    weights = np.zeros(2 * most + 8, np.float32)
    for i in range(index.size):
        y, x = positions[i, 0], positions[i, 1]
        row_y = math.floor(y)
        below = min(int((y - row_y) * n_phases_y), n_phases_y - 1)
        share_y = np.float32((y - row_y) * n_phases_y - below)
        column_x = math.floor(x)
        left = min(int((x - column_x) * n_phases_x), n_phases_x - 1)
        share_x = np.float32((x - column_x) * n_phases_x - left)
        for d in range(n_detectors):
            t = index[i] * n_detectors + d
            terms, rank = first[t], first[t + 1] - first[t]
            if rank == 0:
                continue
            used = rank + n_mixed[t] if shifted else rank
            weights[used:] = 0
            which[:] = 0
            if not shifted:
                for r in range(rank):
                    which[r] = r
                    a, b, c = (
                        lines[left * n_terms + terms + r],
                        lines[(left + 1) * n_terms + terms + r],
                        mixed[r],
                    )
                    for j in range(length_x):
                        c[j] = a[j] + share_x * (b[j] - a[j])
            for row in range(max(row_y - half_y, 0), min(row_y + half_y + 2, height)):
                place = x - shift[row]
                if shifted:
                    column_x = math.floor(place)
                    left = min(int((place - column_x) * n_phases_x), n_phases_x - 1)
                    share_x = np.float32((place - column_x) * n_phases_x - left)
                start, stop = column_x - half_x, column_x + half_x + 2
                if circle > 0:
                    away = (row - y) * pixel_size[0]
                    if abs(away) > circle:
                        continue
                    chord = math.sqrt(circle * circle - away * away) / pixel_size[1]
                    start, stop = math.ceil(place - chord), math.floor(place + chord) + 1
                start, stop = max(start, 0), min(stop, width)
                if stop <= start:
                    continue
                o = row - row_y + half_y
                near, far = (
                    along_y[below, o, terms : terms + rank],
                    along_y[below + 1, o, terms : terms + rank],
                )
                for r in range(rank):
                    weights[r] = near[r] + share_y * (far[r] - near[r])
                if shifted:
                    nearest = (left + (share_x >= 0.5)) * n_terms + terms
                    for r in range(n_mixed[t], rank):
                        which[r] = nearest + r
                    for r in range(n_mixed[t]):
                        which[r] = left * n_terms + terms + r
                        which[rank + r] = which[r] + n_terms
                        weights[rank + r] = weights[r] * share_x
                        weights[r] -= weights[rank + r]
                line = images[d, row, start:stop]
                skip = start - column_x + half_x
                if shifted:
                    _add_lines(line, lines, skip, which, weights, used)
                else:
                    _add_lines(line, mixed, skip, which, weights, used)


@compiled_fast
def _add_lines(
    line: NDArray[np.float32],
    lines: NDArray[np.float32],
    skip: int,
    which: NDArray[np.int64],
    weights: NDArray[np.float32],
    used: int,
) -> None:
    """Add a weighted sum of lines, eight or four at a time; weights past the last are 0."""
    n = line.size
    r = 0
    while used - r > 4:
        p, q, s, t = weights[r], weights[r + 1], weights[r + 2], weights[r + 3]
        a, b = lines[which[r], skip : skip + n], lines[which[r + 1], skip : skip + n]
        c, d = lines[which[r + 2], skip : skip + n], lines[which[r + 3], skip : skip + n]
        p_, q_, s_, t_ = weights[r + 4], weights[r + 5], weights[r + 6], weights[r + 7]
        a_, b_ = lines[which[r + 4], skip : skip + n], lines[which[r + 5], skip : skip + n]
        c_, d_ = lines[which[r + 6], skip : skip + n], lines[which[r + 7], skip : skip + n]
        for j in range(n):
            line[j] += (p * a[j] + q * b[j] + s * c[j] + t * d[j]) + (
                p_ * a_[j] + q_ * b_[j] + s_ * c_[j] + t_ * d_[j]
            )
        r += 8
    if r < used:
        p, q, s, t = weights[r], weights[r + 1], weights[r + 2], weights[r + 3]
        a, b = lines[which[r], skip : skip + n], lines[which[r + 1], skip : skip + n]
        c, d = lines[which[r + 2], skip : skip + n], lines[which[r + 3], skip : skip + n]
        for j in range(n):
            line[j] += p * a[j] + q * b[j] + s * c[j] + t * d[j]
