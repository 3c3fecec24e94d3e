"""What one look at an image gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .defects import defect_table
from .image import Image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Defects of one image, and all that lets a reader believe them.

    Parameters
    ----------
    image : what was looked at.
    sites : one row per predicted site, perfect ones with kind `none` (`docs/table.md`).
    defects : one row per defect, the same fields.
    domains : one row per domain of one lattice: `domain`, `area` [px²], `ay`, `ax`, `by`, `bx` [px],
        `coherence`, `n_sites`.
    maps : named arrays, such as `domain` (y, x) or `motif` (one unit cell; `motif_1` of grain 1, …).
    summary : JSON-ready numbers: lattice and sublattices of each grain, counts, densities, warnings.
    provenance : versions, settings, time and place; left out of "same seed, same bytes".
    """

    image: Image
    sites: pd.DataFrame = field(default_factory=defect_table)
    defects: pd.DataFrame = field(default_factory=defect_table)
    domains: pd.DataFrame = field(default_factory=pd.DataFrame)
    maps: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def grains(self) -> list[dict[str, Any]]:
        """What the summary tells of each grain, the largest first; empty without a lattice."""
        return list(self.summary.get("grains") or [])

    @property
    def nearest(self) -> float:
        """Distance in px between nearest columns of the largest grain, 0 without a lattice."""
        return float(self.grains[0]["nn"]) if self.grains else 0.0

    def __repr__(self) -> str:
        return f"Result({self.image.name!r}: {len(self.defects):,} defects among {len(self.sites):,} sites)"
