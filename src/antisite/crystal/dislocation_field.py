"""The displacement round dislocations that no smooth field can hold: one turn gives one Burgers vector."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DislocationField:
    """The part b θ / 2π of the displacement round each core.

    θ is the angle round the core from +x towards +y. Where it jumps by a turn, the displacement jumps by
    a Burgers vector: nothing is seen there where that is a lattice vector, and the fault lies there
    where it is a part of one.

    Parameters
    ----------
    positions : (n, 2) px as (y, x).
    burgers : (n, 2) in cell vectors.
    cuts : (n,) rad, direction from the core in which θ jumps.
    """

    positions: Array = field(default_factory=lambda: np.zeros((0, 2)))
    burgers: Array = field(default_factory=lambda: np.zeros((0, 2)))
    cuts: Array = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.positions)

    def at(self, places: Array) -> Array:
        """Displacement (m, 2), in cell vectors, at places (m, 2) px."""
        total = np.zeros(places.shape)
        for position, burgers, cut in zip(self.positions, self.burgers, self.cuts, strict=True):
            y, x = (places - position).T
            turned = (np.arctan2(y, x) - cut) % (2 * np.pi) + cut - np.pi
            total += turned[:, None] / (2 * np.pi) * burgers
        return total
