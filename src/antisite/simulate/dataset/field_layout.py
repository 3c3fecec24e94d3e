"""The columns of a perfect crystal that a frame can see, and no others: quick enough for every field anew."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ..crystals.cells import cells_around
from ..crystals.crystal import Crystal
from ..crystals.scene import Scene

Floats = NDArray[np.float64]


def lay_out_field(
    crystal: Crystal, *, shape: tuple[int, int], pixel_size: float, margin: float, rng: Generator
) -> Scene:
    """A perfect crystal in a random direction at a random place, up to a margin around the frame.

    Only sums, products and roots are taken, so that every processor gives the same bits.

    Parameters
    ----------
    shape : (y, x) px
    pixel_size : Å/px
    margin : px, how far outside the frame columns are laid out.
    """
    cosine, sine = random_direction(rng)
    ay, ax = crystal.cell.T / pixel_size
    cell = np.stack([ay * cosine + ax * sine, ax * cosine - ay * sine], axis=1)
    along = rng.random(2)
    origin = (np.array(shape) - 1) / 2 + along[0] * cell[0] + along[1] * cell[1]
    positions, index = columns_near(
        cell, origin=origin, fractions=crystal.fractions, shape=shape, margin=margin
    )
    return Scene(
        crystal=crystal,
        cell=cell,
        origin=origin,
        shape=shape,
        pixel_size=pixel_size,
        sites=pd.DataFrame({"y": positions[:, 0], "x": positions[:, 1], "index": index, "grain": 0}),
        atoms=tuple(column.atoms for column in crystal.columns),
    )


def random_direction(rng: Generator) -> tuple[float, float]:
    """Cosine and sine of an angle, all equally likely."""
    while True:
        across, along = rng.random(2) * 2 - 1
        length = math.sqrt(across * across + along * along)
        if 0.1 < length <= 1:
            return float(across / length), float(along / length)


def columns_near(
    cell: Floats, *, origin: Floats, fractions: Floats, shape: tuple[int, int], margin: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Places (N, 2) px of the columns in a frame and around it, and which of the cell each is.

    Parameters
    ----------
    cell : (2, 2) px, rows `a` and `b`, each (y, x).
    origin : (2,) px, a corner of a cell near the middle of the frame.
    fractions : (n, 2), the columns of a cell.
    shape : (y, x) px
    margin : px
    """
    along = cells_around(cell, shape=shape, margin=margin)[:, None] + fractions
    a, b = np.moveaxis(along, -1, 0)
    y = a * cell[0, 0] + b * cell[1, 0] + origin[0]
    x = a * cell[0, 1] + b * cell[1, 1] + origin[1]
    near = (y > -margin) & (y < shape[0] + margin) & (x > -margin) & (x < shape[1] + margin)
    index = np.broadcast_to(np.arange(len(fractions)), y.shape)
    return np.stack([y[near], x[near]], axis=1), index[near].astype(np.int64)
