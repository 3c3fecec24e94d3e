import numpy as np
import pytest

from antisite.detect.lines import distance_to, extend, locate, sample_line
from antisite.detect.strip import cut_strip

ARC = np.column_stack([100 - 60 * np.cos(t := np.linspace(-0.8, 0.8, 40)), 100 + 60 * np.sin(t)])
STRAIGHT = np.array([[20.0, 10.0], [60.0, 90.0]])


@pytest.mark.parametrize("direction", [(0, 1), (1, 0), (1, 1), (-2, 1)])
def test_normals_point_to_the_right_as_seen(direction):
    dy, dx = direction
    line = sample_line(np.array([[50.0, 50.0], [50.0 + 20 * dy, 50.0 + 20 * dx]]), spacing=1.0)
    right = np.array([dx, -dy]) / np.hypot(dy, dx)
    np.testing.assert_allclose(line.normals, np.tile(right, (len(line.places), 1)), atol=1e-9)


def test_places_are_evenly_spaced_and_reach_both_ends():
    line = sample_line(ARC, spacing=2.0)
    steps = np.hypot(*np.diff(line.places, axis=0).T)
    assert steps.max() <= 2.0 + 1e-9
    assert np.ptp(steps) < 0.01
    np.testing.assert_allclose(line.places[[0, -1]], ARC[[0, -1]])
    assert line.length == pytest.approx(60 * 1.6, rel=1e-3)


@pytest.mark.parametrize("path", [ARC, STRAIGHT])
def test_a_point_is_where_it_was_put_beside_a_line(path):
    line = sample_line(path, spacing=0.5)
    i, away = np.arange(20, len(line.places) - 20), 3.5
    for side in (-1, 1):
        along, across = locate(line.places[i] + side * away * line.normals[i], line)
        np.testing.assert_allclose(across, side * away, atol=0.02)
        np.testing.assert_allclose(along, line.along[i], atol=0.3)


def test_read_backwards_right_is_left():
    points = np.random.default_rng(0).uniform(20, 90, (50, 2))
    forth, back = (sample_line(path, spacing=0.5) for path in (STRAIGHT, STRAIGHT[::-1]))
    along, across = locate(points, forth)
    np.testing.assert_allclose(locate(points, back), [forth.length - along, -across], atol=1e-9)


def test_a_line_is_carried_on_in_the_direction_of_its_ends():
    longer = extend(STRAIGHT, 10.0, over=5.0)
    line = sample_line(longer, spacing=1.0)
    assert line.length == pytest.approx(np.hypot(40, 80) + 20)
    np.testing.assert_allclose(locate(STRAIGHT, line)[1], 0, atol=1e-9)


def test_distance_reaches_beyond_the_ends():
    path = np.array([[40.0, 20.0], [40.0, 80.0]])
    points = np.array([[45.0, 50.0], [40.0, 90.0], [43.0, 16.0]])
    np.testing.assert_allclose(distance_to(path, points), [5, 10, 5])
    assert distance_to(path, np.zeros((0, 2))).shape == (0,)


def test_a_strip_knows_what_lies_left_and_right_of_its_line():
    mask = np.zeros((100, 120), dtype=bool)
    mask[:, 50] = True
    pixels = np.arange(mask.size, dtype=float).reshape(mask.shape)
    strip = cut_strip(pixels, mask, sample_line(np.array([[40.0, 20.0], [40.0, 80.0]]), spacing=1.0), reach=6)
    y, x = np.indices(strip.pixels.shape) + strip.corner[:, None, None]
    seen = ~strip.hidden
    np.testing.assert_allclose(strip.across[seen], (y - 40)[seen])
    np.testing.assert_allclose(strip.along[seen], (x - 20)[seen])
    np.testing.assert_array_equal(strip.pixels, pixels[strip.window])
    assert np.abs((y - 40)[seen]).max() == 6
    assert not seen[x == 50].any()


def test_a_strip_at_the_rim_of_the_image_is_cut_there():
    free = np.zeros((60, 60), dtype=bool)
    strip = cut_strip(free, free, sample_line(np.array([[2.0, 1.0], [58.0, 1.0]]), spacing=1.0), reach=8)
    assert strip.corner.tolist() == [0, 0]
    assert strip.across[30, :8].tolist() == [1, 0, -1, -2, -3, -4, -5, -6]
