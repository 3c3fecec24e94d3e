"""Known defects planted into a real image: what a method should find there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from .noise_growth import NoiseGrowth, measure_noise_growth
from .usual_columns import UsualColumns

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_APART = 2.5  # nearest distances between planted defects, so that each stands alone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plants:
    """Defects to be planted.

    Parameters
    ----------
    sites : (m,) indices of the sites of the crystal.
    change : (m,) of their brightness: −1 takes the column away, 0.3 makes it 30 % brighter; of a hollow
        the light that is added, over that of the mean column.
    """

    sites: NDArray[np.int_]
    change: Array


def draw_plants(
    crystal: PerfectCrystal,
    eligible: Flags,
    *,
    dark: Sequence[float],
    bright: Sequence[float],
    share: float,
    rng: Generator,
) -> Plants:
    """Random sites and changes, every change equally often, no two defects side by side.

    Parameters
    ----------
    eligible : (n,) sites that may be used.
    dark, bright : changes of columns; hollows get the bright ones.
    share : of the eligible sites of each sublattice.
    """
    owner, positions = crystal.sites.sublattice, crystal.sites.positions
    wanted, drawn = [], []
    for k in range(len(crystal.sublattices)):
        members = rng.permutation(np.flatnonzero(eligible & (owner == k)))
        wanted.append(int(np.ceil(share * len(members))))
        drawn.append(members[: 3 * wanted[-1]])
    order = rng.permutation(np.concatenate(drawn))
    near = cKDTree(positions[order]).query_pairs(_APART * crystal.nearest, output_type="ndarray")
    alone = np.ones(len(order), dtype=bool)
    alone[near.max(axis=1)] = False  # of two that are too near the one drawn first stays
    order = order[alone]
    sites, changes = [], []
    for k, sublattice in enumerate(crystal.sublattices):
        own = order[owner[order] == k][: wanted[k]]
        strengths = list(bright) if sublattice.hollow else [*dark, *bright]
        sites.append(own)
        changes.append(rng.permutation(np.resize(rng.permutation(strengths), len(own))))
    return Plants(sites=np.concatenate(sites), change=np.concatenate(changes))


class DefectPlanter:
    """Changes columns of an image as defects would.

    A column is taken away or scaled by the light that the mean cell gives it, where it stands,
    and the noise under it grows or shrinks with the intensity as it does between the perfect
    columns of the same image.

    Parameters
    ----------
    channels : (y, x) each, standardised.
    perfect : (n,) sites that look perfect; they tell what is usual.
    """

    def __init__(self, channels: Sequence[Floats], crystal: PerfectCrystal, perfect: Flags) -> None:
        self._channels = [
            (pixels, UsualColumns(pixels, crystal, perfect, c), measure_noise_growth(pixels, crystal))
            for c, pixels in enumerate(channels)
        ]

    def __call__(self, plants: Plants) -> tuple[Floats, ...]:
        """The channels (y, x) with these defects in them."""
        return tuple(_plant(plants, *channel) for channel in self._channels)


def _plant(plants: Plants, pixels: Floats, usual: UsualColumns, growth: NoiseGrowth) -> Floats:
    patches = usual.around(plants.sites)
    added = plants.change[:, None] * usual.light(patches)
    expected, noise = usual.compare(patches)
    added += (np.sqrt(growth(expected + added) / growth(expected)) - 1) * noise
    sums = np.bincount(patches.flat[patches.inside], added[patches.inside], minlength=pixels.size)
    return (pixels + sums.reshape(pixels.shape)).astype(np.float32)
