"""Which sites count, and what is true of each: the rule by which every score is made.

A site takes the label within a third of the nearest-neighbour spacing, one to one. It counts when

* it lies farther than one lattice spacing `a` from the frame,
* its label is not uncertain,
* it was tested, or carries a labelled defect (which is then missed), and
* where perfect columns are labelled too, it has a label or competes for one; where only defects are
  labelled, every other site is taken for perfect.

Hollow sites count only when they are flagged or labelled. A labelled defect without a site is missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from .matching import match_positions

HOLLOW = "hollow"  # or "hollow 1", "hollow 2", … where a cell has several


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredSites:
    """What is scored, and how much is not.

    Parameters
    ----------
    table : one row per scored site: `y`, `x` [px], `label` (the source's word), `kind` (true), `found`
        (kind given, `none` where not flagged), `score` (0 where missed without a test), `distance` from
        the label [px, NaN without one].
    n_left_out : how many sites, or labels without one, were left out, by reason.
    """

    table: pd.DataFrame
    n_left_out: dict[str, int]


def scored_sites(
    sites: pd.DataFrame,
    defects: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    nn: float,
    a: float,
    shape: tuple[int, int],
) -> ScoredSites:
    """Apply the rule of this module.

    Parameters
    ----------
    sites, defects : tables of `docs/table.md`; the flagged rows are taken from `defects`.
    truth : from `antisite.io.annotations`; lines are not scored.
    nn : px, nearest-neighbour distance.
    a : px, √(cell area).
    shape : (y, x) px of the image.
    """
    points = truth[truth["path"] == ""].reset_index(drop=True)
    candidates = _label_sites(_candidates(sites, defects), points, nn / 3)
    missed = _labels_without_site(points, candidates)
    left = _reason_left_out(candidates, points, a=a, shape=shape, reach=nn / 3)
    missed_left = ~_inside(missed["y"], missed["x"], a, shape)
    kept = pd.concat([candidates[left == ""], missed[~missed_left]], ignore_index=True)
    table = kept[["y", "x", "label", "kind", "found", "score", "distance"]].fillna({"score": 0.0})
    counts = {str(reason): int((left == reason).sum()) for reason in _REASONS}
    counts["near the frame"] += int(missed_left.sum())
    unlabelled_flags = (left == "without a label") & (candidates["found"] != "none")
    counts["flags without a label"] = int(unlabelled_flags.sum())
    at_frame = (left == "near the frame") & (candidates["kind"] != "none") & candidates["scored"]
    counts["labelled defects near the frame"] = int(at_frame.sum() + missed_left.sum())
    return ScoredSites(table=table, n_left_out=counts | {"lines": len(truth) - len(points)})


_REASONS = ("near the frame", "uncertain", "not tested", "without a label")


def _candidates(sites: pd.DataFrame, defects: pd.DataFrame) -> pd.DataFrame:
    fields = ["y", "x", "dy", "dx", "kind", "sublattice", "score"]
    quiet, flagged = sites.loc[sites["kind"] == "none", fields], defects.loc[_is_point(defects), fields]
    table = pd.concat([quiet, flagged], ignore_index=True).rename(columns={"kind": "found"})
    # a site is at the frame or not whatever stands on it, so its predicted position decides
    return table.assign(y0=table["y"] - table["dy"].fillna(0.0), x0=table["x"] - table["dx"].fillna(0.0))


def _is_point(defects: pd.DataFrame) -> pd.Series[bool]:
    return defects["path"].fillna("") == ""


def _label_sites(candidates: pd.DataFrame, points: pd.DataFrame, within: float) -> pd.DataFrame:
    """Give each site the label it is matched with; the rest are taken for perfect."""
    pairs = match_positions(candidates[["y", "x"]], points[["y", "x"]], within=within)
    match = np.full(len(candidates), -1)
    match[pairs[:, 0]] = pairs[:, 1]
    has = match >= 0
    labels = points.reindex(match).reset_index(drop=True)
    offset = labels[["y", "x"]] - candidates[["y", "x"]]
    return candidates.assign(
        match=match,
        label=labels["label"].where(has, ""),
        kind=labels["kind"].where(has, "none"),
        scored=labels["scored"].where(has, other=True).astype(bool),
        distance=np.hypot(offset["y"].to_numpy(), offset["x"].to_numpy()),
    )


def _labels_without_site(points: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    alone = ~points.index.isin(candidates["match"])
    missed: pd.DataFrame = points[alone & points["scored"] & (points["kind"] != "none")]
    return missed.assign(found="none", score=0.0, distance=np.nan)


def _reason_left_out(
    candidates: pd.DataFrame, points: pd.DataFrame, *, a: float, shape: tuple[int, int], reach: float
) -> NDArray[np.str_]:
    """For each site the first reason it is not scored, empty where it is."""
    quiet = (candidates["found"] == "none") & (candidates["kind"] == "none")
    hollow = candidates["sublattice"].str.startswith(HOLLOW)
    some = bool((points["scored"] & (points["kind"] == "none")).any())
    unlabelled = some & ~hollow & ~_near_label(candidates, points, reach)
    return np.select(
        [
            hollow & quiet & candidates["scored"],
            ~_inside(candidates["y0"], candidates["x0"], a, shape),
            ~candidates["scored"],
            quiet & candidates["score"].isna(),
            unlabelled,
        ],
        ["hollow", *_REASONS],
        default="",
    )


def _near_label(candidates: pd.DataFrame, points: pd.DataFrame, reach: float) -> NDArray[np.bool_]:
    if not len(points) or not len(candidates):
        return np.zeros(len(candidates), dtype=bool)
    distance, _ = KDTree(points[["y", "x"]]).query(candidates[["y", "x"]])
    return np.asarray(distance) <= reach


def _inside(y: pd.Series[float], x: pd.Series[float], a: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Farther than `a` from the frame."""
    nearest = np.minimum.reduce([y, x, shape[0] - 1 - y, shape[1] - 1 - x])
    return np.asarray(nearest > a)
