import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite.evaluate.scores import detection, is_right_kind, localisation, proportion, roc_area

scores_of_sites = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@given(scores_of_sites, scores_of_sites)
def test_area_under_roc_is_the_share_of_pairs_in_the_right_order(positives, negatives):
    pairs = [(p > n) + 0.5 * (p == n) for p in positives for n in negatives]
    assert roc_area(positives, negatives).value == pytest.approx(np.mean(pairs))


@given(scores_of_sites, scores_of_sites)
def test_area_under_roc_turns_over_when_the_two_sides_change_places(positives, negatives):
    one, other = roc_area(positives, negatives), roc_area(negatives, positives)
    assert (one.value, one.low, one.high) == pytest.approx((1 - other.value, 1 - other.high, 1 - other.low))
    assert 0 <= one.low <= one.value <= one.high <= 1


def test_area_under_roc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    scores = np.round(rng.normal(size=500) + 2 * (np.arange(500) < 60), 1)
    area = roc_area(scores[:60], scores[60:])
    assert area.value == pytest.approx(roc_auc_score(np.arange(500) < 60, scores))
    assert (area.n_positive, area.n_negative) == (60, 440)


def test_perfect_area_still_has_an_interval_that_narrows_with_more_cases():
    few, many = roc_area(np.ones(5), np.zeros(100)), roc_area(np.ones(500), np.zeros(10_000))
    assert few.value == few.high == many.high == 1
    assert few.low < 0.95 < 0.995 < many.low < 1


def test_interval_of_the_area_holds_the_true_area_in_about_95_of_100_samples():
    rng = np.random.default_rng(4)
    true = 0.5 * (1 + math.erf(2.0 / 2))  # two unit normals, two standard deviations apart
    areas = [roc_area(rng.normal(2, 1, 40), rng.normal(0, 1, 400)) for _ in range(400)]
    assert 0.92 <= np.mean([area.low <= true <= area.high for area in areas]) <= 0.99


def test_area_without_one_side_is_unknown():
    area = roc_area([], [1.0, 2.0])
    assert math.isnan(area.value)
    assert (area.low, area.high, area.n_positive, area.n_negative) == (0, 1, 0, 2)


def test_wilson_interval_of_a_textbook_case():
    share = proportion(81, 263)  # Newcombe (1998), table I
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_share_lies_within_its_interval(k, more):
    share = proportion(k, k + more)
    assert 0 <= share.low <= share.high <= 1
    assert math.isnan(share.value) if k + more == 0 else share.low <= share.value <= share.high


def test_counts_of_found_invented_and_missed():
    scored = detection([True] * 4 + [False] * 3, [True] * 3 + [False] * 2 + [True] + [False])
    assert (scored.tp, scored.fp, scored.fn) == (3, 1, 1)
    assert scored.precision.value == scored.recall.value == 0.75
    assert scored.f1.value == pytest.approx(0.75)
    assert scored.f1.low < 0.75 < scored.f1.high


def test_f1_is_twice_the_hits_over_all_that_was_flagged_or_true():
    scored = detection([1] * 10 + [0] * 5, [1] * 8 + [0] * 2 + [1] * 5)
    assert scored.f1.value == pytest.approx(2 * 8 / (2 * 8 + 5 + 2))


def test_nothing_true_and_nothing_flagged_has_no_f1():
    assert math.isnan(detection([], []).f1.value)


def test_interval_of_f1_holds_the_true_f1_in_about_95_of_100_samples():
    rng = np.random.default_rng(5)
    true = rng.random((500, 300)) < 0.3
    flagged = true ^ (rng.random((500, 300)) < 0.05)
    f1 = [detection(t, f).f1 for t, f in zip(true, flagged, strict=True)]
    expected = 2 * 0.3 * 0.95 / (2 * 0.3 * 0.95 + 0.7 * 0.05 + 0.3 * 0.05)
    assert 0.92 <= np.mean([score.low <= expected <= score.high for score in f1]) <= 0.99


def test_interval_of_the_median_error_holds_the_true_median_in_about_95_of_100_samples():
    rng = np.random.default_rng(6)
    medians = [localisation(rng.exponential(size=50)).median for _ in range(500)]
    assert 0.92 <= np.mean([m.low <= math.log(2) <= m.high for m in medians]) <= 0.99


def test_few_distances_leave_the_95th_percentile_open_above():
    error = localisation([1.0, 2.0, 3.0])
    assert error.median.value == 2.0
    assert error.p95.high == math.inf


def test_no_distances_have_no_median():
    assert math.isnan(localisation([]).median.value)


@pytest.mark.parametrize(
    ("label", "kind", "found", "right"),
    [
        ("Cr_on_W", "substitution", "substitution", True),
        ("Cr_on_W", "substitution", "dim_site", True),
        ("Cr_on_W", "substitution", "bright_site", False),
        ("substitution", "substitution", "bright_site", True),
        ("Se_vacancy", "partial_vacancy", "dim_site", False),
        ("Se2_vacancy", "vacancy", "vacancy", True),
    ],
)
def test_a_substitution_without_a_known_element_may_be_called_a_dim_site(label, kind, found, right):
    assert is_right_kind([label], [kind], [found]).tolist() == [right]
