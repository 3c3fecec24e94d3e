from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from antisite.result import Result


def _points(sign: int, begin: float) -> list[dict[str, float]]:
    """Recall that rises from 0 at `begin` to 1 at 0.4 more."""
    points = []
    for percent in range(0, 101, 5):
        recall = min(max((percent / 100 - begin) / 0.4, 0.0), 1.0)
        ends = {"low": max(recall - 0.05, 0.0), "high": min(recall + 0.05, 1.0)}
        points.append({"change": sign * percent / 100, "recall": recall, **ends})
    return points


def _entry(name: str, side: str, begin: float) -> dict[str, Any]:
    sign = -1 if side == "dark" else 1
    curve = _points(sign, begin)
    points = [{**point, "n": 100, "n_found": round(100 * point["recall"])} for point in curve[4::4]]
    at = begin + 0.36
    limit = {"recall": 0.9, "change": sign * at, "low": sign * (at + 0.02), "high": sign * (at - 0.02)}
    own = {"grain": 0, "sublattice": name, "hollow": name == "hollow", "side": side}
    return {**own, "points": points, "curve": curve, "limit": limit if at <= 1 else None}


def make_check(*, tightened: bool = False) -> dict[str, Any]:
    """A self-check as `run/self_check` would describe it."""
    good = {"n_false": 9, "n_discoveries": 900, "rate": 0.01, "low": 0.0046, "high": 0.019}
    bad = {**good, "n_false": 80, "n_discoveries": 1000, "rate": 0.08, "low": 0.064, "high": 0.099}
    recall = [
        _entry("A", "dark", 0.1),
        _entry("A", "bright", 0.2),
        _entry("B", "dark", 0.2),
        _entry("B", "bright", 0.8),
        _entry("hollow", "bright", 0.3),
    ]
    return {
        "n_rounds": 8,
        "n_planted": 1234,
        "share": 0.04,
        "fdr_nominal": 0.05,
        "n_already": 12,
        "fdr_used": 0.01 if tightened else 0.05,
        "realised": good,
        "realised_nominal": bad if tightened else good,
        "full_run": {"n_planted": 150, "n_found": 140, "n_scored": 139},
        "recall": recall,
    }


def _checked(result: Result, *, tightened: bool = False) -> Result:
    known = {"recall": 0.8, "corrected": 0.125, "corrected_low": 0.031, "corrected_high": 0.4}
    densities = [row | known for row in result.summary["densities"]]
    more = {"self_check": make_check(tightened=tightened), "densities": densities}
    return replace(result, summary=result.summary | more)


@pytest.fixture(name="checked", scope="session")
def _checked_fixture() -> Callable[..., Result]:
    return _checked
