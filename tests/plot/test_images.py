from __future__ import annotations

import numpy as np
import pytest

from antisite.image import Image
from antisite.plot.figures import own_axes
from antisite.plot.images import grey_levels, left_out, plot_image, shown_levels, shrink, veil


def _gids(ax):
    return {artist.get_gid(): artist for artist in ax.get_children() if artist.get_gid()}


def test_the_drawn_bar_has_the_length_of_its_words():
    image = Image(np.random.default_rng(0).random((80, 200)), pixel_size=0.25)
    drawn = _gids(plot_image(image))
    assert drawn["scale-words"].get_text() == "1 nm"
    assert drawn["scale-bar"].get_width() == pytest.approx(40)


def test_grey_levels_do_not_depend_on_gain_and_offset():
    pixels = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    first, second = grey_levels(pixels), grey_levels(7 * pixels - 3)
    assert np.abs(first.astype(int) - second).max() <= 1
    assert first.min() == 0
    assert first.max() == 255


def test_masked_pixels_do_not_change_the_grey_of_the_others():
    pixels = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    mask = np.zeros(pixels.shape, bool)
    mask[:10] = True
    spoiled = np.where(mask, 1e6, pixels).astype(np.float32)
    assert np.array_equal(grey_levels(spoiled, mask=mask)[~mask], grey_levels(pixels, mask=mask)[~mask])


def test_shown_levels_are_set_by_what_is_not_masked_at_every_size():
    pixels = np.random.default_rng(0).random((40, 50))
    mask = np.zeros(pixels.shape, bool)
    mask[:10] = True
    shown = shown_levels(Image(np.where(mask, 1e6, pixels), mask=mask), factor=2)
    assert shown.shape == (20, 25)
    assert (shown[:5] == 255).all()
    assert np.ptp(shown[5:]) == 255


def test_a_constant_image_is_one_grey():
    assert np.unique(grey_levels(np.full((5, 5), 3.0, np.float32))).tolist() == [0]


def test_an_image_masked_everywhere_is_still_drawn():
    image = Image(np.random.default_rng(0).random((20, 20)), mask=np.ones((20, 20), bool))
    assert len(plot_image(image).images) == 2


def test_shrinking_takes_means_of_blocks():
    pixels = np.arange(12, dtype=np.float32).reshape(2, 6)
    assert shrink(pixels, 2).tolist() == [[3.5, 5.5, 7.5]]
    assert shrink(pixels, 1).tolist() == pixels.tolist()


def test_what_is_masked_or_in_no_crystal_was_left_out():
    mask = np.zeros((4, 5), bool)
    mask[0, 0] = True
    image = Image(np.ones((4, 5)), mask=mask)
    domain = np.zeros((4, 5), np.int8)
    domain[:, -1] = -1
    domain[:, 0] = 1
    assert left_out(image).sum() == 1
    assert left_out(image, domain).sum() == 5


def test_the_veil_covers_exactly_what_was_left_out():
    dim = np.eye(4, dtype=bool)
    assert np.array_equal(veil(dim)[..., 3] > 0, dim)


def test_no_veil_is_drawn_when_nothing_was_left_out():
    ax = own_axes(None)
    assert plot_image(Image(np.eye(9)), bar=False, ax=ax) is ax
    assert len(ax.images) == 1
    assert _gids(ax) == {}


def test_a_large_image_is_drawn_small_at_its_true_place():
    pixels = np.zeros((40, 3300), np.float32)
    pixels[:, 3000:3002] = 1.0
    picture = plot_image(Image(pixels), bar=False).images[0]
    left, right, bottom, top = picture.get_extent()
    shown = picture.get_array()
    assert shown.shape == (20, 1650)
    assert (left, right, bottom, top) == (-0.5, 3299.5, 39.5, -0.5)
    assert left + (int(np.argmax(shown[0])) + 0.5) * (right - left) / 1650 == pytest.approx(3000.5)


def test_seams_without_a_crystal_do_not_count_but_areas_strips_at_the_frame_and_the_mask_do():
    mask = np.zeros((60, 80), dtype=bool)
    mask[30, 40] = True
    domain = np.zeros(mask.shape, dtype=np.int8)
    domain[:, 20:24] = domain[50:52, 60:62] = -1
    whole = Image(np.random.default_rng(0).random(mask.shape), mask=mask)
    assert np.array_equal(left_out(whole, domain, thin=10), mask)
    domain[5:25, 50:66] = domain[:, -4:] = -1
    told = left_out(whole, domain, thin=10)
    assert np.array_equal(
        told,
        mask
        | ((domain < 0) & (np.arange(80) >= 50) & (np.arange(60) < 50)[:, None])
        | ((domain < 0) & (np.arange(80) >= 76)),
    )


def test_the_veil_has_stripes_that_do_not_depend_on_what_lies_under_it():
    sheet = veil(np.ones((100, 120), dtype=bool))
    assert len(np.unique(sheet.reshape(-1, 4), axis=0)) == 2
