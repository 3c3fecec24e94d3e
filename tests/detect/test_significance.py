import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from antisite.detect.significance import (
    benjamini_hochberg,
    central_null,
    fit_defect_mixture,
    mixture_modes,
    poisson_interval,
    selected_share,
)

P_VALUES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=40).map(np.array)


def q_values_one_by_one(p_values):
    """Benjamini–Hochberg as it is written: the smallest n p / rank of this rank or a later one."""
    n = len(p_values)
    ranked = np.sort(p_values)
    later = [[n * ranked[j] / (j + 1) for j in range(n) if ranked[j] >= p] for p in p_values]
    return np.array([min(*values, 1.0) for values in later])


@given(P_VALUES)
def test_q_values_are_those_of_benjamini_and_hochberg(p_values):
    np.testing.assert_allclose(benjamini_hochberg(p_values), q_values_one_by_one(p_values), rtol=1e-9)


@given(P_VALUES)
def test_q_values_rise_with_p_values_and_are_no_smaller(p_values):
    q_values = benjamini_hochberg(p_values)
    assert np.all(np.diff(q_values[np.argsort(p_values)]) >= 0)
    assert np.all(q_values >= p_values * (1 - 1e-12))
    assert q_values.max() <= 1


@given(P_VALUES, st.randoms())
def test_q_values_do_not_depend_on_order(p_values, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    np.testing.assert_allclose(benjamini_hochberg(p_values[order]), benjamini_hochberg(p_values)[order])


def test_no_p_values_give_no_q_values():
    assert benjamini_hochberg(np.zeros(0)).shape == (0,)


def test_false_discoveries_stay_below_the_rate_asked_for():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        z = np.append(rng.normal(size=950), rng.normal(-4.5, 1, 50))
        called = benjamini_hochberg(stats.norm.cdf(z)) <= 0.1
        shares.append(called[:950].sum() / max(called.sum(), 1))
    assert np.mean(shares) < 0.105


@given(centre=st.floats(-10, 10), width=st.floats(0.1, 10), seed=st.integers(0, 50))
def test_null_is_not_moved_by_a_tenth_of_outliers(centre, width, seed):
    values = np.random.default_rng(seed).normal(centre, width, 4000)
    spoilt = np.append(values, np.repeat([centre - 30 * width, centre + 30 * width], 200))
    found = central_null(spoilt)
    assert found[0] == pytest.approx(centre, abs=0.08 * width)
    assert found[1] == pytest.approx(width, rel=0.2)  # outliers push the quartiles out by a seventh


def test_one_sided_outliers_move_the_null_by_less_than_a_fifth_of_its_width():
    values = np.random.default_rng(1).normal(size=20000)
    centre, width = central_null(np.append(values, np.full(2000, -20.0)))
    assert abs(centre) < 0.2
    assert width == pytest.approx(1, rel=0.15)


def test_null_of_a_normal_sample_is_unbiased():
    nulls = [central_null(np.random.default_rng(s).normal(2, 3, 500)) for s in range(200)]
    assert np.mean(nulls, axis=0) == pytest.approx([2, 3], rel=0.02)


def test_null_of_nothing_is_standard_and_of_a_constant_has_a_width():
    assert central_null(np.zeros(0)) == (0.0, 1.0)
    centre, width = central_null(np.full(9, 4.0))
    assert centre == 4
    assert width > 0


@given(st.integers(0, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_limits_leave_just_the_tails_that_they_promise(n, level):
    low, high = poisson_interval(n, level=level)
    tail = (1 - level) / 2
    assert stats.poisson.cdf(n, high) == pytest.approx(tail, rel=1e-6)
    if n:
        assert stats.poisson.sf(n - 1, low) == pytest.approx(tail, rel=1e-6)
    else:
        assert low == 0


@pytest.mark.parametrize("mean", [0.3, 2.0, 7.5, 40.0])
def test_interval_covers_the_mean_at_least_as_often_as_it_says(mean):
    counts = np.arange(200)
    covered = [low <= mean <= high for low, high in map(poisson_interval, counts)]
    assert stats.poisson.pmf(counts, mean)[covered].sum() >= 0.95


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_share_of_families_lies_between_one_of_them_and_all(smallest):
    share = selected_share(smallest, level=0.05)
    assert 1 / len(smallest) <= share + 1e-12
    assert share <= 1
    assert share * len(smallest) == pytest.approx(round(share * len(smallest)))


def test_families_are_selected_by_their_smallest_q_value():
    assert selected_share([0.001] * 4, level=0.05) == 1
    assert selected_share([0.5] * 4, level=0.05) == 0.25
    assert selected_share([0.012, 0.5, 0.6, 0.7], level=0.05) == 0.25
    assert selected_share([0.012, 0.024, 0.6, 0.7], level=0.05) == 0.5


def test_sites_among_the_ordinary_ones_are_doubted():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=5000), rng.normal(-8, 1, 300)])
    doubt = fit_defect_mixture(z, z < -2.2).doubt(z)
    assert doubt[z < -6].max() < 0.01
    assert doubt[(z < -2.2) & (z > -2.6)].min() > 0.9
    assert doubt[z > 0].min() == 1


