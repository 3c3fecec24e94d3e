"""A crystal in a random direction at a random place, anew for every field."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from ..crystals.crystal import Crystal
from ..crystals.scene import Scene, lay_out


def lay_out_field(
    crystal: Crystal, *, shape: tuple[int, int], pixel_size: float, margin: float, rng: Generator
) -> Scene:
    """A perfect crystal in a random direction at a random place; the rest as in `lay_out`.

    Only sums, products and roots are taken, so that every processor gives the same bits.
    """
    cosine, sine = random_direction(rng)
    ay, ax = crystal.cell.T / pixel_size
    cell = np.stack([ay * cosine + ax * sine, ax * cosine - ay * sine], axis=1)
    return lay_out(crystal, cell, shape=shape, pixel_size=pixel_size, margin=margin, rng=rng)


def random_direction(rng: Generator) -> tuple[float, float]:
    """Cosine and sine of an angle, all equally likely."""
    while True:
        across, along = rng.random(2) * 2 - 1
        length = math.sqrt(across * across + along * along)
        if 0.1 < length <= 1:
            return float(across / length), float(along / length)
