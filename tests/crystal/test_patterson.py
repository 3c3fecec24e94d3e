import numpy as np
import pytest
from scipy import ndimage, signal

from antisite.crystal.patterson import describe_surroundings, patterson, sample_segments, semantic_image

WIDTH = 4.0


def spots(*places, shape=(64, 64), width=2.0):
    return semantic_image(np.array(places, dtype=float).reshape(-1, 2), shape=shape, width=width)


def test_equals_the_direct_sum_over_pairs_of_pixels():
    segment = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    direct = signal.correlate2d(segment, segment)
    np.testing.assert_allclose(patterson(segment[None])[0], direct[6:], atol=1e-4)


def test_does_not_depend_on_where_the_segment_was_cut():
    small = np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)
    here, there = np.zeros((2, 12, 12), dtype=np.float32)
    here[:5, :5] = small
    there[6:11, 4:9] = small
    np.testing.assert_allclose(patterson(here[None]), patterson(there[None]), atol=1e-4)


def test_does_not_tell_a_segment_from_its_inverse():
    segment = np.random.default_rng(2).normal(size=(1, 9, 9)).astype(np.float32)
    np.testing.assert_allclose(patterson(segment), patterson(segment[:, ::-1, ::-1]), atol=1e-4)


def test_shows_the_distances_between_spots():
    middle, around = (32.0, 32.0), [(32.0, 38.0), (32.0, 41.0)]
    near, far = (describe_surroundings(spots(middle, a), np.array([middle]), width=WIDTH) for a in around)
    still = describe_surroundings(spots(middle), np.array([middle]), width=WIDTH)
    assert np.linalg.norm(near - far) > 0.1 * np.linalg.norm(near - still)


def test_grows_like_the_image():
    image = spots((30, 30), (36, 34))
    places = np.array([(31.0, 31.0)])
    one, three = (describe_surroundings(factor * image, places, width=WIDTH) for factor in (1, 3))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-3, atol=1e-2)


def test_noise_is_as_large_in_bright_segments_as_in_dim_ones():
    rng = np.random.default_rng(3)
    places = np.array([(32.0, 32.0)])
    spread = []
    for height in (3, 12):
        clean = height * spots((32, 32), (32, 40), (38, 28))
        noisy = [clean + rng.normal(0, 0.2, clean.shape).astype(np.float32) for _ in range(40)]
        lags = np.concatenate([describe_surroundings(n, places, width=WIDTH) for n in noisy])
        strong = lags.mean(axis=0) > 0.5 * lags.mean(axis=0).max()
        spread.append(lags[:, strong].std(axis=0).mean())
    assert spread[1] == pytest.approx(spread[0], rel=0.2)


def test_more_places_than_are_taken_at_once_are_each_described_alike():
    image = np.random.default_rng(4).normal(size=(40, 40)).astype(np.float32)
    places = np.random.default_rng(5).uniform(10, 30, (1003, 2))
    together = describe_surroundings(image, places, width=WIDTH)
    alone = describe_surroundings(image, places[-1:], width=WIDTH)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[-1:], alone, rtol=1e-5, atol=1e-5)


def test_no_place_has_no_description():
    nowhere = np.zeros((0, 2))
    one = describe_surroundings(spots((9, 9)), np.array([(9.0, 9.0)]), width=WIDTH)
    assert describe_surroundings(spots((9, 9)), nowhere, width=WIDTH).shape == (0, one.shape[1])
    assert sample_segments(spots((9, 9)), nowhere, width=WIDTH).shape == (0, 19, 19)


def test_segments_show_the_pixels_around_their_place():
    y, x = np.mgrid[:64, :64].astype(np.float32)
    segment = sample_segments(y + 10 * x, np.array([(30.0, 33.0)]), width=WIDTH)[0]
    assert segment[9, 9] == pytest.approx(30 + 330, abs=0.05)
    assert segment[18, 9] - segment[0, 9] == pytest.approx(2 * 2.2 * WIDTH, rel=0.01)


def test_spots_are_equal_wherever_they_fall_between_pixels():
    for place in [(30.0, 30.0), (30.5, 30.5), (30.3, 29.8)]:
        image = spots(place)
        assert image.sum() == pytest.approx(2 * np.pi * 4, rel=1e-3)
        assert ndimage.center_of_mass(image) == pytest.approx(place, abs=1e-2)


def test_spots_outside_the_frame_reach_in():
    image = spots((-1.0, 20.0), (-100.0, 20.0), (63.0, 66.0))
    assert image[0, 20] == pytest.approx(np.exp(-1 / 8), rel=1e-4)
    assert image[63, 63] == pytest.approx(np.exp(-9 / 8), rel=1e-4)
    assert image[20:40, 20:40].max() == 0


def test_no_spot_is_an_empty_image():
    image = spots(shape=(20, 30))
    assert image.shape == (20, 30)
    assert not image.any()
