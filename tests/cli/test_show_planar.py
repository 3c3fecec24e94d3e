from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antisite.cli.show import batch_cell, detect_text
from antisite.cli.show_planar import planar_texts
from antisite.result import Result
from antisite.run.batch import Outcome


def line(kind: str, **known: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(("misorientation", "misorientation_sd", "shift"))
    return {"kind": kind, "name": ""} | unknown | known


def core(**known: Any) -> dict[str, Any]:
    return {"partial": False, "boundary": None} | known


def told(lines: list[Any], cores: list[Any], *, n: int = 1, **more: Any) -> list[tuple[str, str]]:
    density = {"value": 0.00483, "low": 0.00061, "high": 0.0173}
    planar = {
        "boundaries": lines,
        "dislocations": cores,
        "length_density": density | {"unit": "1/nm"},
        "dislocation_density": density | {"value": 0.0 if not cores else 0.002, "unit": "1/nm2"},
    }
    return planar_texts({"planar": planar, "n_domains": n, "strain": None, "pixel_size": None} | more)


def test_nothing_found_is_one_line() -> None:
    assert told([], []) == [("planar", "one grain, no planar defect, no dislocation")]


def test_nothing_looked_for_is_nothing_told() -> None:
    assert planar_texts({"planar": None, "strain": None}) == []


def test_a_boundary_and_its_cores_stand_in_one_line_with_the_densities_below() -> None:
    boundary = line("grain_boundary", misorientation=0.3019, misorientation_sd=0.00087)
    cores = [core(boundary=9), core(boundary=9, partial=True), core()]
    assert told([boundary], cores, n=2) == [
        (
            "planar",
            "2 grains; 1 grain boundary 17.30 ± 0.05°; 3 dislocations (1 partial, 1 on boundaries)",
        ),
        ("", "lines 0.0048 nm per nm² (0.00061 … 0.017), dislocations 0.002 per nm² (0.00061 … 0.017)"),
    ]


def test_cores_that_all_lie_on_boundaries_are_told_so() -> None:
    boundary = line("grain_boundary", misorientation=0.3019, misorientation_sd=0.00087)
    assert told([boundary], [core(boundary=9), core(boundary=9)], n=2)[0][1].endswith(
        "; 2 dislocations (all on boundaries)"
    )


def test_without_a_scale_dislocations_are_told_per_million_pixels() -> None:
    density = {"value": 7.6e-6, "low": 9.2e-7, "high": 2.8e-5, "unit": "1/px2"}
    lines = {"value": 0.0, "low": 0.0, "high": 0.007, "unit": "1/px"}
    planar = {"boundaries": [], "dislocations": [core(), core()]}
    planar |= {"length_density": lines, "dislocation_density": density}
    _, (_, text) = planar_texts({"planar": planar, "n_domains": 1, "strain": None, "pixel_size": None})
    assert text == "dislocations 7.6 per 10⁶ px² (0.92 … 28)"


def test_where_all_dislocations_are_partial_they_are_called_so() -> None:
    fault = line("stacking_fault", shift=[0.3, -0.1])
    assert told([fault], [core(partial=True, boundary=1)] * 2)[0][1] == (
        "one grain; 1 stacking fault R (0.30, −0.10); 2 partial dislocations"
    )


def test_names_stand_for_kinds_and_displacements_are_told() -> None:
    fault = line("stacking_fault", name="intrinsic stacking fault", shift=[1 / 3, -0.001], misorientation=0.0)
    assert told([fault], [])[0][1] == ("one grain; 1 intrinsic stacking fault R (0.33, 0.00); no dislocation")


def test_a_twin_lamella_is_counted_as_its_two_boundaries() -> None:
    name = "twin lamella of 6 layers"
    rims = [line("twin_boundary", name=name, misorientation=1.2310, misorientation_sd=0.0009)] * 2
    assert told(rims, [], n=3)[0][1] == (
        "3 grains; 2 twin boundaries (twin lamella of 6 layers) 70.53°, 70.53°; no dislocation"
    )


def test_of_many_boundaries_only_the_number_is_told() -> None:
    angles = [line("grain_boundary", misorientation=a, misorientation_sd=0.001) for a in (0.1, 0.2, 0.3, 0.4)]
    assert "; 4 grain boundaries; " in told(angles, [], n=5)[0][1]
    assert "; 2 grain boundaries 5.73°, 11.46°; " in told(angles[:2], [], n=3)[0][1]


@pytest.mark.parametrize(("size", "words"), [(0.26, "42 px (1.1 nm)"), (None, "42 px,")])
def test_strain_says_how_fine_and_how_sure_it_is(size: float | None, words: str) -> None:
    noise = {"strain": 0.0011, "rotation": 0.00087}
    (_, (label, text)) = told([], [], strain={"resolution": 42.3, "noise": noise}, pixel_size=size)
    assert label == "strain"
    assert text.startswith(f"resolution {words}")
    assert text.endswith("noise 0.11 % and 0.05°, maps in maps.npz")


def test_the_screen_counts_points_apart_from_lines(
    make_result: Callable[..., Result], with_planar: Callable[..., Result]
) -> None:
    result = with_planar(make_result())
    outcome = Outcome(path=Path("f.tif"), status="done", folder=Path("out/f"), summary=result.summary)
    text = detect_text([outcome])
    assert "defects     10 (false discovery rate" in text
    assert "planar      2 grains; 1 grain boundary 17.30 ± 0.05°; 1 intrinsic stacking fault" in text
    assert "1 grain_boundary" in batch_cell(outcome)


def test_what_is_doubtful_about_lines_is_a_warning(
    make_result: Callable[..., Result], with_planar: Callable[..., Result]
) -> None:
    result = with_planar(make_result())
    result.summary["planar"]["warnings"].append("may be a jump of the scan")
    outcome = Outcome(path=Path("f.tif"), status="done", folder=Path("out/f"), summary=result.summary)
    assert "warning     may be a jump of the scan" in detect_text([outcome])
