"""Point defects: sites whose brightness departs from that of their own sublattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import cKDTree

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from ..errors import InputError
from .column_light import measure_light
from .local_reference import comparable_sites, local_references
from .significance import benjamini_hochberg, central_null, local_fdr, selected_share

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteScores:
    """What was measured at every site of a crystal; NaN where nothing could be.

    Parameters
    ----------
    z : (n,) deviation from the sublattice in units of its null, negative = darker.
    ratio : (channels, n) brightness over that of the local sublattice, background removed;
        of a hollow, 1 plus its excess over the mean column.
    p_value, q_value : (n,) of the side on which the site lies.
    flagged : (n,) significant and large enough.
    p_limit : (sublattices, 2) largest p-value that is called on the dark and on the bright side.
    """

    z: Array
    ratio: Array
    p_value: Array
    q_value: Array
    flagged: Flags
    p_limit: Array

    @property
    def mean_ratio(self) -> Array:
        """Ratio (n,) of each site, the mean over the channels."""
        return np.asarray(self.ratio.mean(axis=0))

    @classmethod
    def empty(cls, n: int, *, n_channels: int, n_sublattices: int) -> SiteScores:
        """Scores of `n` sites none of which was measured."""
        unknown = np.full(n, np.nan)
        return cls(
            z=unknown,
            ratio=np.full((n_channels, n), np.nan),
            p_value=unknown,
            q_value=unknown,
            flagged=np.zeros(n, dtype=bool),
            p_limit=np.zeros((n_sublattices, 2)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefectFinder:
    """Scores sites against their own sublattice, and flags what is both significant and large.

    Parameters
    ----------
    fdr : expected share of false flags among all (Benjamini–Hochberg, each side of each sublattice).
    min_dark, min_bright : least change of the ratio; significance alone calls slow contrast a defect.
    neighbours : how many sites of the same sublattice are the local reference.
    """

    fdr: float
    min_dark: float
    min_bright: float
    neighbours: int = 30

    def __call__(self, channels: Sequence[Floats], crystal: PerfectCrystal) -> SiteScores:
        """Score every site.

        Parameters
        ----------
        channels : (y, x) each, standardised.

        Raises
        ------
        InputError
            No column can be compared.
        """
        tested = comparable_sites(crystal, channels[0].shape)
        if not (tested & ~crystal.hollow).any():
            raise InputError(
                "a column must lie clear of the frame and of masked pixels to be compared, and none does: "
                "mask less, or record more of the crystal"
            )
        references = local_references(crystal, tested, neighbours=self.neighbours)
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
        z[~tested] = np.nan
        ratio[:, ~tested] = np.nan
        return self._decide(z, ratio, followed, crystal)

    def _decide(self, z: Array, ratio: Array, followed: Array, crystal: PerfectCrystal) -> SiteScores:
        z, change = z.copy(), ratio.mean(axis=0) - 1
        p_value, q_value = np.full(len(z), np.nan), np.full(len(z), np.nan)
        families: list[_Family] = []
        for k, sublattice in enumerate(crystal.sublattices):
            members = np.flatnonzero((crystal.sites.sublattice == k) & np.isfinite(z))
            centre, width = central_null(z[members])
            z[members] = own = (z[members] - centre) / width
            families.append(_Family(k, 1, members, own >= 0, self._bright(own, change[members])))
            if not sublattice.hollow:  # a hollow has no column to lose
                families.append(_Family(k, 0, members, own < 0, stats.norm.cdf(own)))
        share = selected_share([family.q.min(initial=1.0) for family in families], level=self.fdr)
        p_limit = np.zeros((len(crystal.sublattices), 2))
        for family in families:
            sites = family.members[family.side]
            p_value[sites] = family.p[family.side]
            q_value[sites] = np.minimum(family.q[family.side] / share, 1)
            n_called = max(int((family.q <= self.fdr * share).sum()), 1)
            p_limit[family.sublattice, family.bright] = self.fdr * share * n_called / max(len(family.p), 1)
        flagged = self._flag(z, change, q_value, crystal)
        # a column that the scan has shaken off its site is not dim
        flagged &= (z > 0) | (1 - followed.mean(axis=0) >= self.min_dark)
        return SiteScores(
            z=z, ratio=ratio, p_value=p_value, q_value=q_value, flagged=flagged, p_limit=p_limit
        )

    def _flag(self, z: Array, change: Array, q_value: Array, crystal: PerfectCrystal) -> Flags:
        """Significant, large, and not drowned among ordinary sites."""
        with np.errstate(invalid="ignore"):
            large = np.where(z < 0, -change >= self.min_dark, change >= self.min_bright)
            flagged = (q_value <= self.fdr) & large
        for k in range(len(crystal.columns)):
            members = np.flatnonzero((crystal.sites.sublattice == k) & np.isfinite(z))
            doubt = local_fdr(z[members], flagged[members] & (z[members] < 0))
            flagged[members] &= (z[members] > 0) | (doubt <= self.fdr)
        extra = np.flatnonzero(flagged & crystal.hollow)
        flagged[extra] = _strongest(crystal.sites.positions[extra], z[extra], within=crystal.nearest)
        return np.asarray(flagged)

    def _bright(self, z: Array, change: Array) -> Array:
        """p-values of an excess beyond `min_bright`.

        Dirt adds light and never takes any, so a little too bright is no news: the excess over
        the least one is tested (McCarthy & Smyth 2009, Bioinformatics 25, 765), on the dark
        side any loss at all.
        """
        beyond = z * (change - self.min_bright) / np.where(change > 0, change, np.inf)
        return np.asarray(stats.norm.sf(np.where(change > 0, beyond, -np.inf)))


def _strongest(positions: Array, z: Array, *, within: float) -> Flags:
    """Sites (n,) that no stronger one outshines nearby: one extra atom lights up every hollow around it."""
    strongest = np.ones(len(z), dtype=bool)
    if len(z):
        i, j = cKDTree(positions).query_pairs(0.9 * within, output_type="ndarray").T
        strongest[np.where(z[i] < z[j], i, j)] = False
    return strongest


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """The tests of one side of one sublattice: a p-value for every member, meant for those on the side."""

    sublattice: int
    bright: int
    members: NDArray[np.int_]
    side: Flags
    p: Array

    @property
    def q(self) -> Array:
        return benjamini_hochberg(self.p)
