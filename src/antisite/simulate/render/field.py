"""Columns to images: every column's response, added at its place between the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..scattering.responses import Responses
from .adding_columns import add_columns
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
    >>> table = np.exp(-np.hypot(*np.mgrid[-20:21, -20:21] * 0.15)**2)[None, None].astype(np.float32)
    >>> responses = Responses(values=table, step=0.15, vacuum=np.zeros(1))
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
        add_columns(
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
        # not a matrix product, whose last bit depends on the processor
        light = (counts[:, None] * self.stamps.beyond).sum(axis=0)
        return np.asarray(light / max(area, 1e-300))


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
