"""Point defects: sites whose brightness departs from that of their own sublattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from .column_light import measure_light
from .column_shift import follows, measure_shift
from .local_reference import LocalReference
from .significance import central_null
from .site_finder import SiteFinder
from .site_scores import Array, Flags, SiteEvidence, SiteTest

MIN_SHIFT = 0.15
_LEAST_SHIFT = 0.06  # nearest distances; scan and strain shift columns as far


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefectFinder(SiteFinder):
    """Scores sites against their own sublattice, and flags what is both significant and large.

    Parameters
    ----------
    fdr : expected share of false flags among all (Benjamini–Hochberg, each side of each sublattice).
    min_dark, min_bright : least change of the ratio; significance alone calls slow contrast a defect.
    min_shift : least distance of a column from its place, in nearest distances.
    """

    effort: ClassVar[int] = 1
    share: ClassVar[float] = 0.04

    min_dark: float
    min_bright: float
    min_shift: float = MIN_SHIFT

    def _score(
        self,
        channels: Sequence[Floats],
        crystal: PerfectCrystal,
        tested: Flags,
        references: Sequence[LocalReference],
    ) -> SiteEvidence:
        n = len(crystal.sites)
        z, weight = np.zeros((2, n))
        ratio, followed = np.full((2, len(channels), n), np.nan)
        for c, pixels in enumerate(channels):
            light = measure_light(pixels, crystal, c, references)
            ratio[c], followed[c] = light.ratio, light.followed
            for reference in references:
                own = reference.members
                clarity = 1 / central_null(light.ratio[own])[1]  # the better detector counts for more
                z[own] += clarity * reference.standardise(light.excess)
                weight[own] += clarity**2
        z /= np.sqrt(np.maximum(weight, 1e-12))
        for reference in references:
            own = reference.members
            centre, width = central_null(z[own])
            z[own] = (z[own] - centre) / width
        z[~tested] = np.nan
        ratio[:, ~tested] = np.nan
        distance, p_shift = measure_shift(crystal, references, least=_LEAST_SHIFT)
        there = follows(followed.mean(axis=0) - ratio.mean(axis=0), distance, crystal)
        p_shift = np.where(there | np.isnan(p_shift), p_shift, 1.0)
        tests = (
            self._dark(z, ratio, followed, crystal.hollow),
            self._bright(z, ratio),
            SiteTest(
                name="shifted", p=p_shift, side=p_shift < 1, large=distance >= self.min_shift, alone=True
            ),
        )
        score = np.fmax(np.abs(z), stats.norm.isf(np.clip(p_shift, 1e-300, 1 / 2)))
        return SiteEvidence(
            z=z, ratio=ratio, score=np.where(tested, score, np.nan), tests=tests, references=references
        )

    def _dark(self, z: Array, ratio: Array, followed: Array, hollow: Flags) -> SiteTest:
        """Any loss at all; a hollow has no column to lose, and one shaken off its site is not dim."""
        with np.errstate(invalid="ignore"):
            large = (1 - np.maximum(ratio.mean(axis=0), followed.mean(axis=0))) >= self.min_dark
        p = np.where(hollow, np.nan, stats.norm.cdf(z))
        return SiteTest(name="dark", p=p, side=z < 0, large=large, drowning=True)

    def _bright(self, z: Array, ratio: Array) -> SiteTest:
        """Excess beyond `min_bright`.

        Dirt adds light and never takes any, so a little too bright is no news: the excess over
        the least one is tested (McCarthy & Smyth 2009, Bioinformatics 25, 765), on the dark
        side any loss at all.
        """
        change = ratio.mean(axis=0) - 1
        beyond = z * (change - self.min_bright) / np.where(change > 0, change, np.inf)
        p = np.where(np.isnan(z), np.nan, stats.norm.sf(np.where(change > 0, beyond, -np.inf)))
        return SiteTest(name="bright", p=p, side=z >= 0, large=change >= self.min_bright)
