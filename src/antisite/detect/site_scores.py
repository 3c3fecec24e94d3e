"""What is measured at every site, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .local_reference import LocalReference

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteTest:
    """One way in which a site may be strange.

    Parameters
    ----------
    name : such as `dark`.
    p : (n,) p-value of every site that counts as a test, NaN at the others.
    side : (n,) sites that lie on this side and may be called.
    large : (n,) whether the departure is large enough to matter.
    drowning : whether called sites may drown among ordinary ones, so that each is doubted by itself
        (local false-discovery rate).
    alone : whether a site beside one that another test calls is not called: that one explains it.
    """

    name: str
    p: Array
    side: Flags
    large: Flags
    drowning: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteEvidence:
    """What a method measured at every site, before anything is called; NaN where nothing could be.

    Parameters
    ----------
    z : (n,) deviation from the sublattice in units of its null, negative = darker.
    ratio : (channels, n) brightness over that of the local sublattice, background removed;
        of a hollow, 1 plus its excess over the mean column.
    score : (n,) strangeness, 0 or more.
    tests : the ways in which a site may be strange.
    references : what each sublattice was compared with; they serve every image of the same crystal.
    """

    z: Array
    ratio: Array
    score: Array
    tests: tuple[SiteTest, ...]
    references: Sequence[LocalReference] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteScores:
    """What was measured at every site of a crystal, and which sites are called; NaN where nothing could be.

    Parameters
    ----------
    z, ratio, score : as in `SiteEvidence`.
    tests : names of the tests.
    p_value, q_value : (n,) of the side on which the site lies.
    called : (tests, n) significant and large enough, test by test.
    p_limit : (sublattices, tests) largest p-value that is called.
    """

    z: Array
    ratio: Array
    score: Array
    tests: tuple[str, ...]
    p_value: Array
    q_value: Array
    called: Flags
    p_limit: Array

    @property
    def flagged(self) -> Flags:
        """Sites (n,) called by any test."""
        return np.asarray(self.called.any(axis=0))

    @property
    def shifted(self) -> Flags:
        """Sites (n,) called for nothing but their place."""
        only = [name == "shifted" for name in self.tests]
        return np.asarray(self.called[only].any(axis=0) & ~self.called[np.logical_not(only)].any(axis=0))

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
            score=unknown,
            tests=("dark", "bright"),
            p_value=unknown,
            q_value=unknown,
            called=np.zeros((2, n), dtype=bool),
            p_limit=np.zeros((n_sublattices, 2)),
        )
