"""What every method that looks at sites has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from .decision import decide
from .local_reference import LocalReference, comparable_sites, local_references
from .site_scores import Array, Flags, SiteEvidence, SiteScores


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFinder(ABC):
    """Scores the sites of a crystal and calls some of them.

    Parameters
    ----------
    fdr : expected share of false flags among all.
    neighbours : how many sites of the same sublattice are the local reference.
    """

    effort: ClassVar[int]
    """Time of a measurement, in that of the quickest method."""

    share: ClassVar[float]
    """Of the sites, that may hold planted defects at a time and leave the others as they were."""

    fdr: float
    neighbours: int = 30

    def __call__(self, channels: Sequence[Floats], crystal: PerfectCrystal) -> SiteScores:
        """Score every site, and decide."""
        return self.decide(self.measure(channels, crystal), crystal)

    def measure(
        self,
        channels: Sequence[Floats],
        crystal: PerfectCrystal,
        *,
        references: Sequence[LocalReference] = (),
    ) -> SiteEvidence:
        """Score every site.

        Parameters
        ----------
        channels : (y, x) each, standardised.
        references : those of another image of this crystal, made anew when there are none.

        Raises
        ------
        InputError
            No column can be compared.
        """
        tested = comparable_sites(crystal, channels[0].shape)
        references = references or local_references(crystal, tested, neighbours=self.neighbours)
        return self._score(channels, crystal, tested, references)

    @abstractmethod
    def _score(
        self,
        channels: Sequence[Floats],
        crystal: PerfectCrystal,
        tested: Flags,
        references: Sequence[LocalReference],
    ) -> SiteEvidence:
        """The same, with the sites (n,) that can be compared."""

    def decide(
        self, evidence: SiteEvidence, crystal: PerfectCrystal, *, p_limit: Array | None = None
    ) -> SiteScores:
        """Call sites at the stated rate, or at limits set on another image of this crystal."""
        return decide(evidence, crystal, fdr=self.fdr, p_limit=p_limit)

    def at_rate(self, fdr: float) -> Self:
        """The same at another rate of false flags."""
        return replace(self, fdr=fdr)
