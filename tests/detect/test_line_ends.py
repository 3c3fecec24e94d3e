import numpy as np
import pytest

from antisite.detect.line_ends import ends_inside, reach_out

CELL = 10.0


def field(*, low=0, high=200):
    """One domain between two columns of pixels, none beyond."""
    domains = np.full((160, 200), -1, dtype=np.int8)
    domains[:, low:high] = 0
    return domains


def line(start, end):
    return np.array([[80.0, start], [80.0, (start + end) / 2], [80.0, end]])


def test_a_line_that_ends_near_the_rim_goes_on_to_it():
    path = reach_out(line(20, 180), field(), (0,), cell=CELL)
    np.testing.assert_allclose(path[[0, -1], 1], [0, 199], atol=1)


def test_an_end_far_inside_stays_where_it_is():
    path = reach_out(line(20, 120), field(), (0,), cell=CELL)
    np.testing.assert_allclose(path[[0, -1], 1], [0, 120], atol=1)


def test_what_lies_beyond_its_domain_is_cut_off():
    path = reach_out(line(10, 190), field(low=40, high=150), (0,), cell=CELL)
    np.testing.assert_allclose(path[[0, -1], 1], [40, 149], atol=1)


def test_however_far_the_rim_a_line_that_must_reach_it_does():
    path = reach_out(line(90, 120), field(), (0,), cell=CELL, far=np.inf)
    np.testing.assert_allclose(path[[0, -1], 1], [0, 199], atol=1)


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [(0, 199, (False, False)), (60, 199, (True, False)), (60, 140, (True, True))],
)
def test_which_ends_lie_inside_a_crystal(start, end, inside):
    assert ends_inside(line(start, end), field(), cell=CELL) == inside


def test_an_end_at_another_domain_is_not_inside():
    domains = field()
    domains[:, 150:] = 1
    assert ends_inside(line(50, 148), domains, cell=CELL) == (True, False)
