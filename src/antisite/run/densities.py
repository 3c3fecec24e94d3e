"""How many defects of each kind there are, how dense they are, and what was missed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crystal.perfect_crystal import PerfectCrystal
from ..detect.significance import poisson_interval
from ..evaluate.recall_curve import RecallCurve

Array = NDArray[np.float64]
_LEAST_RECALL = 0.05  # of one site
_FEW = 0.2  # mean recall; so rare finds cannot stand for those that were missed


def count_defects(
    crystal: PerfectCrystal,
    kind: NDArray[np.str_],
    ratio: Array,
    tested: NDArray[np.bool_],
    *,
    n_holes: int,
    area: float | None,
    curves: Mapping[tuple[int, str], RecallCurve] | None = None,
) -> dict[str, Any]:
    """Counts and densities by kind, and by sublattice where a kind sits on several.

    Parameters
    ----------
    kind, ratio, tested : (n,) of each site.
    area : nm², None when the scale is unknown; densities are then per tested site.
    curves : recall of the self-check, by sublattice and side.

    Notes
    -----
    A found defect stands for 1 / recall defects of its strength (Horvitz & Thompson 1952, J. Am.
    Stat. Assoc. 47, 663). The interval takes the ends of both: of the count and of the recall.
    """
    owner, n_sub = crystal.sites.sublattice, len(crystal.sublattices)
    n_tested = np.bincount(owner[tested], minlength=n_sub)
    hollow = np.array([s.hollow for s in crystal.sublattices])
    found = ~np.isin(kind, ("none", "hole"))
    recall = _recall_of_sites(owner, ratio - 1, found & (kind != "other"), curves or {})
    counts: dict[str, int] = {}
    densities: list[dict[str, Any]] = []
    if n_holes:
        counts["hole"] = n_holes
        densities.append(_density("hole", "all", n_holes, int(n_tested[~hollow].sum()), area))
    for name in np.unique(kind[found]).tolist():
        own = kind == name
        n_held = np.bincount(owner[own], minlength=n_sub)
        counts[name] = int(n_held.sum())
        places = hollow == (name == "interstitial")
        n_places = int(n_tested[places].sum())
        everywhere = recall[:, own]
        least = _least_recall(np.flatnonzero(places & (n_tested > 0)), (ratio - 1)[own], curves or {})
        if not least >= _FEW:  # what one sublattice hides, no other tells
            everywhere = np.full_like(everywhere, least)
        densities.append(_density(name, "all", counts[name], n_places, area, everywhere))
        for k in np.flatnonzero(n_held) if np.count_nonzero(n_held) > 1 else ():
            on_it = own & (owner == k)
            place = crystal.sublattices[k].name
            densities.append(_density(name, place, int(n_held[k]), int(n_tested[k]), area, recall[:, on_it]))
    return {"counts": dict(sorted(counts.items())), "densities": densities}


def _least_recall(
    places: NDArray[np.int_], change: Array, curves: Mapping[tuple[int, str], RecallCurve]
) -> float:
    """Recall of a defect of this strength on the sublattice that shows it least; NaN where one is unknown."""
    typical = float(np.median(change))
    own = [curves.get((int(k), "dark" if typical < 0 else "bright")) for k in places]
    return float(np.min([np.nan if c is None else c(min(abs(typical), 1)).value for c in own]))


def _recall_of_sites(
    owner: NDArray[np.int_],
    change: Array,
    found: NDArray[np.bool_],
    curves: Mapping[tuple[int, str], RecallCurve],
) -> Array:
    """Recall (3, n) of each found site, with the lower and the upper end; NaN where it is unknown."""
    recall = np.full((3, len(owner)), np.nan)
    sizes = np.linspace(0, 1, 101)
    for (k, side), curve in curves.items():
        own = found & (owner == k) & ((change < 0) == (side == "dark"))
        if own.any():
            bands = np.array([(s.value, s.low, s.high) for s in (curve(float(size)) for size in sizes)])
            at = np.minimum(np.abs(change[own]), 1)
            recall[:, own] = [np.interp(at, sizes, band) for band in bands.T]
    return np.asarray(np.maximum(recall, _LEAST_RECALL))


def _density(
    kind: str, sublattice: str, n: int, n_tested: int, area: float | None, recall: Array | None = None
) -> dict[str, Any]:
    """Defects per nm², or per tested site where the scale is unknown, with exact 95 % limits."""
    whole = float(n_tested) if area is None else area
    low, high = poisson_interval(n)
    value, seldom, often = (None,) * 3 if recall is None else (_mean_recall(r) for r in recall)

    enough = value is not None and value >= _FEW and n <= value * n_tested

    def per(count: float, share: float | None = 1.0) -> float | None:
        return count / share / whole if whole and share else None

    return {
        "kind": kind,
        "sublattice": sublattice,
        "n": n,
        "per": "site" if area is None else "nm2",
        "density": per(n),
        "low": per(low),
        "high": per(high),
        "recall": value,
        "corrected": per(n, value) if enough else None,
        "corrected_low": per(low, often) if enough else None,
        "corrected_high": per(high, seldom) if enough else None,
    }


def _mean_recall(recall: Array) -> float | None:
    """Share of the defects that were found, when each found one stands for 1 / recall."""
    return float(len(recall) / np.sum(1 / recall)) if len(recall) and np.isfinite(recall).all() else None
