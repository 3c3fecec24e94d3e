"""One grain with defects planted into it, and what is seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from ..detect.site_finder import SiteFinder
from ..detect.site_scores import Array, SiteEvidence, SiteScores
from ..evaluate.planted_defects import DefectPlanter, Plants, draw_plants

Flags = NDArray[np.bool_]
DARK = (-1.0, -0.7, -0.5, -0.4, -0.3, -0.2)
BRIGHT = (0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedGrain:
    """A grain that defects are planted into.

    Parameters
    ----------
    number : of its domain.
    crystal : its perfect crystal.
    before : what was measured without them.
    perfect : (n,) sites that look perfect.
    planter : that changes them.
    """

    number: int
    crystal: PerfectCrystal
    before: SiteEvidence
    perfect: Flags
    planter: DefectPlanter

    @classmethod
    def of(
        cls,
        number: int,
        crystal: PerfectCrystal,
        before: SiteEvidence,
        scores: SiteScores,
        channels: Sequence[Floats],
    ) -> PlantedGrain:
        """The grain whose sites are perfect where they were tested and not called."""
        perfect = np.isfinite(scores.z) & ~scores.flagged
        planter = DefectPlanter(channels, crystal, perfect)
        return cls(number=number, crystal=crystal, before=before, perfect=perfect, planter=planter)

    def draw(self, *, share: float, rng: Generator) -> Plants:
        """Random sites, a share of the perfect ones, and their changes."""
        return draw_plants(self.crystal, self.perfect, dark=DARK, bright=BRIGHT, share=share, rng=rng)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One grain in one round: what was planted, and what was measured then."""

    grain: PlantedGrain
    plants: Plants
    evidence: SiteEvidence

    def flagged(self, finder: SiteFinder, *, p_limit: Array | None = None) -> Flags:
        """Sites (n,) called at limits of their own, or at those given."""
        return finder.decide(self.evidence, self.grain.crystal, p_limit=p_limit).flagged


def look_again(
    planted: Sequence[Floats], grains: Sequence[PlantedGrain], plants: Sequence[Plants], finder: SiteFinder
) -> list[Look]:
    """Measure every grain of an image with defects in it."""
    return [
        Look(
            grain=grain,
            plants=own,
            evidence=finder.measure(planted, grain.crystal, references=grain.before.references),
        )
        for grain, own in zip(grains, plants, strict=True)
    ]


def plant_all(
    channels: Sequence[Floats], grains: Iterable[PlantedGrain], plants: Iterable[Plants]
) -> tuple[Floats, ...]:
    """The channels (y, x) with the defects of all grains in them."""
    planted: tuple[Floats, ...] | None = None
    for grain, own in zip(grains, plants, strict=True):
        alone = grain.planter(own)
        planted = (
            alone
            if planted is None
            else tuple(both + (new - old) for both, new, old in zip(planted, alone, channels, strict=True))
        )
    return tuple(channels) if planted is None else planted
