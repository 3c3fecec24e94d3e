from __future__ import annotations

from dataclasses import replace

import pytest

from antisite.run.report.recall import (
    NOTHING_PLANTED,
    check_of,
    full_run_words,
    limit_words,
    missed_words,
    realised_words,
    recall_at,
)


def _plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def result(make_result, checked):
    return checked(make_result(n_each=1))


def _entry(result, name, side):
    return next(e for e in check_of(result)["recall"] if (e["sublattice"], e["side"]) == (name, side))


def test_recall_is_read_off_the_curve_between_its_points(result):
    assert recall_at(_entry(result, "A", "dark"), -0.31) == pytest.approx((0.525, 0.475, 0.575))


def test_the_order_and_the_sign_of_the_curve_do_not_matter(result):
    entry = _entry(result, "A", "dark")
    turned = {**entry, "curve": entry["curve"][::-1]}
    assert recall_at(turned, -0.31) == recall_at(entry, 0.31)


def test_what_is_missed_is_told_for_each_sublattice_in_plain_words(result):
    dark, bright, hollow = map(_plain, missed_words(result))
    assert dark == (
        "A column 30 % dimmer than its equals is found with probability 0.50 (sublattice A) and 0.25 "
        "(sublattice B); of missing columns nearly all are found."
    )
    assert "50 % brighter" in bright
    assert "0.75 (sublattice A) and below 0.01 (sublattice B)" in bright
    assert hollow.endswith("half the light of a column is found with probability 0.50.")


def test_of_many_sublattices_the_worst_and_the_best_are_told(result):
    entry = _entry(result, "A", "dark")
    levels = {"A": 0.5, "B": 0.3, "C": 0.7, "D": 0.6}
    recall = [
        {**entry, "sublattice": name, "curve": [{"change": -1, "recall": at, "low": at, "high": at}]}
        for name, at in levels.items()
    ]
    many = replace(
        result, summary={"lattice_found": True, "self_check": {**check_of(result), "recall": recall}}
    )
    (words,) = map(_plain, missed_words(many))
    assert "with probability 0.30 (sublattice B) to 0.70 (sublattice C);" in words
    assert "missing columns 30 of 100 (sublattice B) to 70 of 100 (sublattice C) are found" in words


def test_the_realised_rate_is_told_with_its_counts_and_interval(result):
    assert _plain(realised_words(result)) == (
        "With known defects planted into this image, 9 of 900 discoveries were false: 1 % (95 % interval "
        "0.46 to 1.9 %, that of one round, for all have the same noise)."
    )


def test_of_a_tightened_level_both_rates_are_told(make_result, checked):
    words = _plain(realised_words(checked(make_result(n_each=1), tightened=True)))
    assert (
        "at the 5 % asked for, 80 of 1,000 discoveries were false: 8 % (95 % interval 6.4 to 9.9 %" in words
    )
    assert "tightened to 1 % on this image, where 9 of 900 discoveries were false: 1 %" in words


def test_without_discoveries_no_rate_is_invented(result):
    check = check_of(result)
    nothing = {**check["realised"], "n_false": 0, "n_discoveries": 0, "rate": None, "low": None, "high": None}
    silent = {**check, "realised": nothing}
    words = realised_words(replace(result, summary={**result.summary, "self_check": silent}))
    assert words.endswith("nothing was called, true or false.")


def test_a_limit_is_told_from_weak_to_strong_or_not_at_all(result):
    assert _plain(limit_words(_entry(result, "A", "dark"))) == "−46 % (−44 to −48 %)"
    assert _plain(limit_words(_entry(result, "A", "bright"))) == "+56 % (+54 to 58 %)"
    assert limit_words(_entry(result, "B", "bright")) == "–"


def test_a_whole_run_is_compared_with_scoring_alone(result):
    told = full_run_words(result)
    assert "found 140 of 150 planted defects, weak ones among them; scoring alone found 139." in told


def test_a_skipped_check_is_said_with_the_cure(make_result, no_lattice):
    (words,) = missed_words(make_result(n_each=1))
    assert "the self-check was left out" in words
    assert "without --no-self-check" in words
    assert missed_words(no_lattice) == []
    assert realised_words(make_result(n_each=1)) == ""


def test_an_image_without_a_perfect_site_is_not_called_blind(result):
    empty = replace(result, summary={**result.summary, "self_check": {**check_of(result), "recall": []}})
    assert missed_words(empty) == [NOTHING_PLANTED]
    assert realised_words(empty) == ""
