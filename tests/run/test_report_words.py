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
        (1e-6, "1 × 10^−6"),
        (math.inf, "–"),
        (999.96, "1,000"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value, words):
    assert number(value) == words


def test_lists_end_with_and():
    assert [listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_densities_by_sublattice_appear_only_where_a_kind_sits_on_several(make_result):
    def row(kind, sublattice):
        return {"kind": kind, "sublattice": sublattice, "n": 1, "per": "site"}

    rows = [row("dim_site", name) for name in ("all", "A", "B")] + [
        row("vacancy", name) for name in ("all", "A")
    ]
    result = make_result(n_each=0)
    told = density_rows(replace(result, summary={**result.summary, "densities": rows}))
    assert [(r["kind"], r["sublattice"]) for r in told] == [
        ("vacancy", "all"),
        ("dim_site", "all"),
        ("dim_site", "A"),
        ("dim_site", "B"),
    ]


def test_the_expected_false_flags_are_told_from_one_upwards(make_result):
    assert false_share(make_result(n_each=1)).endswith("(the stated false-discovery rate).")
    assert false_share(make_result(n_each=4)).endswith("1 of these 20.")


def test_one_defect_is_said_in_the_singular(make_result):
    result = make_result(n_each=1)
    one = replace(result, defects=result.defects[result.defects["kind"] == "vacancy"])
    assert headline(one) == "1 defect among 353 tested sites: 1 vacancy."


def test_several_lattices_are_told(make_result):
    result = make_result()
    assert "2 lattices" in coverage(replace(result, summary={**result.summary, "n_domains": 2}))
