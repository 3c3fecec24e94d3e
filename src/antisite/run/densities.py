"""How many defects of each kind there are, how dense they are, and what was missed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..detect.significance import poisson_interval
from ..evaluate.recall_curve import RecallCurve
from .grain import Grain, place_name

Array = NDArray[np.float64]
Curves = Mapping[tuple[int, str], RecallCurve]
_LEAST_RECALL = 0.05  # of one site
_FEW = 0.2  # mean recall; so rare finds cannot stand for those that were missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One sublattice of one grain.

    Parameters
    ----------
    name : of the sublattice, with its grain where there are several.
    hollow : whether no column belongs there.
    checked : whether defects were planted into its grain.
    """

    name: str
    hollow: bool
    checked: bool


def count_defects(
    grains: Sequence[Grain], *, area: float | None, curves: Sequence[Curves] | None = None
) -> dict[str, Any]:
    """Counts and densities of all grains together, by kind, and by place where a kind sits in several.

    Parameters
    ----------
    grains : every domain, and what was called there.
    area : nm², None when the scale is unknown; densities are then per tested site.
    curves : of each grain, recall of the self-check by sublattice and side.
    """
    several = len(grains) > 1
    places: list[Place] = []
    owners: list[NDArray[np.int_]] = []
    pooled: dict[tuple[int, str], RecallCurve] = {}
    for grain, own in zip(grains, curves or [{}] * len(grains), strict=True):
        pooled |= {(len(places) + k, side): curve for (k, side), curve in own.items()}
        owners.append(len(places) + grain.crystal.sites.sublattice)
        places += [
            Place(
                name=place_name(s.name, grain.number if several else None),
                hollow=s.hollow,
                checked=bool(own) or not several,
            )
            for s in grain.crystal.sublattices
        ]
    return count_places(
        places,
        np.concatenate(owners),
        np.concatenate([grain.kind for grain in grains]),
        np.concatenate([grain.scores.mean_ratio for grain in grains]),
        np.concatenate([grain.tested for grain in grains]),
        n_holes=max(int(grain.hole.max(initial=-1)) + 1 for grain in grains),
        area=area,
        curves=pooled,
    )


def count_places(
    places: Sequence[Place],
    owner: NDArray[np.int_],
    kind: NDArray[np.str_],
    ratio: Array,
    tested: NDArray[np.bool_],
    *,
    n_holes: int,
    area: float | None,
    curves: Curves | None = None,
) -> dict[str, Any]:
    """Counts and densities by kind, and by place where a kind sits in several.

    Parameters
    ----------
    owner, kind, ratio, tested : (n,) of each site; the owner is its place.
    area : nm², None when the scale is unknown; densities are then per tested site.
    curves : recall of the self-check, by place and side.

    Notes
    -----
    A found defect stands for 1 / recall defects of its strength (Horvitz & Thompson 1952, J. Am.
    Stat. Assoc. 47, 663). The interval takes the ends of both: of the count and of the recall.
    """
    n_places = len(places)
    n_tested = np.bincount(owner[tested], minlength=n_places)
    hollow = np.array([place.hollow for place in places])
    checked = np.array([place.checked for place in places])
    found = ~np.isin(kind, ("none", "hole"))
    recall = _recall_of_sites(owner, ratio - 1, found & (kind != "other"), curves or {})
    counts: dict[str, int] = {}
    densities: list[dict[str, Any]] = []
    if n_holes:
        counts["hole"] = n_holes
        densities.append(_density("hole", "all", n_holes, int(n_tested[~hollow].sum()), area))
    for name in np.unique(kind[found]).tolist():
        own = kind == name
        n_held = np.bincount(owner[own], minlength=n_places)
        counts[name] = int(n_held.sum())
        fit = hollow == (name == "interstitial")
        n_fit = int(n_tested[fit].sum())
        everywhere = recall[:, own]
        least = _least_recall(np.flatnonzero(fit & checked & (n_tested > 0)), (ratio - 1)[own], curves or {})
        if not least >= _FEW:  # what one place hides, no other tells
            everywhere = np.full_like(everywhere, least)
        densities.append(_density(name, "all", counts[name], n_fit, area, everywhere))
        held_by = np.flatnonzero(n_held).tolist()
        for k in held_by if len(held_by) > 1 else ():
            on_it = own & (owner == k)
            held, of = int(n_held[k]), int(n_tested[k])
            densities.append(_density(name, places[k].name, held, of, area, recall[:, on_it]))
    return {"counts": dict(sorted(counts.items())), "densities": densities}


def _least_recall(own: NDArray[np.int_], change: Array, curves: Curves) -> float:
    """Recall of a defect of this strength at the place that shows it least; NaN where one is unknown."""
    typical = float(np.median(change))
    known = [curves.get((int(k), "dark" if typical < 0 else "bright")) for k in own]
    recall = [np.nan if c is None else c(min(abs(typical), 1)).value for c in known]
    return float(np.min(recall)) if recall else np.nan


def _recall_of_sites(
    owner: NDArray[np.int_], change: Array, found: NDArray[np.bool_], curves: Curves
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
