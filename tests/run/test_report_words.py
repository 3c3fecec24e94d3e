from __future__ import annotations

import math
from dataclasses import replace

import pytest

from antisite.run.report_words import coverage, density_rows, false_share, headline, listed, number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (12.345, "12.3"),
        (-17.0, "−17"),
        (1e-6, "1 × 10⁻⁶"),
        (math.inf, "–"),
        (999.96, "1,000"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value, words):
    assert number(value) == words


def test_lists_end_with_and():
    assert [listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_densities_follow_the_order_of_the_kinds_and_the_total_comes_last(make_result):
    told = [(row["kind"], row["sublattice"]) for row in density_rows(make_result())]
    assert told == [
        ("vacancy", "A"),
        ("interstitial", "hollow"),
        ("bright_site", "B"),
        ("dim_site", "A"),
        ("dim_site", "B"),
        ("any", "all"),
    ]


def test_no_defects_have_no_densities(make_result):
    assert density_rows(make_result(n_each=0)) == []


def test_the_expected_false_flags_are_told_from_one_upwards(make_result):
    assert false_share(make_result(n_each=1)).endswith("(the stated false-discovery rate).")
    assert false_share(make_result(n_each=4)).endswith("1 of these 20.")


def test_one_defect_is_said_in_the_singular(make_result):
    result = make_result(n_each=1)
    one = replace(result, defects=result.defects[result.defects["kind"] == "vacancy"])
    assert headline(one) == "1 defect among 353 tested sites: 1 vacancy."


def test_what_was_not_analysed_is_told(make_result, no_lattice):
    assert coverage(make_result()).startswith("90 % of the image was analysed. 171 predicted sites were left")
    assert coverage(no_lattice) == ""
