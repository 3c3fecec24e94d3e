from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antisite.cli.show import (
    batch_cell,
    check_lines,
    defect_lines,
    detect_text,
    heading,
    lattice_lines,
    scale_text,
)
from antisite.cli.show_lattice import sublattice_lines
from antisite.result import Result
from antisite.run.batch import Outcome


def outcome_of(result: Result) -> Outcome:
    return Outcome(path=Path("f.tif"), status="done", folder=Path("out/f"), summary=result.summary)


def density(kind: str, n: int, sublattice: str = "all") -> dict[str, Any]:
    limits = {"density": n / 50, "low": 0.5 * n / 50, "high": 2 * n / 50}
    corrected = dict.fromkeys(("recall", "corrected", "corrected_low", "corrected_high"))
    return {"kind": kind, "sublattice": sublattice, "n": n, "per": "nm2", **limits, **corrected}


def checked(*, used: float = 0.05) -> dict[str, Any]:
    points = [
        {"change": c, "n": 50, "n_found": 50, "recall": r, "low": r, "high": r}
        for c, r in ((-0.3, 0.4), (-0.5, 0.9), (-1, 1.0))
    ]
    recall = [
        {"sublattice": name, "hollow": False, "side": side, "points": points, "curve": points}
        for name in "AB"
        for side in ("dark", "bright")
    ]
    rate = {"n_false": 4, "n_discoveries": 400, "rate": 0.01, "low": 0.003, "high": 0.025}
    return {"recall": recall, "realised": rate, "fdr_nominal": 0.05, "fdr_used": used}


def test_the_self_check_is_told_by_sublattice() -> None:
    assert check_lines({"self_check": checked()}) == [
        "would find  columns 50 % dimmer: A 0.90 · B 0.90",
        "            columns 30 % dimmer: A 0.40 · B 0.40",
        "            false, of what was found: 1 % (0.3 … 2.5 %) with planted defects",
    ]


def test_tightened_limits_are_told() -> None:
    assert "limits tightened to 1.2 %" in check_lines({"self_check": checked(used=0.0125)})[-1]


@pytest.mark.parametrize("summary", [{}, {"self_check": None}, {"self_check": checked() | {"recall": []}}])
def test_no_self_check_is_not_told(summary: dict[str, Any]) -> None:
    assert check_lines(summary) == []


def test_recall_and_corrected_density_stand_beside_the_density() -> None:
    row = density("vacancy", 5) | {"recall": 0.5, "corrected": 0.2}
    lines = defect_lines({"counts": {"vacancy": 5}, "fdr": 0.05, "densities": [row]})
    assert lines[1].split()[-2:] == ["recall", "corrected"]
    assert lines[2].split()[-2:] == ["0.50", "0.2"]


def test_without_scale_densities_are_per_site_and_the_cure_is_told(
    make_result: Callable[..., Result],
) -> None:
    told = detect_text([outcome_of(make_result(pixel_size=math.nan))])
    assert "unknown: give --pixel-size or --lattice-constant" in told
    assert "per site" in told
    assert "Å/px" not in told
    assert " Å " not in told


def test_detectors_and_frame_are_told_where_there_are_several(make_result: Callable[..., Result]) -> None:
    result = make_result(n_channels=2)
    assert heading(outcome_of(result)) == "f.tif  (160 × 200 px · 2 detectors)"
    stacked = Outcome(
        path=Path("f.tif"), status="done", summary=result.summary | {"n_channels": 1, "frame": 3}
    )
    assert heading(stacked) == "f.tif  (160 × 200 px · frame 3)"


def test_angles_are_in_degrees_for_the_reader(make_result: Callable[..., Result]) -> None:
    assert "· 60.0° ·" in lattice_lines(make_result().summary)[0]


@pytest.mark.parametrize(
    ("source", "told"),
    [("file", "from the file"), ("given", "as given"), ("lattice constant", "from the lattice constant")],
)
def test_scale_says_where_it_comes_from(source: str, told: str) -> None:
    assert scale_text({"pixel_size": 0.39876, "pixel_size_from": source}) == f"0.3988 Å/px, {told}"


def test_table_holds_kinds_and_sublattices_and_stays_short() -> None:
    rows = [density("any", 105), *(density(f"kind{i}", i, "A") for i in range(1, 15))]
    lines = defect_lines({"counts": {"none": 900, "kind1": 105}, "fdr": 0.05, "densities": rows})
    assert lines[0] == "defects     105 (false discovery rate 5 %)"
    assert lines[1].split() == ["kind", "sublattice", "n", "per", "nm²", "95", "%", "interval"]
    assert lines[2].split() == ["any", "all", "105", "2.1", "1.05", "…", "4.2"]
    assert lines[3].split() == ["kind1", "A", "1", "0.02", "0.01", "…", "0.04"]
    assert lines[-1] == "  and 3 more in the report"
    assert len(lines) == 15


def test_a_density_over_nothing_is_a_dash() -> None:
    row = density("vacancy", 1, "A") | {"density": None, "low": None, "high": None}
    lines = defect_lines({"counts": {"vacancy": 1}, "fdr": 0.05, "densities": [row]})
    assert lines[2].split() == ["vacancy", "A", "1", "–", "–"]


def test_no_defects_are_said_in_words() -> None:
    summary = {"counts": {}, "fdr": 0.05, "densities": [density("any", 0)], "warnings": []}
    assert defect_lines(summary) == ["defects     0 (false discovery rate 5 %)"]
    assert batch_cell(Outcome(path=Path("f.tif"), status="done", summary=summary)) == "no defects"


def test_shares_of_brightness_weigh_every_site_of_the_cell() -> None:
    def sublattice(name: str, level: float, n: int, hollow: bool = False) -> dict[str, Any]:
        return {
            "name": name,
            "level": level,
            "fractions": [[0.0, 0.5]] * n,
            "hollow": hollow,
            "n_sites": 9,
        }

    sublattices = [
        sublattice("A", 3.0, 1),
        sublattice("B", 0.5, 2),
        sublattice("hollow", -0.2, 1, hollow=True),
    ]
    lines = sublattice_lines({"grains": [{"grain": 0, "sublattices": sublattices}]})
    assert lines[0].endswith("A at (0.00, 0.50), 9 sites, 75 % of the brightness")
    assert lines[1].endswith("B at (0.00, 0.50), (0.00, 0.50), 9 sites, 25 % of the brightness")
    assert len(lines) == 2
