import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from antisite.evaluate.recall_curve import fit_recall

SIZES = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
COUNTS = st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), min_size=6, max_size=6).filter(
    lambda pairs: any(n for n, _ in pairs)
)


def fit(pairs):
    n = [n for n, _ in pairs]
    return fit_recall(SIZES, [round(n * share) for n, share in pairs], n)


@given(COUNTS)
@settings(max_examples=25, deadline=None)
def test_recall_rises_with_size_between_none_and_all(pairs):
    curve = fit(pairs)
    scores = [curve(size) for size in np.linspace(0, 1, 11)]
    for of in ("value", "low", "high"):
        values = np.array([getattr(s, of) for s in scores])
        assert values.min() >= 0
        assert values.max() <= 1
        assert np.all(np.diff(values) >= -1e-9)


@given(COUNTS)
@settings(max_examples=25, deadline=None)
def test_limit_rises_with_the_recall_that_is_asked_for(pairs):
    curve = fit(pairs)
    limits = [curve.limit(recall) for recall in (0.3, 0.5, 0.8, 0.9, 0.99)]
    assert np.all(np.array([limit.value for limit in limits]) >= 0)
    assert all(a.value <= b.value for a, b in itertools.pairwise(limits))
    assert all(limit.low <= limit.value <= limit.high for limit in limits)


@pytest.mark.parametrize("size", [0.1, 0.25, 0.35, 0.6, 1.0])
def test_value_lies_in_its_interval(size):
    rng = np.random.default_rng(0)
    for middle in (0.15, 0.3, 0.6):
        n_found = rng.binomial(40, stats.norm.cdf((np.array(SIZES) - middle) / 0.06))
        score = fit_recall(SIZES, n_found, [40] * 6)(size)
        assert score.low - 1e-6 <= score.value <= score.high + 1e-6  # a mean beside quantiles of nearly 0


def test_intervals_shrink_with_the_number_planted():
    found, n = np.array([2, 9, 18, 19, 20, 20]), np.full(6, 20)
    few, many = fit_recall(SIZES, found, n), fit_recall(SIZES, 20 * found, 20 * n)
    for size in (0.2, 0.3, 0.4, 0.7):
        a, b = few(size), many(size)
        assert b.high - b.low < 0.6 * (a.high - a.low)
    a, b = few.limit(0.9), many.limit(0.9)
    assert b.high - b.low < 0.6 * (a.high - a.low)
    assert many(0.3).n == 2400


@pytest.mark.parametrize("recall", [0.2, 0.5, 0.9])
def test_limit_is_the_size_at_which_the_curve_has_that_recall(recall):
    n = np.full(6, 2000)
    found = np.round(n * stats.norm.cdf((np.array(SIZES) - 0.36) / 0.08))
    curve = fit_recall(SIZES, found, n)
    limit = curve.limit(recall)
    assert curve(limit.value).value == pytest.approx(recall, abs=0.03)
    assert limit.value == pytest.approx(0.36 + 0.08 * stats.norm.ppf(recall), abs=0.02)


def test_curve_goes_through_what_was_counted():
    found = np.array([3, 60, 160, 195, 199, 200])
    curve = fit_recall(SIZES, found, [200] * 6)
    for size, k in zip(SIZES, found, strict=True):
        assert curve(size).value == pytest.approx(k / 200, abs=0.06)


def test_nothing_planted_is_nothing_known():
    curve = fit_recall([], [], [])
    score, limit = curve(0.5), curve.limit(0.9)
    assert math.isnan(score.value)
    assert (score.low, score.high, score.n) == (0, 1, 0)
    assert (limit.value, limit.low, limit.high) == (math.inf, 0, math.inf)


def test_everything_found_is_a_limit_below_the_weakest_planted():
    curve = fit_recall(SIZES, [50] * 6, [50] * 6)
    assert curve(0.2).value > 0.9
    assert curve(1.0).value > 0.97
    assert curve.limit(0.9).value <= 0.2


def test_nothing_found_is_no_limit_within_the_column():
    curve = fit_recall(SIZES, [0] * 6, [50] * 6)
    assert curve(0.5).value < 0.02
    assert curve(1.0).value < 0.06
    assert curve.limit(0.9).value > 1


def test_share_that_is_missed_at_every_strength_is_no_matter_of_strength():
    curve = fit_recall(SIZES, [0, 400, 400, 400, 400, 400], [500] * 6)
    assert curve(1.0).value == pytest.approx(0.8, abs=0.06)
    assert curve.limit(0.7).value < 0.4
    assert curve.limit(0.95).value > 1


def test_order_of_the_counts_does_not_matter():
    found = np.array([1, 10, 25, 38, 39, 40])
    order = np.array([3, 0, 5, 1, 4, 2])
    one = fit_recall(SIZES, found, [40] * 6)
    other = fit_recall(np.array(SIZES)[order], found[order], [40] * 6)
    assert one(0.35).value == pytest.approx(other(0.35).value, rel=1e-9)


@pytest.mark.parametrize(
    ("middle", "width", "lapse"), [(0.3, 0.06, 0.0), (0.45, 0.12, 0.05), (0.22, 0.04, 0.01)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(middle, width, lapse):
    rng = np.random.default_rng(7)
    truth = (1 - lapse) * stats.norm.cdf((np.array(SIZES) - middle) / width)
    held = []
    for _ in range(40):
        curve = fit_recall(SIZES, rng.binomial(60, truth), [60] * 6)
        scores = [curve(size) for size in SIZES]
        # a recall within half a case of none or all cannot be told from it
        held += [s.low - 1e-3 <= t <= s.high + 1e-3 for s, t in zip(scores, truth, strict=True)]
    assert np.mean(held) >= 0.9
