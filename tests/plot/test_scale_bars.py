from __future__ import annotations

import math

import numpy as np
import pytest

from antisite.image import Image
from antisite.plot.images import plot_image
from antisite.plot.scale_bars import place_scale_bar, scale_bar


@pytest.mark.parametrize("pixel_size", [0.01, 0.097, 0.4, 3.0])
@pytest.mark.parametrize("width", [64, 512, 4096])
def test_a_scale_bar_is_as_long_as_it_says_and_fits(width, pixel_size):
    length, words = scale_bar((100, width), pixel_size)
    number, unit = words.split()
    assert unit == "nm"
    assert length * pixel_size / 10 == pytest.approx(float(number))
    assert 0.1 * width <= length <= 0.26 * width
    assert f"{float(number):.0e}"[0] in "125"


def test_a_scale_bar_without_scale_is_in_pixels():
    assert scale_bar((300, 1000), math.nan) == (200.0, "200 px")


@pytest.mark.parametrize("shape", [(512, 512), (200, 3072), (3000, 200), (64, 4096), (700, 40)])
@pytest.mark.parametrize("pixel_size", [0.1, 0.37, math.nan])
def test_bar_and_words_lie_inside_the_image(shape, pixel_size):
    place = place_scale_bar(shape, pixel_size)
    half = max(place.length, 0.6 * len(place.words) * place.size) / 2
    assert place.words_x - half > 0
    assert place.words_x + half < shape[1] - 1
    assert place.words_y - place.size > 0
    assert place.words_y < place.y
    assert place.y + place.thick < shape[0] - 1


@pytest.mark.parametrize("shape", [(200, 3072), (3000, 200), (400, 400)])
def test_the_drawn_words_stay_inside_their_image(shape):
    ax = plot_image(Image(np.random.default_rng(0).random(shape), pixel_size=0.2))
    (words,) = [text for text in ax.texts if text.get_gid() == "scale-words"]
    box, frame = words.get_window_extent(), ax.get_window_extent()
    assert frame.x0 <= box.x0 < box.x1 <= frame.x1
    assert frame.y0 <= box.y0 < box.y1 <= frame.y1


@pytest.mark.parametrize(
    ("taken", "low", "left"),
    [
        ([], True, True),
        (["sw"], True, False),
        (["sw", "se"], False, True),
        (["sw", "se", "nw"], False, False),
    ],
)
def test_the_bar_goes_to_the_corner_with_the_fewest_marks(taken, low, left):
    corners = {"sw": (480, 40), "se": (480, 460), "nw": (30, 40), "ne": (30, 460)}
    avoid = np.array([corners[name] for name in taken], dtype=float).reshape(-1, 2)
    place = place_scale_bar((512, 512), 0.4, avoid=avoid)
    assert (place.y > 256, place.x < 256) == (low, left)
