from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from antisite.detect.decision import decide
from antisite.detect.significance import benjamini_hochberg
from antisite.detect.site_scores import SiteEvidence, SiteTest

NEAREST = 10.0


def crystal(owner, *, hollow=(), positions=None):
    owner = np.asarray(owner)
    n = len(owner)
    positions = NEAREST * np.column_stack([np.arange(n), np.zeros(n)]) if positions is None else positions
    return SimpleNamespace(
        sites=SimpleNamespace(sublattice=owner, positions=np.asarray(positions, dtype=float)),
        sublattices=[None] * (int(owner.max()) + 1),
        hollow=np.isin(owner, hollow),
        nearest=NEAREST,
    )


def evidence_of(z, *, large=None, drowning=False):
    """Two tests, of either side."""
    large = np.ones(len(z), dtype=bool) if large is None else large
    return SiteEvidence(
        z=z,
        ratio=1 + z[None] / 10,
        score=np.abs(z),
        tests=(
            SiteTest(name="dark", p=stats.norm.cdf(z), side=z < 0, large=large, drowning=drowning),
            SiteTest(name="bright", p=stats.norm.sf(z), side=z >= 0, large=large),
        ),
    )


def mixed(seed=0, *, n=600, n_dark=30, n_bright=10):
    """Scores on three sublattices; the first sites of each are defects."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(3, n))
    z[:, :n_dark] -= 5
    z[:2, n_dark : n_dark + n_bright] += 6
    return z.ravel(), np.repeat(np.arange(3), n)


@pytest.mark.parametrize("drowning", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_limits_of_an_image_call_the_same_sites_in_it(seed, drowning):
    z, owner = mixed(seed)
    evidence = evidence_of(z, drowning=drowning)
    own = decide(evidence, crystal(owner), fdr=0.05)
    given = decide(evidence, crystal(owner), fdr=0.05, p_limit=own.p_limit)
    assert own.flagged.sum() > 50
    assert np.array_equal(own.called, given.called)
    assert np.array_equal(own.p_limit, given.p_limit)


@pytest.mark.parametrize("drowning", [False, True])
def test_called_sites_are_large_on_their_side_and_within_the_limit(drowning):
    z, owner = mixed(1)
    large = np.random.default_rng(2).random(len(z)) < 0.7
    evidence = evidence_of(z, large=large, drowning=drowning)
    scores = decide(evidence, crystal(owner), fdr=0.05)
    for test, called, limit in zip(evidence.tests, scores.called, scores.p_limit.T, strict=True):
        wanted = test.side & test.large & (test.p <= limit[owner])
        assert called.any()
        assert np.array_equal(called, wanted)


def test_without_doubt_one_sublattice_is_called_by_its_q_values():
    z, _ = mixed(3)
    evidence = evidence_of(z)
    scores = decide(evidence, crystal(np.zeros(len(z), dtype=int)), fdr=0.1)
    for test, called in zip(evidence.tests, scores.called, strict=True):
        assert np.array_equal(called, (benjamini_hochberg(test.p) <= 0.1) & test.side)
    np.testing.assert_allclose(scores.p_value[z < 0], stats.norm.cdf(z[z < 0]))
    assert np.all(scores.q_value[scores.flagged] <= 0.1)


def test_hopeless_sublattices_do_not_add_up_their_false_calls():
    counts = []
    for seed in range(60):
        z = np.random.default_rng(seed).normal(size=3000)
        counts.append(decide(evidence_of(z), crystal(np.repeat(np.arange(6), 500)), fdr=0.1).flagged.any())
    assert np.mean(counts) < 0.2


@pytest.mark.parametrize("drowning", [False, True])
def test_false_calls_stay_below_the_rate(drowning):
    shares = []
    for seed in range(40):
        z, owner = mixed(seed)
        scores = decide(evidence_of(z, drowning=drowning), crystal(owner), fdr=0.1)
        ordinary = np.tile(np.arange(600) >= 30, 3) & ~((np.tile(np.arange(600), 3) < 40) & (owner < 2))
        shares.append((scores.flagged & ordinary).sum() / max(scores.flagged.sum(), 1))
    assert np.mean(shares) < 0.12


@pytest.mark.parametrize("drowning", [False, True])
def test_lower_rate_calls_a_part_of_the_same_sites(drowning):
    z, owner = mixed(4)
    evidence = evidence_of(z, drowning=drowning)
    before = decide(evidence, crystal(owner), fdr=0.2)
    for fdr in (0.1, 0.05, 0.01, 0.001):
        now = decide(evidence, crystal(owner), fdr=fdr)
        assert np.all(now.p_limit <= before.p_limit)
        assert not (now.flagged & ~before.flagged).any()
        before = now
    assert before.flagged.any()


def test_image_without_a_call_has_limits_that_a_strong_defect_would_pass():
    z = np.random.default_rng(5).normal(size=500)
    z = np.clip(z, -2.5, 2.5)
    one = crystal(np.zeros(500, dtype=int))
    scores = decide(evidence_of(z), one, fdr=0.05)
    assert not scores.flagged.any()
    z[[3, 4]] = -6, 6
    assert np.flatnonzero(decide(evidence_of(z), one, fdr=0.05, p_limit=scores.p_limit).flagged).tolist() == [
        3,
        4,
    ]


def test_limit_of_an_image_without_a_call_is_that_of_a_single_defect():
    z = np.clip(np.random.default_rng(6).normal(size=500), -2.5, 2.5)
    one = crystal(np.zeros(500, dtype=int))
    limit = decide(evidence_of(z), one, fdr=0.05).p_limit[0, 0]
    for p, called in ((0.9 * limit, True), (1.1 * limit, False)):
        z[7] = stats.norm.ppf(p)
        assert decide(evidence_of(z), one, fdr=0.05).flagged[7] == called


def test_faint_calls_among_many_ordinary_sites_are_doubted_where_that_is_asked():
    rng = np.random.default_rng(7)
    z = np.append(rng.normal(size=4000), rng.normal(-9, 1, 400))
    one = crystal(np.zeros(len(z), dtype=int))
    plain, careful = (decide(evidence_of(z, drowning=d), one, fdr=0.05) for d in (False, True))
    assert careful.called[0, 4000:].mean() > 0.99
    assert careful.called[0, :4000].sum() < plain.called[0, :4000].sum()
    assert np.array_equal(plain.called[1], careful.called[1])


def test_site_that_is_no_test_is_neither_called_nor_counted():
    z, owner = mixed(8)
    evidence = evidence_of(z)
    blind = np.arange(len(z)) % 600 < 10
    dark = replace(evidence.tests[0], p=np.where(blind, np.nan, evidence.tests[0].p))
    scores = decide(replace(evidence, tests=(dark, evidence.tests[1])), crystal(owner), fdr=0.05)
    assert not scores.called[0, blind].any()
    assert scores.called[0, ~blind].any()
    only = decide(evidence_of(z[~blind]), crystal(owner[~blind]), fdr=0.05)
    assert np.array_equal(scores.called[0, ~blind], only.called[0])


def test_of_lit_up_hollows_side_by_side_only_the_brightest_is_called():
    z = np.random.default_rng(9).normal(size=200)
    z[100:103] = 20, 30, 25
    z[150] = 15
    places = np.column_stack([NEAREST * np.arange(200), np.zeros(200)])
    places[[100, 101, 102], 0] = 1000, 1006, 1012
    for hollow, wanted in (((0,), [101, 150]), ((), [100, 101, 102, 150])):
        one = crystal(np.zeros(200, dtype=int), hollow=hollow, positions=places)
        assert np.flatnonzero(decide(evidence_of(z), one, fdr=0.01).flagged).tolist() == wanted


def test_p_value_is_of_the_test_that_is_surer():
    z = np.random.default_rng(10).normal(size=300)
    tiny = np.full(300, 0.5)
    tiny[5] = 1e-9
    evidence = evidence_of(z)
    third = SiteTest(name="shifted", p=tiny, side=np.ones(300, dtype=bool), large=np.ones(300, dtype=bool))
    scores = decide(
        replace(evidence, tests=(*evidence.tests, third)), crystal(np.zeros(300, dtype=int)), fdr=0.05
    )
    assert scores.p_value[5] == 1e-9
    assert np.flatnonzero(scores.flagged).tolist() == [5]
    assert scores.shifted[5]
