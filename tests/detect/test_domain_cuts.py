import numpy as np

from antisite.detect.domain_cuts import cut_domain, redraw_border

ACROSS = np.array([[0.0, 70.0], [199.0, 130.0]])
BY = np.array([0.0, 10.0])


def right_of(path, shape=(200, 200)):
    y, x = np.indices(shape)
    (y0, x0), (y1, x1) = path[0], path[-1]
    return (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0) > 0


def test_a_border_is_redrawn_along_a_line():
    rough = right_of(ACROSS + BY).astype(np.int8)
    sharp = redraw_border(rough, ACROSS[::-1], 0, 1, cell=10.0)
    assert (sharp != right_of(ACROSS)).mean() < 0.006


def test_what_is_neither_of_the_two_is_left_alone():
    rough = right_of(ACROSS + BY).astype(np.int8)
    rough[80:120] = -1
    assert (redraw_border(rough, ACROSS[::-1], 0, 1, cell=10.0)[80:120] == -1).all()


def test_a_domain_is_cut_where_a_line_divides_it_and_the_smaller_part_is_new():
    whole = np.zeros((200, 200), dtype=np.int8)
    cut = cut_domain(whole, 0, ACROSS - 3 * BY, new=1, least=400, cell=10.0)
    right = right_of(ACROSS - 3 * BY)
    assert (cut[right] == 0).mean() > 0.99
    assert (cut[~right] == 1).mean() > 0.99
    assert not whole.any()


def test_a_line_that_ends_inside_cuts_nothing():
    whole = np.zeros((200, 200), dtype=np.int8)
    assert cut_domain(whole, 0, np.array([[0.0, 90.0], [120.0, 90.0]]), new=1, least=400, cell=10.0) is whole


def test_a_part_too_small_for_a_domain_is_not_cut_off():
    whole = np.zeros((200, 200), dtype=np.int8)
    edge = np.array([[0.0, 5.0], [199.0, 5.0]])
    assert cut_domain(whole, 0, edge, new=1, least=4000, cell=10.0) is whole
    assert (cut_domain(whole, 0, edge, new=1, least=400, cell=10.0) == 1).any()


def test_other_domains_are_left_alone():
    domains = np.zeros((200, 200), dtype=np.int8)
    domains[120:] = 1
    cut = cut_domain(domains, 0, np.array([[0.0, 80.0], [119.0, 80.0]]), new=2, least=400, cell=10.0)
    np.testing.assert_array_equal(cut[120:], 1)
    assert set(np.unique(cut)) == {0, 1, 2}
