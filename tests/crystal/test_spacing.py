import math

import numpy as np
import pytest

from antisite.crystal.spacing import correlation_maxima, estimate_spacing, parabola_offset
from antisite.simulate.nulls import white_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image


def shortest_repeat(name, pixel_size):
    cell = SKETCHES[name].cell / pixel_size
    spans = [i * cell[0] + j * cell[1] for i in range(-2, 3) for j in range(-2, 3) if (i, j) != (0, 0)]
    return min(math.hypot(*v) for v in spans)


@pytest.mark.parametrize(
    ("name", "pixel_size"),
    [("wse2", 0.12), ("wse2", 0.2), ("wse2", 0.38), ("graphene", 0.15), ("au110", 0.2), ("fe100", 0.18)],
)
@pytest.mark.parametrize("rotation", [0.0, 0.41, 1.3])
def test_spacing_is_the_shortest_repeat(look, name, pixel_size, rotation):
    image, _ = sketch_image(name, shape=(192, 224), pixel_size=pixel_size, rotation=rotation, dose=1e5, rng=3)
    assert look(image.pixels).spacing == pytest.approx(shortest_repeat(name, pixel_size), rel=0.03)


def test_two_columns_nearly_alike_count_as_a_repeat(look):
    image, _ = sketch_image("srtio3", shape=(192, 224), rotation=0.41, dose=1e5, rng=3)
    assert look(image.pixels).spacing == pytest.approx(3.905 / 0.2 / math.sqrt(2), rel=0.03)


def test_spacing_does_not_depend_on_tiles(look):
    image, _ = sketch_image("wse2", shape=(1100, 1300), pixel_size=0.25, rng=1)
    tiled, single = look(image.pixels), look(image.pixels[:1000, :1000])
    assert tiled.spectrum.shape == (1024, 1024)
    assert single.spectrum.shape == (1000, 1000)
    assert tiled.spacing == pytest.approx(single.spacing, rel=0.005)


def test_noise_has_no_tall_maximum(look):
    spectrum = look(white_noise((256, 256), rng=0).pixels).spectrum
    correlation = spectrum.correlation(smoothing=1.0)
    _, heights = correlation_maxima(correlation, separation=8)
    assert correlation[correlation.shape[0] // 2, correlation.shape[1] // 2] == pytest.approx(1)
    assert heights.max() < 0.15


def test_crystal_has_tall_maxima(look):
    image, _ = sketch_image("wse2", shape=(192, 192), rng=0)
    view = look(image.pixels)
    _, heights = correlation_maxima(view.spectrum.correlation(smoothing=1.0), separation=view.spacing / 2)
    assert heights[:3].min() > 0.8


def test_correlation_is_the_same_forwards_and_backwards(look):
    image, _ = sketch_image("srtio3", shape=(150, 190), dose=1e4, rng=0)
    correlation = look(image.pixels).spectrum.correlation(smoothing=1.0)
    np.testing.assert_allclose(correlation, correlation[::-1, ::-1], atol=1e-4)


def test_maxima_lie_at_the_shifts_of_two_columns(look):
    places = np.array([[60.0, 60.0], [60.0, 95.3], [81.6, 77.2]])
    pixels = draw_columns(places, np.ones(3), shape=(160, 160), sigma=3)
    correlation = look(pixels).spectrum.correlation(smoothing=0.8)
    shifts, heights = correlation_maxima(correlation, separation=6)
    tallest = shifts[np.argsort(-heights)[:3]]
    for wanted in ([0.0, 35.3], [21.6, 17.2], [21.6, -18.1]):
        assert np.hypot(*(tallest - wanted).T).min() < 0.5


def test_shifts_are_sorted_and_each_pair_is_given_once(look):
    image, _ = sketch_image("wse2", shape=(160, 160), rng=0)
    view = look(image.pixels)
    shifts, _ = correlation_maxima(view.spectrum.correlation(smoothing=1.0), separation=view.spacing / 2)
    assert np.all(np.diff(np.hypot(*shifts.T)) >= 0)
    opposite = np.hypot(*(shifts[:, None] + shifts[None]).transpose(2, 0, 1))
    assert opposite.min() > 1


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.3, -0.2), (-0.4, 0.45)])
def test_parabola_finds_the_top_of_a_parabola(offset):
    y, x = np.mgrid[-4:5, -4:5]
    values = (5 - (y - offset[0]) ** 2 - 0.5 * (x - offset[1]) ** 2).astype(np.float32)
    found = parabola_offset(values, np.array([4]), np.array([4]))
    np.testing.assert_allclose(found[0], offset, atol=1e-5)


def test_parabola_stays_put_where_nothing_bends():
    found = parabola_offset(np.ones((3, 3), np.float32), np.array([1]), np.array([1]))
    assert not found.any()


def test_structureless_image_has_no_spacing(look):
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.float32)
    assert math.isnan(estimate_spacing(look(0 * ramp).spectrum))
