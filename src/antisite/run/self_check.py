"""What the detection would have missed on this very image, and what it would have invented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crystal.perfect_crystal import PerfectCrystal
from ..detect.site_finder import SiteFinder
from ..detect.site_scores import SiteEvidence, SiteScores
from ..errors import AntisiteError
from ..evaluate.matching import match_positions
from ..evaluate.recall_curve import RecallCurve, fit_recall
from ..evaluate.scores import Score, proportion, wilson
from .crystal_search import Specimen, find_specimen
from .planted_grain import BRIGHT, DARK, Look, PlantedGrain, look_again, plant_all

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Side = tuple[int, str]
Search = Callable[[NDArray[np.float32], NDArray[np.bool_]], Specimen]
"""Channels (n, y, x) and mask (y, x) in, what they show out."""

SIZES = np.linspace(0, 1, 41)
LIKELY = 0.9  # recall at which a change counts as within reach
_PER_CHANGE = 150  # planted in all, on each sublattice
_MOST_PIXELS = 12 * 1024**2  # in all rounds, of the quickest method
_MOST_ROUNDS = 40
_LEAST_COLUMNS = 100  # of a grain beside the largest; planting in fewer tells nothing
_TIGHTER = 0.5 ** np.arange(12)  # of the stated rate, tried in turn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SelfCheck:
    """The outcome.

    Parameters
    ----------
    scores : of each grain of the image itself, at limits that hold the stated rate.
    curves : of each grain, recall against the size of a change, by sublattice and side (`dark`,
        `bright`); empty where a grain is too small to be planted.
    told : all of it, JSON-ready.
    """

    scores: tuple[SiteScores, ...]
    curves: tuple[dict[Side, RecallCurve], ...]
    told: dict[str, Any]


def check_detection(
    specimen: Specimen,
    finder: SiteFinder,
    evidence: Sequence[SiteEvidence],
    *,
    search: Search = find_specimen,
    seed: int = 0,
) -> SelfCheck:
    """Plant known defects where the image looks perfect, look again, and count.

    A planted defect counts as found when it passes the limits of the image itself, as if it had been
    there alone. Discoveries are false when they are neither planted nor flagged before; if more of
    them are than the rate allows, in all grains together, the rate is lowered until it holds.

    Parameters
    ----------
    evidence : what the finder measured on each grain of the image as it is.
    search : that found the specimen.
    seed : of places and changes.
    """
    crystals = specimen.crystals
    stated = _decide(finder, evidence, crystals)
    grains = [
        PlantedGrain.of(k, crystal, before, scores, specimen.channels)
        for k, (crystal, before, scores) in enumerate(zip(crystals, evidence, stated, strict=True))
        if not k or (np.isfinite(scores.z) & ~crystal.hollow).sum() >= _LEAST_COLUMNS
    ]
    n_pixels = finder.effort * sum(channel.size for channel in specimen.channels)
    n_rounds, share = _plan(grains, most=finder.share, affordable=_MOST_PIXELS // n_pixels)
    rounds = []
    for rng in np.random.default_rng(seed).spawn(n_rounds):
        plants = [grain.draw(share=share, rng=rng) for grain in grains]
        rounds.append(look_again(plant_all(specimen.channels, grains, plants), grains, plants, finder))
    nominal = _realised(rounds, finder)
    realised, holding = nominal, finder
    for factor in _TIGHTER[1:]:
        if not (realised["rate"] or 0) > finder.fdr:
            break
        holding = finder.at_rate(finder.fdr * factor)
        realised = _realised(rounds, holding)
    scores = stated if holding is finder else _decide(holding, evidence, crystals)
    curves: list[dict[Side, RecallCurve]] = [{} for _ in crystals]
    told, kept = [], []
    for n, grain in enumerate(grains):
        own = scores[grain.number]
        looks = [each[n] for each in rounds]
        flagged = [look.flagged(holding, p_limit=own.p_limit) for look in looks]
        kept += [found[own.flagged] for found in flagged]
        for side, (changes, found, planted) in _count(looks, flagged, grain.crystal).items():
            curve = fit_recall(np.abs(changes), found, planted)
            curves[grain.number][side] = curve
            told.append(_tell(grain, side, (changes, found, planted), curve))
    return SelfCheck(
        scores=tuple(scores),
        curves=tuple(curves),
        told={
            "n_rounds": len(rounds),
            "n_planted": sum(len(look.plants.sites) for each in rounds for look in each),
            "share": share,
            "fdr_nominal": finder.fdr,
            "fdr_used": holding.fdr,
            "n_already": sum(int(own.flagged.sum()) for own in scores),
            "kept": _mean(kept),
            "realised": realised,
            "realised_nominal": nominal,
            "full_run": _full_run(rounds[0], holding, specimen, search) if rounds else None,
            "recall": told,
        },
    )


def _decide(
    finder: SiteFinder, evidence: Sequence[SiteEvidence], crystals: Sequence[PerfectCrystal]
) -> list[SiteScores]:
    return [finder.decide(own, crystal) for own, crystal in zip(evidence, crystals, strict=True)]


def _plan(grains: Sequence[PlantedGrain], *, most: float, affordable: int) -> tuple[int, float]:
    """Rounds, and the share of the sites to be planted in each.

    Enough for every change on every sublattice of columns, as far as time allows; two rounds at least.
    """
    n = np.concatenate(
        [
            np.bincount(grain.crystal.sites.sublattice[grain.perfect & ~grain.crystal.hollow], minlength=1)
            for grain in grains
        ]
    )
    if not n.any():
        return 0, most
    wanted = _PER_CHANGE * len(DARK + BRIGHT) / int(n[n > 0].min())
    share = min(most, wanted / 2)
    return int(min(np.ceil(wanted / share), max(2, affordable), _MOST_ROUNDS)), share


def _realised(rounds: Sequence[Sequence[Look]], finder: SiteFinder) -> dict[str, Any]:
    """False discoveries among all that are new, each round judged as an image of its own."""
    n_false = n_true = 0
    for look in chain.from_iterable(rounds):
        flagged = look.flagged(finder)
        planted = np.zeros(len(flagged), dtype=bool)
        planted[look.plants.sites] = True
        n_true += int((flagged & planted).sum())
        n_false += int((flagged & ~planted & look.grain.perfect).sum())
    n = n_false + n_true
    share = proportion(n_false, n)
    if n:  # the noise is the same in every round: many tell no more of it than one
        low, high = wilson(share.value, n / len(rounds))
        least = low if n_false >= len(rounds) else 0.0  # with fewer than one a round, one may have none
        share = Score(value=share.value, low=least, high=high if n_true else 1.0, n=n)
    return {"n_false": n_false, "n_discoveries": n, **_plain(share, "rate")}


def _count(
    looks: Sequence[Look], flagged: Sequence[Flags], crystal: PerfectCrystal
) -> dict[Side, tuple[Array, Array, Array]]:
    """By sublattice and side: the changes, how many of each were found, of how many.

    Parameters
    ----------
    looks : at one grain, round after round.
    flagged : (n,) sites of each round.
    """
    if not looks:
        return {}
    found = np.concatenate([own[look.plants.sites] for own, look in zip(flagged, looks, strict=True)])
    change = np.concatenate([look.plants.change for look in looks])
    owner = crystal.sites.sublattice[np.concatenate([look.plants.sites for look in looks])]
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


def _mean(parts: Sequence[Flags]) -> float | None:
    """Share of the sites flagged before that stay so at the same limits: planting should change nothing."""
    whole = np.concatenate([*parts, np.zeros(0, dtype=bool)])
    return float(np.mean(whole)) if len(whole) else None


def _full_run(
    first: Sequence[Look], finder: SiteFinder, specimen: Specimen, search: Search
) -> dict[str, Any]:
    """One run from the pixels on, crystals and all, beside scoring alone."""
    grains, plants = [look.grain for look in first], [look.plants for look in first]
    planted = plant_all(specimen.channels, grains, plants)
    try:
        again = search(np.stack(planted), specimen.mask).crystals
        found = np.concatenate(
            [c.sites.positions[finder.decide(finder.measure(planted, c), c).flagged] for c in again]
        )
    except AntisiteError:
        found = np.zeros((0, 2))
    n_planted = n_found = n_scored = 0
    for look in first:
        truth = look.grain.crystal.sites.positions[look.plants.sites]
        n_planted += len(truth)
        n_found += len(match_positions(found, truth, within=look.grain.crystal.nearest / 3))
        n_scored += int(look.flagged(finder)[look.plants.sites].sum())
    return {"n_planted": n_planted, "n_found": n_found, "n_scored": n_scored}


def _tell(
    grain: PlantedGrain, side: Side, counts: tuple[Array, Array, Array], curve: RecallCurve
) -> dict[str, Any]:
    crystal = grain.crystal
    sublattice, sign = crystal.sublattices[side[0]], -1.0 if side[1] == "dark" else 1.0
    points = [
        {"change": float(c), "n": int(n), "n_found": int(k), **_plain(proportion(int(k), int(n)), "recall")}
        for c, k, n in zip(*counts, strict=True)
    ]
    limit = curve.limit(LIKELY)
    low, high = sorted((sign * limit.low, sign * min(limit.high, 1.0)))
    ends = {"low": low, "high": high}
    return {
        "grain": grain.number,
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
