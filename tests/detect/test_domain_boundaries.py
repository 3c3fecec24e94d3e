import math

import numpy as np
import pytest

from antisite.detect.domain_boundaries import find_borders, mean_size, sharpen_domains
from antisite.detect.lines import locate, sample_line
from antisite.simulate.extended_defects.boundaries import tilt_boundary
from antisite.simulate.truth.lines import turn

TURN = math.radians(20)
MOTIONS = (turn(-TURN / 2), turn(TURN / 2))


def halves(path, shape=(256, 256), *, by=0.0):
    """0 to the left of a path, 1 to its right; the border `by` px too far to the right."""
    pixels = np.argwhere(np.ones(shape, dtype=bool)).astype(float)
    across = locate(pixels, sample_line(path, spacing=1.0))[1]
    return (across > by).astype(np.int8).reshape(shape)


@pytest.mark.parametrize("by", [-14.0, 14.0])
def test_a_border_moves_to_where_the_waves_are_equally_strong(scene, see, by):
    laid = tilt_boundary(scene(), TURN, direction=0.9)
    path = see(laid).truth.lines[0].path
    seen = see(laid, motions=MOTIONS, domains=halves(path, by=by))
    sharp = sharpen_domains(seen.even, seen.mask, seen.domains, seen.lattices)
    assert (sharp != halves(path)).mean() < 0.25 * (seen.domains != halves(path)).mean()


def test_one_domain_stays_as_it_is(scene, see):
    seen = see(scene())
    assert sharpen_domains(seen.even, seen.mask, seen.domains, seen.lattices) is seen.domains


def test_where_there_is_no_crystal_there_is_none_afterwards(scene, see):
    laid = tilt_boundary(scene(), TURN, direction=0.9)
    domains = halves(see(laid).truth.lines[0].path, by=8.0)
    domains[100:140, :60] = -1
    seen = see(laid, motions=MOTIONS, domains=domains)
    sharp = sharpen_domains(seen.even, seen.mask, domains, seen.lattices)
    np.testing.assert_array_equal(sharp == -1, domains == -1)


def test_a_border_has_its_first_domain_to_the_left():
    path = np.array([[0.0, 60.0], [255.0, 200.0]])
    for flip in (False, True):
        domains = halves(path) if not flip else 1 - halves(path)
        (border,) = find_borders(domains, cell=12.0)
        assert (border.left, border.right) == (0, 1)
        line = sample_line(border.path, spacing=4.0)
        left = np.round(line.places - 8 * line.normals).astype(int)[4:-4]
        assert (domains[left[:, 0], left[:, 1]] == 0).all()
        np.testing.assert_allclose(sorted(border.path[[0, -1], 0]), [0, 255], atol=4)


def test_three_domains_meet_in_three_borders():
    domains = np.zeros((200, 200), dtype=np.int8)
    domains[:, 100:] = 1
    domains[110:] = 2
    borders = find_borders(domains, cell=10.0)
    assert sorted((b.left, b.right) for b in borders) == [(0, 1), (0, 2), (1, 2)]


def test_an_island_has_one_closed_border():
    domains = np.zeros((200, 200), dtype=np.int8)
    y, x = np.indices(domains.shape)
    domains[np.hypot(y - 100, x - 90) < 50] = 1
    (border,) = find_borders(domains, cell=10.0)
    np.testing.assert_allclose(np.hypot(*(border.path - [100, 90]).T), 50, atol=2)


def test_short_borders_and_single_domains_have_none():
    domains = np.zeros((100, 100), dtype=np.int8)
    assert find_borders(domains, cell=10.0) == []
    domains[40:45, 40:45] = 1
    assert find_borders(domains, cell=10.0) == []


def test_the_mean_size_is_that_of_the_lattices(scene, see):
    assert mean_size(see(scene(), motions=(np.eye(2), turn(0.3))).lattices) == pytest.approx(12.0)
