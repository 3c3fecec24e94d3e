"""Directions in which straight lines are sought in a Fourier transform."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DIRECTIONS = 12


def along_and_across(fy: Array, fx: Array) -> Iterator[tuple[Array, Array]]:
    """Frequencies (my, mx) along and across a line, for every direction that it may have.

    Parameters
    ----------
    fy, fx : (my,) and (mx,) 1/px, frequencies of the rows and columns of the transform.
    """
    for angle in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        along = fy[:, None] * np.sin(angle) + fx[None] * np.cos(angle)
        across = fy[:, None] * np.cos(angle) - fx[None] * np.sin(angle)
        yield along, across
