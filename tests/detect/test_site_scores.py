from dataclasses import replace

import numpy as np

from antisite.detect.site_scores import SiteScores


def scores_of(called, tests=("dark", "bright", "shifted")):
    called = np.array(called, dtype=bool)
    empty = SiteScores.empty(called.shape[1], n_channels=2, n_sublattices=1)
    return replace(empty, called=called, tests=tests)


def test_site_is_flagged_by_any_test():
    scores = scores_of([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0]])
    assert scores.flagged.tolist() == [True, True, True, False]


def test_shifted_site_is_called_for_nothing_but_its_place():
    scores = scores_of([[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0]])
    assert scores.shifted.tolist() == [False, False, True, False]


def test_method_that_looks_at_no_place_calls_no_site_shifted():
    scores = scores_of([[1, 0], [0, 1]], tests=("dark", "bright"))
    assert scores.flagged.all()
    assert not scores.shifted.any()


def test_mean_ratio_is_over_the_channels():
    scores = replace(scores_of([[0, 0], [0, 0], [0, 0]]), ratio=np.array([[0.2, np.nan], [0.4, 1.0]]))
    np.testing.assert_allclose(scores.mean_ratio, [0.3, np.nan])
