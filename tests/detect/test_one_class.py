import numpy as np
import pytest
from scipy import stats

from antisite.detect.one_class import (
    mahalanobis_distance,
    normal_scores,
    one_class_distance,
    principal_components,
    two_sided,
    whiten_robustly,
)


def cloud(n=600, k=6, *, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) * np.geomspace(5, 1, k)


def with_defects(share, *, n=600, k=6, seed=0):
    """Ordinary points, and a share of points shifted together: the leading component of them all."""
    points = cloud(n, k, seed=seed)
    n_defects = round(share * n)
    points[:n_defects, -1] += 12
    return points, np.arange(n) < n_defects


def roc_area(score, positive):
    rank = stats.rankdata(score)
    n = positive.sum()
    return (rank[positive].sum() - n * (n + 1) / 2) / (n * (~positive).sum())


@pytest.mark.parametrize("share", [0.01, 0.05, 0.12, 0.2])
def test_defects_do_not_hide_themselves_however_many(share):
    points, defect = with_defects(share)
    distance = mahalanobis_distance(whiten_robustly(points))
    assert roc_area(distance, defect) > 0.99


def test_plain_covariance_hides_many_defects_better():
    points, defect = with_defects(0.2)
    inverse = np.linalg.inv(np.cov(points.T))
    centred = points - points.mean(axis=0)
    plain = np.einsum("ij,jk,ik->i", centred, inverse, centred)
    assert roc_area(plain, defect) < roc_area(mahalanobis_distance(whiten_robustly(points)), defect)


def test_robust_white_points_are_centred_and_even():
    points, defect = with_defects(0.1)
    white = whiten_robustly(points)[~defect]
    assert np.abs(white.mean(axis=0)).max() < 0.3
    spread = white.std(axis=0)
    assert spread.max() / spread.min() < 4
    assert np.ptp(np.log(points[~defect].std(axis=0))) > 1.5


@pytest.mark.parametrize("share", [0.01, 0.05, 0.12])
def test_support_vector_machine_finds_defects_whatever_their_share(share):
    points, defect = with_defects(share)
    distance = one_class_distance(whiten_robustly(points), seed=0)
    assert roc_area(distance, defect) > 0.99


def test_approximated_machine_ranks_like_the_exact_one():
    white = whiten_robustly(with_defects(0.05, n=800)[0])
    exact, approximate = (one_class_distance(white, seed=0, exact=most) for most in (10_000, 100))
    assert stats.spearmanr(exact, approximate).statistic > 0.97


def test_approximation_repeats_with_its_seed():
    white = whiten_robustly(cloud(300))
    first, second = (one_class_distance(white, seed=3, exact=10) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_far_points_keep_their_order():
    white = np.vstack([whiten_robustly(cloud(300, 3)), np.diag([20.0, 30.0, 40.0])])
    for exact in (10_000, 10):
        distance = one_class_distance(white, seed=0, exact=exact)[-3:]
        assert np.isfinite(distance).all()
        assert distance.min() > 5


@pytest.mark.parametrize("model", ["mahalanobis", "one-class-svm"])
def test_scores_of_ordinary_points_are_standard_normal_in_the_tail(model):
    white = whiten_robustly(cloud(4000, 12))
    distance = mahalanobis_distance(white) if model == "mahalanobis" else one_class_distance(white, seed=0)
    z = normal_scores(distance)
    assert np.mean(z > 2) == pytest.approx(stats.norm.sf(2), abs=0.01)
    assert np.mean(z > 3.5) < 0.002


def test_scores_do_not_depend_on_the_defects():
    points, defect = with_defects(0.1, n=2000)
    z = normal_scores(mahalanobis_distance(whiten_robustly(points)))
    assert np.mean(z[~defect] > 2) < 0.04
    assert z[defect].min() > 2


def test_identical_vectors_are_all_ordinary():
    white = whiten_robustly(principal_components(np.ones((50, 30), dtype=np.float32)))
    z = normal_scores(mahalanobis_distance(white))
    assert np.isfinite(z).all()
    assert np.abs(z).max() < 1


def test_components_hold_what_differs_and_no_more_than_the_vectors_allow():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(80, 1)) * np.linspace(0, 1, 50)).astype(np.float32)
    components = principal_components(vectors)
    assert components.shape == (80, 10)
    assert components[:, 0].var() / components.var(axis=0).sum() > 0.999


def test_two_sided_deviate_is_as_improbable_as_the_upper_side():
    deviate = np.array([-1.0, 0.0, 1.0, 5.0])
    np.testing.assert_allclose(2 * stats.norm.sf(two_sided(deviate)), stats.norm.sf(deviate), rtol=1e-9)
