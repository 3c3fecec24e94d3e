"""What the detection would have missed on this very image, and what it would have invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from ..detect.site_finder import SiteFinder
from ..detect.site_scores import SiteEvidence, SiteScores
from ..errors import AntisiteError
from ..evaluate.matching import match_positions
from ..evaluate.planted_defects import DefectPlanter, Plants, draw_plants
from ..evaluate.recall_curve import RecallCurve, fit_recall
from ..evaluate.scores import Score, proportion, wilson
from .crystal_search import Specimen, find_specimen

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Side = tuple[int, str]

DARK = (-1.0, -0.7, -0.5, -0.4, -0.3, -0.2)
BRIGHT = (0.3, 0.5, 0.7, 1.0)
SIZES = np.linspace(0, 1, 41)
LIKELY = 0.9  # recall at which a change counts as within reach
_PER_CHANGE = 150  # planted in all, on each sublattice
_MOST_PIXELS = 12 * 1024**2  # in all rounds, of the quickest method
_MOST_ROUNDS = 40
_TIGHTER = 0.5 ** np.arange(12)  # of the stated rate, tried in turn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelfCheck:
    """The outcome.

    Parameters
    ----------
    scores : of the image itself, at limits that hold the stated rate.
    curves : recall against the size of a change, by sublattice and side (`dark`, `bright`).
    told : all of it, JSON-ready.
    """

    scores: SiteScores
    curves: dict[Side, RecallCurve]
    told: dict[str, Any]


def check_detection(
    specimen: Specimen, finder: SiteFinder, evidence: SiteEvidence, *, seed: int = 0
) -> SelfCheck:
    """Plant known defects where the image looks perfect, look again, and count.

    A planted defect counts as found when it passes the limits of the image itself, as if it had been
    there alone. Discoveries are false when they are neither planted nor flagged before; if more of
    them are than the rate allows, the rate is lowered until it holds.

    Parameters
    ----------
    evidence : what the finder measured on the image as it is.
    seed : of places and changes.
    """
    rng = np.random.default_rng(seed)
    crystal = specimen.crystal
    stated = finder.decide(evidence, crystal)
    perfect = np.isfinite(stated.z) & ~stated.flagged
    planter = DefectPlanter(specimen.channels, crystal, perfect)
    rounds = []
    n_pixels = finder.effort * sum(channel.size for channel in specimen.channels)
    n_rounds, share = _plan(crystal, perfect, most=finder.share, affordable=_MOST_PIXELS // n_pixels)
    for each in rng.spawn(n_rounds):
        plants = draw_plants(crystal, perfect, dark=DARK, bright=BRIGHT, share=share, rng=each)
        planted = planter(plants)
        again = finder.measure(planted, crystal, references=evidence.references)
        rounds.append(_Round(plants, again))
    nominal = _realised(rounds, finder, crystal, perfect)
    realised, holding = nominal, finder
    for factor in _TIGHTER[1:]:
        if not (realised["rate"] or 0) > finder.fdr:
            break
        holding = finder.at_rate(finder.fdr * factor)
        realised = _realised(rounds, holding, crystal, perfect)
    scores = stated if holding is finder else holding.decide(evidence, crystal)
    flagged = [holding.decide(r.evidence, crystal, p_limit=scores.p_limit).flagged for r in rounds]
    counts = _count(rounds, flagged, crystal)
    curves = {side: fit_recall(np.abs(changes), found, n) for side, (changes, found, n) in counts.items()}
    first = rounds[0] if rounds else None
    return SelfCheck(
        scores=scores,
        curves=curves,
        told={
            "n_rounds": len(rounds),
            "n_planted": sum(len(r.plants.sites) for r in rounds),
            "share": share,
            "fdr_nominal": finder.fdr,
            "fdr_used": holding.fdr,
            "n_already": int(scores.flagged.sum()),
            "kept": _kept(flagged, scores),
            "realised": realised,
            "realised_nominal": nominal,
            "full_run": first and _full_run(planter(first.plants), first, holding, specimen, seed=seed),
            "recall": [_tell(crystal, side, counts[side], curve) for side, curve in curves.items()],
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    plants: Plants
    evidence: SiteEvidence


def _plan(crystal: PerfectCrystal, perfect: Flags, *, most: float, affordable: int) -> tuple[int, float]:
    """Rounds, and the share of the sites to be planted in each.

    Enough for every change on every sublattice of columns, as far as time allows; two rounds at least.
    """
    n = np.bincount(crystal.sites.sublattice[perfect & ~crystal.hollow], minlength=1)
    if not n.any():
        return 0, most
    wanted = _PER_CHANGE * len(DARK + BRIGHT) / int(n[n > 0].min())
    share = min(most, wanted / 2)
    return int(min(np.ceil(wanted / share), max(2, affordable), _MOST_ROUNDS)), share


def _realised(
    rounds: Sequence[_Round], finder: SiteFinder, crystal: PerfectCrystal, perfect: Flags
) -> dict[str, Any]:
    """False discoveries among all that are new, each round judged as an image of its own."""
    n_false = n_true = 0
    for each in rounds:
        flagged = finder.decide(each.evidence, crystal).flagged
        planted = np.zeros(len(flagged), dtype=bool)
        planted[each.plants.sites] = True
        n_true += int((flagged & planted).sum())
        n_false += int((flagged & ~planted & perfect).sum())
    n = n_false + n_true
    share = proportion(n_false, n)
    if n:  # the noise is the same in every round: many tell no more of it than one
        low, high = wilson(share.value, n / len(rounds))
        least = low if n_false >= len(rounds) else 0.0  # with fewer than one a round, one may have none
        share = Score(value=share.value, low=least, high=high if n_true else 1.0, n=n)
    return {"n_false": n_false, "n_discoveries": n, **_plain(share, "rate")}


def _count(
    rounds: Sequence[_Round], flagged: Sequence[Flags], crystal: PerfectCrystal
) -> dict[Side, tuple[Array, Array, Array]]:
    """By sublattice and side: the changes, how many of each were found, of how many.

    Parameters
    ----------
    flagged : (n,) sites of each round.
    """
    if not rounds:
        return {}
    found = np.concatenate([own[each.plants.sites] for own, each in zip(flagged, rounds, strict=True)])
    change = np.concatenate([each.plants.change for each in rounds])
    owner = crystal.sites.sublattice[np.concatenate([each.plants.sites for each in rounds])]
    counts = {}
    for k in range(len(crystal.sublattices)):
        for side, changes in (("dark", DARK), ("bright", BRIGHT)):
            own = [(owner == k) & (change == c) for c in changes]
            n = np.array([o.sum() for o in own], dtype=float)
            if n.any():
                hits = np.array([found[o].sum() for o in own], dtype=float)
                order = np.argsort(np.abs(changes))
                counts[k, side] = np.array(changes)[order], hits[order], n[order]
    return counts


def _kept(flagged: Sequence[Flags], scores: SiteScores) -> float | None:
    """Share of the sites flagged before that stay so at the same limits: planting should change nothing."""
    before = scores.flagged
    return float(np.mean([own[before] for own in flagged])) if flagged and before.any() else None


def _full_run(
    planted: Sequence[Floats], first: _Round, finder: SiteFinder, specimen: Specimen, *, seed: int
) -> dict[str, Any]:
    """One run from the pixels on, crystal and all, beside scoring alone."""
    crystal, plants = specimen.crystal, first.plants
    scored = finder.decide(first.evidence, crystal).flagged[plants.sites]
    try:
        again = find_specimen(np.stack(planted), specimen.mask, seed=seed).crystal
        flagged = finder.decide(finder.measure(planted, again), again).flagged
        found = again.sites.positions[flagged]
    except AntisiteError:
        found = np.zeros((0, 2))
    truth = crystal.sites.positions[plants.sites]
    pairs = match_positions(found, truth, within=crystal.nearest / 3)
    return {"n_planted": len(truth), "n_found": len(pairs), "n_scored": int(scored.sum())}


def _tell(
    crystal: PerfectCrystal, side: Side, counts: tuple[Array, Array, Array], curve: RecallCurve
) -> dict[str, Any]:
    sublattice, sign = crystal.sublattices[side[0]], -1.0 if side[1] == "dark" else 1.0
    points = [
        {"change": float(c), "n": int(n), "n_found": int(k), **_plain(proportion(int(k), int(n)), "recall")}
        for c, k, n in zip(*counts, strict=True)
    ]
    limit = curve.limit(LIKELY)
    low, high = sorted((sign * limit.low, sign * min(limit.high, 1.0)))
    ends = {"low": low, "high": high}
    return {
        "sublattice": sublattice.name,
        "hollow": sublattice.hollow,
        "side": side[1],
        "points": points,
        "curve": [{"change": sign * float(s) + 0.0, **_plain(curve(float(s)), "recall")} for s in SIZES],
        "limit": None if not limit.value <= 1 else {"recall": LIKELY, "change": sign * limit.value, **ends},
    }


def _plain(score: Score, name: str) -> dict[str, float | None]:
    value = None if np.isnan(score.value) else score.value
    return {name: value, "low": score.low, "high": score.high}
