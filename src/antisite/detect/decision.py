"""Which sites are called: false-discovery control over all tests of all sublattices together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import cKDTree

from ..crystal.perfect_crystal import PerfectCrystal
from .significance import benjamini_hochberg, fit_defect_mixture, selected_share
from .site_scores import Array, Flags, SiteEvidence, SiteScores, SiteTest

_BESIDE = 1.2  # nearest distances


def decide(
    evidence: SiteEvidence, crystal: PerfectCrystal, *, fdr: float, p_limit: Array | None = None
) -> SiteScores:
    """Call what is both significant and large.

    Parameters
    ----------
    fdr : expected share of false flags among all (Benjamini–Hochberg in every test of every sublattice).
    p_limit : (sublattices, tests) limits that were set on another image of this crystal; they are
        set anew when None.
    """
    tests, n = evidence.tests, len(evidence.z)
    families = _families(tests, crystal)
    share = selected_share([family.q.min(initial=1.0) for family in families], level=fdr)
    if p_limit is None:
        p_limit = np.zeros((len(crystal.sublattices), len(tests)))
        for family in families:
            p_limit[family.sublattice, family.number] = family.limit(level=fdr * share, local=fdr)
    p_value, q_value = np.full(n, np.nan), np.full(n, np.nan)
    called = np.zeros((len(tests), n), dtype=bool)
    for family in families:
        test, on_side = tests[family.number], family.side
        sites = family.members[on_side]
        p, q = family.p[on_side], np.minimum(family.q[on_side] / share, 1)
        called[family.number, sites] = test.large[sites] & (p <= p_limit[family.sublattice, family.number])
        stronger = ~(q_value[sites] <= q)  # also where nothing is known yet
        p_value[sites[stronger]], q_value[sites[stronger]] = p[stronger], q[stronger]
    _leave_alone(called, tests, crystal)
    extra = np.flatnonzero(called.any(axis=0) & crystal.hollow)
    outshone = ~_strongest(crystal.sites.positions[extra], evidence.z[extra], within=crystal.nearest)
    called[:, extra[outshone]] = False
    return SiteScores(
        z=evidence.z,
        ratio=evidence.ratio,
        score=evidence.score,
        tests=tuple(test.name for test in tests),
        p_value=p_value,
        q_value=q_value,
        called=called,
        p_limit=p_limit,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """One test on one sublattice: a p-value for every member, meant for those on the side."""

    number: int
    sublattice: int
    members: NDArray[np.int_]
    p: Array
    q: Array
    side: Flags
    large: Flags
    drowning: bool

    def limit(self, *, level: float, local: float) -> float:
        """Largest p-value to be called when one defect or more is: of the rate, and of the local rate."""
        n_called = max(int((self.q <= level).sum()), 1)
        limit = level * n_called / max(len(self.p), 1)
        if not self.drowning:
            return limit
        candidates = self.side & self.large & (self.p <= limit)
        z = stats.norm.ppf(np.clip(self.p, 1e-300, 1 - 1e-15))
        return min(limit, float(stats.norm.cdf(fit_defect_mixture(z, candidates).limit(local))))


def _families(tests: Sequence[SiteTest], crystal: PerfectCrystal) -> list[_Family]:
    families = []
    for k in range(len(crystal.sublattices)):
        own = crystal.sites.sublattice == k
        for number, test in enumerate(tests):
            members = np.flatnonzero(own & np.isfinite(test.p))
            if len(members):
                p = test.p[members]
                families.append(
                    _Family(
                        number,
                        k,
                        members,
                        p,
                        benjamini_hochberg(p),
                        test.side[members],
                        test.large[members],
                        test.drowning,
                    )
                )
    return families


def _leave_alone(called: Flags, tests: Sequence[SiteTest], crystal: PerfectCrystal) -> None:
    """Uncall, of the tests that want it, the sites beside one that another test calls."""
    alone = np.array([test.alone for test in tests], dtype=bool)
    others = np.flatnonzero(called[~alone].any(axis=0))
    mine = np.flatnonzero(called[alone].any(axis=0))
    if len(others) and len(mine):
        positions = crystal.sites.positions
        distance = cKDTree(positions[others]).query(positions[mine])[0]
        called[np.ix_(alone, mine[distance < _BESIDE * crystal.nearest])] = False


def _strongest(positions: Array, z: Array, *, within: float) -> Flags:
    """Sites (n,) that no stronger one outshines nearby: one extra atom lights up every hollow around it."""
    strongest = np.ones(len(z), dtype=bool)
    if len(z):
        i, j = cKDTree(positions).query_pairs(0.9 * within, output_type="ndarray").T
        strongest[np.where(z[i] < z[j], i, j)] = False
    return strongest
