"""What became of the sites of one grain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crystal.perfect_crystal import PerfectCrystal
from ..detect.holes import group_holes
from ..detect.kinds import point_kinds
from ..detect.site_scores import SiteScores

Flags = NDArray[np.bool_]
_MISSING = 0.3  # ratio below which a column of a hole is gone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grain:
    """One domain, and what was called there.

    Parameters
    ----------
    number : of the domain.
    crystal : its perfect crystal.
    scores : of its sites.
    kind : (n,) of each site.
    hole : (n,) number of the hole that a site belongs to, unique in the image, -1 for most.
    """

    number: int
    crystal: PerfectCrystal
    scores: SiteScores
    kind: NDArray[np.str_]
    hole: NDArray[np.int_]

    @property
    def tested(self) -> Flags:
        """Sites (n,) that were compared with their equals."""
        return np.isfinite(self.scores.z) & (self.hole < 0)

    @property
    def tested_columns(self) -> int:
        """How many of them should hold a column."""
        return int((self.tested & ~self.crystal.hollow).sum())

    @property
    def tested_area(self) -> float:
        """px² of the cells that were tested."""
        return self.tested_columns / max(len(self.crystal.columns), 1) * self.crystal.lattice.cell_area


def judge_grains(crystals: Sequence[PerfectCrystal], scores: Sequence[SiteScores]) -> tuple[Grain, ...]:
    """The kind of every called site; many missing ones side by side are a hole."""
    grains: list[Grain] = []
    n_holes = 0
    for number, (crystal, own) in enumerate(zip(crystals, scores, strict=True)):
        missing = own.flagged & (own.mean_ratio < _MISSING)
        hole = group_holes(crystal.sites.positions, missing, nearest=crystal.nearest)
        kind = np.where(own.flagged, point_kinds(own.mean_ratio, crystal.hollow, own.shifted), "none")
        kind = np.where(hole >= 0, "hole", kind)
        hole = np.where(hole >= 0, hole + n_holes, -1)
        n_holes = max(n_holes, int(hole.max(initial=-1)) + 1)
        grains.append(Grain(number=number, crystal=crystal, scores=own, kind=kind, hole=hole))
    return tuple(grains)


def place_name(sublattice: str, grain: int | None = None) -> str:
    """A sublattice, and its grain where there are several.

    Examples
    --------
    >>> place_name("A"), place_name("A", 1)
    ('A', 'grain 1 · A')
    """
    return sublattice if grain is None else f"grain {grain} · {sublattice}"