def test_doubt_is_the_share_of_ordinary_sites():
    rng = np.random.default_rng(1)
    others = rng.uniform(-5, 0, 400)  # unlike the rest, as a fifth of the defects are taken to be
    z = np.concatenate([rng.normal(size=20000), rng.normal(-5, 1, 2000), others])
    ordinary = np.arange(len(z)) < 20000
    doubt = fit_defect_mixture(z, z < -3).doubt(z)
    for low, high in ((-3.6, -3.2), (-3.2, -2.8), (-2.8, -2.4)):
        here = (z > low) & (z < high)
        assert doubt[here].mean() == pytest.approx(ordinary[here].mean(), abs=0.1)


def test_few_candidates_are_not_doubted():
    z = np.append(np.random.default_rng(0).normal(size=500), [-7, -8])
    mixture = fit_defect_mixture(z, z < -6)
    assert not mixture.doubt(z[z < 0]).any()
    assert mixture.limit(0.05) == 0


def test_doubt_falls_with_distance_from_the_null():
    z = np.concatenate([np.random.default_rng(2).normal(size=3000), np.linspace(-9, -5, 200)])
    doubt = fit_defect_mixture(z, z < -4).doubt(z)
    assert np.all(np.diff(doubt[np.argsort(-z)]) <= 1e-9)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_two_separate_modes_are_found(share):
    rng = np.random.default_rng(0)
    n = int(200 * share)
    modes = mixture_modes(np.append(rng.normal(0.2, 0.05, n), rng.normal(0.7, 0.05, 200 - n)))
    assert [m.centre for m in modes] == pytest.approx([0.2, 0.7], abs=0.02)
    assert [m.share for m in modes] == pytest.approx([share, 1 - share], abs=0.02)
    assert [m.spread for m in modes] == pytest.approx([0.05, 0.05], abs=0.015)
    assert max(m.overlap for m in modes) < 0.01


def test_one_gaussian_is_one_mode():
    single = [len(mixture_modes(np.random.default_rng(s).normal(0.5, 0.1, 150))) == 1 for s in range(40)]
    assert np.mean(single) >= 0.9


def test_overlap_is_the_share_that_another_mode_claims():
    rng = np.random.default_rng(3)
    modes = mixture_modes(np.append(rng.normal(0.0, 1, 4000), rng.normal(3.0, 1, 4000)), max_modes=2)
    centres = np.array([m.centre for m in modes])
    x = np.linspace(-8, 12, 20001)
    density = stats.norm.pdf(x[:, None], centres, [m.spread for m in modes]) * [m.share for m in modes]
    both = density.prod(axis=1) / density.sum(axis=1)
    expected = both.sum() / density.sum(axis=0)
    assert [m.overlap for m in modes] == pytest.approx(expected.tolist(), rel=0.1)


def test_no_values_have_no_modes_and_few_are_one():
    assert mixture_modes(np.zeros(0)) == []
    (mode,) = mixture_modes(np.array([0.1, 0.9, 0.1]))
    assert mode.centre == pytest.approx(1.1 / 3)
    assert mode.share == pytest.approx(1)
    assert math.isclose(mode.overlap, 0, abs_tol=1e-9)
