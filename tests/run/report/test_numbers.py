from __future__ import annotations

import math

import pytest

from antisite.run.report.numbers import chance, interval, listed, number, probability


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


def test_nobody_has_measured_a_probability_of_one_or_zero():
    assert [chance(p) for p in (1.0, 0.5, 0.0)] == ["above 0.99", "0.50", "below 0.01"]


def test_an_interval_with_an_unknown_end_is_unknown():
    assert [interval(0.1, 0.25), interval(0.1, None)] == ["0.1 to 0.25", "–"]
