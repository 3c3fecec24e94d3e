from __future__ import annotations

from dataclasses import replace

from antisite.defects import defect_table
from antisite.run.report.overview import false_share
from antisite.run.report.words import coverage, headline, measures, method_of


def test_numbers_in_measures_do_not_break():
    row = defect_table({"ratio": [0.12], "z": -14.5, "q_value": 2e-8, "kind": "vacancy"}).iloc[0]
    parts = ["ratio_0.12", "z_−14.5", "q_2_×_10⁻⁸"]
    assert measures(row).split(" · ") == [part.replace("_", "\N{NO-BREAK SPACE}") for part in parts]


def test_a_hole_is_measured_by_its_box():
    row = defect_table({"kind": ["hole"], "length": 80.4, "width": 51.0, "ratio": 0.2, "z": -30.0}).iloc[0]
    assert measures(row).replace("\N{NO-BREAK SPACE}", " ") == "size 80 × 51 px · ratio 0.2"


def test_the_expected_false_flags_are_told_from_one_upwards(make_result):
    assert "(the stated false-discovery rate). They rest" in false_share(make_result(n_each=1))
    assert "1 of these 20. They rest" in false_share(make_result(n_each=4))


def test_the_false_discovery_rate_is_no_promise(make_result):
    words = false_share(make_result())
    assert "are meant to let about 5\N{NO-BREAK SPACE}% " in words
    assert "normal distribution of perfect sites; contamination and strain can add" in words


def test_one_defect_is_said_in_the_singular(make_result):
    result = make_result(n_each=1)
    one = replace(result, defects=result.defects[result.defects["kind"] == "vacancy"])
    assert headline(one) == "1 defect among 353 tested sites: 1 vacancy."


def test_what_was_not_analysed_is_told(make_result, no_lattice):
    assert coverage(make_result()).startswith("90 % of the image was analysed. 171 predicted sites were left")
    assert coverage(no_lattice) == ""


def test_a_tightened_level_is_the_one_that_is_stated(make_result, checked):
    words = false_share(checked(make_result(n_each=1), tightened=True))
    assert words.startswith("The limits are meant to let about 1\N{NO-BREAK SPACE}% ")


def test_the_method_is_that_of_the_sites_or_the_one_that_was_chosen(make_result, no_lattice):
    result = make_result(n_each=0)
    other = replace(result, sites=result.sites.assign(method="patterson"))
    chosen = {"settings": {"detect": {"method": "patterson"}}}
    assert [method_of(result), method_of(other)] == ["deviation", "patterson"]
    assert method_of(no_lattice) == "deviation"
    assert method_of(replace(no_lattice, provenance=chosen)) == "patterson"
