from __future__ import annotations

import math
from dataclasses import replace

import pytest

from antisite.defects import defect_table
from antisite.run.report_words import (
    UNITS,
    coverage,
    density_rows,
    density_words,
    false_share,
    headline,
    listed,
    measures,
    number,
    probability,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (12.345, "12.3"),
        (-17.0, "−17"),
        (1e-6, "1\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁶"),
        (math.inf, "–"),
        (999.96, "1,000"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value, words):
    assert number(value) == words


def test_lists_end_with_and():
    assert [listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0123, "0.012"), (1e-192, "<_10⁻¹⁰"), (0.0, "<_10⁻¹⁰"), (3e-9, "3_×_10⁻⁹"), (math.nan, "–")],
)
def test_probabilities_are_told_as_far_down_as_they_mean_anything(value, words):
    assert probability(value) == words.replace("_", "\N{NO-BREAK SPACE}")


def test_numbers_in_measures_do_not_break():
    row = defect_table({"ratio": [0.12], "z": -14.5, "q_value": 2e-8, "kind": "vacancy"}).iloc[0]
    parts = ["ratio_0.12", "z_−14.5", "q_2_×_10⁻⁸"]
    assert measures(row).split(" · ") == [part.replace("_", "\N{NO-BREAK SPACE}") for part in parts]


def test_a_hole_is_measured_by_its_box():
    row = defect_table({"kind": ["hole"], "length": 80.4, "width": 51.0, "ratio": 0.2, "z": -30.0}).iloc[0]
    assert measures(row).replace("\N{NO-BREAK SPACE}", " ") == "size 80 × 51 px · ratio 0.2"


def _row(kind, sublattice="all", per="site"):
    known = {"per": per, "density": 0.0122, "low": 0.00551, "high": 0.0199}
    return {"kind": kind, "sublattice": sublattice, "n": 2, **known}


def test_densities_follow_the_order_of_the_kinds_whole_before_parts(make_result):
    rows = [_row("dim_site"), _row("dim_site", "A"), _row("interstitial"), _row("vacancy"), _row("hole")]
    result = make_result(n_each=0)
    told = density_rows(replace(result, summary={**result.summary, "densities": rows}))
    assert [(row["kind"], row["sublattice"]) for row in told] == [
        ("vacancy", "all"),
        ("interstitial", "all"),
        ("dim_site", "all"),
        ("dim_site", "A"),
        ("hole", "all"),
    ]


def test_a_kind_that_is_only_counted_has_no_density(make_result):
    result = make_result(n_each=0)
    summary = {**result.summary, "counts": {"hole": 3, "vacancy": 2}, "densities": [_row("vacancy")]}
    vacancy, hole = density_rows(replace(result, summary=summary))
    assert vacancy["density"] == 0.0122
    assert (hole["kind"], hole["n"], *density_words(hole)) == ("hole", 3, "–", "–")


def test_densities_per_site_are_told_as_they_are():
    assert density_words(_row("dim_site")) == ("0.0122", "0.00551 to 0.0199")
    assert UNITS["site"] == "per site"


def test_no_defects_have_no_densities(make_result):
    assert density_rows(make_result(n_each=0)) == []


def test_the_expected_false_flags_are_told_from_one_upwards(make_result):
    assert "(the stated false-discovery rate). They rest" in false_share(make_result(n_each=1))
    assert "1 of these 20. They rest" in false_share(make_result(n_each=4))


def test_the_false_discovery_rate_is_no_promise(make_result):
    words = false_share(make_result())
    assert "are meant to let about 5 % " in words
    assert "normal distribution of perfect sites; contamination and strain can add" in words


def test_one_defect_is_said_in_the_singular(make_result):
    result = make_result(n_each=1)
    one = replace(result, defects=result.defects[result.defects["kind"] == "vacancy"])
    assert headline(one) == "1 defect among 353 tested sites: 1 vacancy."


def test_what_was_not_analysed_is_told(make_result, no_lattice):
    assert coverage(make_result()).startswith("90 % of the image was analysed. 171 predicted sites were left")
    assert coverage(no_lattice) == ""
