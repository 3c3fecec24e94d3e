import math

import numpy as np
import pytest

from antisite.errors import InputError
from antisite.evaluate.lines import distance_to_path, score_cores, score_lines, spread_points

LINE = np.array([[50.0, 0.0], [50.0, 200.0]])


def moved(dy, dx=0.0, path=LINE):
    return path + np.array([dy, dx])


def test_the_true_line_itself_is_covered_whole_and_at_no_distance():
    scores = score_lines([LINE], [LINE], within=2)
    assert scores.covered.tolist() == [1.0]
    np.testing.assert_allclose([scores.median[0], scores.p95[0], scores.recall], [0, 0, 1], atol=1e-9)
    assert scores.pairs.tolist() == [[0, 0]]
    assert not len(scores.false)


@pytest.mark.parametrize("turned", [False, True])
def test_a_parallel_line_lies_at_its_offset_whichever_way_it_runs(turned):
    found = moved(1.25)[::-1] if turned else moved(1.25)
    scores = score_lines([found], [LINE], within=2)
    assert scores.median[0] == pytest.approx(1.25)
    assert scores.recall == 1.0


def test_corners_do_not_matter():
    dense = spread_points(LINE, step=0.7)
    assert score_lines([dense], [LINE], within=2).covered == score_lines([LINE], [dense], within=2).covered


def test_pieces_cover_what_they_cover_together():
    pieces = [LINE * [1, 0.5], moved(0, 100, LINE * [1, 0.4])]
    scores = score_lines(pieces, [LINE], within=1)
    assert scores.covered[0] == pytest.approx(0.905, abs=0.01)
    assert scores.pairs.tolist() == [[0, 0], [1, 0]]


def test_a_line_elsewhere_is_false_and_finds_nothing():
    scores = score_lines([moved(30)], [LINE], within=5)
    assert scores.false.tolist() == [0]
    assert scores.covered.tolist() == [0.0]
    assert math.isnan(scores.median[0])


def test_a_line_is_false_when_less_than_half_of_it_lies_near():
    longer = np.array([[50.0, 150.0], [50.0, 249.0]])
    shorter = np.array([[50.0, 150.0], [50.0, 251.0]])
    assert not len(score_lines([longer], [LINE], within=1).false)
    assert len(score_lines([moved(0, 3, shorter)], [LINE], within=1).false) == 1


def test_each_point_belongs_to_the_nearest_true_line():
    corner = np.array([[50.0, 0.0], [50.0, 100.0], [150.0, 100.0]])
    truth = [corner[:2], corner[1:]]
    scores = score_lines([corner + 0.5], truth, within=3)
    assert scores.recall == 1.0
    np.testing.assert_allclose(scores.median, 0.5, atol=1e-6)


def test_nothing_found_and_nothing_true_are_no_error():
    nothing = score_lines([], [], within=3)
    assert math.isnan(nothing.recall)
    assert score_lines([], [LINE], within=3).recall == 0.0
    assert score_lines([LINE], [], within=3).false.tolist() == [0]


def test_distance_is_to_the_segment_and_to_its_ends():
    np.testing.assert_allclose(distance_to_path([[53, 100], [50, -4], [53, 204]], LINE), [3, 4, 5])


def test_distances_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    points = np.random.default_rng(0).uniform(0, 100, (500, 2))
    path = np.random.default_rng(1).uniform(0, 100, (40, 2))
    whole = distance_to_path(points, path)
    monkeypatch.setattr("antisite.evaluate.lines._CHUNK", 900)
    np.testing.assert_array_equal(distance_to_path(points, path), whole)


@pytest.mark.parametrize("path", [[[1, 2]], [[1, 2], [3, math.nan]], [1, 2, 3]])
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(InputError, match="a path must be two or more points"):
        score_lines([path], [LINE], within=1)


def test_a_reach_that_is_not_positive_is_refused():
    with pytest.raises(InputError, match="within must be positive"):
        score_lines([LINE], [LINE], within=0)


TRUE_CORES = np.array([[10.0, 10.0], [50.0, 50.0]])
BURGERS = np.array([[0.0, 10.0], [0.0, -10.0]])


def test_cores_are_matched_and_their_distances_told():
    scores = score_cores(
        [[53.0, 54.0], [10.0, 10.0], [90.0, 90.0]],
        TRUE_CORES,
        within=8,
        found_burgers=[[0.0, -9.0], [0.0, 10.0], [0.0, 10.0]],
        true_burgers=BURGERS,
    )
    assert scores.pairs.tolist() == [[0, 1], [1, 0]]
    assert scores.distance.tolist() == [5.0, 0.0]
    assert scores.burgers_right.all()
    assert scores.n_false == 1


@pytest.mark.parametrize("wrong", [[0.0, 10.0], [10.0, 0.0], [math.nan, math.nan], [0.0, -20.0]])
def test_a_burgers_vector_of_another_sign_or_size_or_none_is_wrong(wrong):
    scores = score_cores(
        TRUE_CORES, TRUE_CORES, within=3, found_burgers=[BURGERS[0], wrong], true_burgers=BURGERS
    )
    assert scores.burgers_right.tolist() == [True, False]


def test_no_cores_are_no_error():
    scores = score_cores(np.zeros((0, 2)), TRUE_CORES, within=3)
    assert (scores.n_found, scores.n_true, len(scores.pairs), scores.n_false) == (0, 2, 0, 0)
