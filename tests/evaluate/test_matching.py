import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from antisite.errors import InputError
from antisite.evaluate.matching import match_positions

few_positions = st.integers(0, 5).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.integers(0, 12).map(lambda k: k / 3))
)


def best_by_trying_all(found, truth, within):
    """(number of pairs, sum of distances) of the best matching, by exhaustion."""
    distance = np.linalg.norm(found[:, None] - truth[None], axis=-1)
    best = (0, 0.0)
    for k in range(1, min(len(found), len(truth)) + 1):
        for i in itertools.combinations(range(len(found)), k):
            for j in itertools.permutations(range(len(truth)), k):
                d = distance[i, j]
                if (d <= within).all() and (k, -d.sum()) > (best[0], -best[1]):
                    best = (k, float(d.sum()))
    return best


@given(few_positions, few_positions)
def test_no_other_matching_has_more_pairs_or_shorter_ones(found, truth):
    pairs = match_positions(found, truth, within=1.5)
    n, total = best_by_trying_all(found, truth, 1.5)
    distances = np.linalg.norm(found[pairs[:, 0]] - truth[pairs[:, 1]], axis=-1)
    assert len(pairs) == n
    assert distances.sum() == pytest.approx(total, abs=1e-9)


@given(few_positions, few_positions)
def test_nothing_is_matched_twice_or_beyond_reach(found, truth):
    pairs = match_positions(found, truth, within=1.0)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (np.linalg.norm(found[pairs[:, 0]] - truth[pairs[:, 1]], axis=-1) <= 1.0).all()


def test_finds_every_partner_in_a_shuffled_lattice():
    rng = np.random.default_rng(0)
    truth = np.stack(np.meshgrid(np.arange(100), np.arange(100)), axis=-1).reshape(-1, 2) * 10.0
    order = rng.permutation(len(truth))
    found = truth[order] + rng.uniform(-2, 2, truth.shape)
    pairs = match_positions(found, truth, within=10 / 3)
    assert np.array_equal(pairs[:, 1], order)


def test_crowded_positions_are_matched_as_far_as_possible():
    rng = np.random.default_rng(1)
    found = rng.uniform(0, 100, (2000, 2))
    pairs = match_positions(found, found + 0.5, within=6.0)
    assert len(pairs) == 2000


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_match_gives_an_empty_table_of_pairs(n, m):
    assert match_positions(np.zeros((n, 2)), np.zeros((m, 2)), within=1).shape == (0, 2)


def test_empty_lists_are_positions_too():
    assert match_positions([], [], within=1).shape == (0, 2)


@pytest.mark.parametrize("within", [0, -1, float("nan")])
def test_reach_must_be_positive(within):
    with pytest.raises(InputError, match="within must be positive"):
        match_positions([[0, 0]], [[0, 0]], within=within)


@pytest.mark.parametrize("bad", [[[0, 0, 0]], [0, 1], [[np.nan, 0]], [[np.inf, 0]]])
def test_positions_that_are_not_pairs_of_numbers_are_refused(bad):
    with pytest.raises(InputError, match="positions must be"):
        match_positions([[0, 0]], bad, within=1)
