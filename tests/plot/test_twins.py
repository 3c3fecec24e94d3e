from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.image import Image
from antisite.plot.figures import new_figure
from antisite.plot.twins import (
    plot_histograms,
    plot_radial_spectra,
    plot_spectrum,
    power_spectrum,
    radial_mean,
    share_greys,
    twins_png,
)

X = np.mgrid[:96, :80][1]
WAVES = np.cos(2 * np.pi * X / 8) + 0.1 * np.random.default_rng(1).normal(size=X.shape)


def image(pixels: np.ndarray = WAVES, pixel_size: float = 0.2) -> Image:
    return Image(pixels, pixel_size=pixel_size)


def test_noise_has_power_one_at_every_frequency() -> None:
    noise = np.random.default_rng(2).normal(3, 5, size=(128, 160))
    frequency, power = radial_mean(power_spectrum(noise), 8)
    np.testing.assert_allclose(power[1:], 1, atol=0.1)  # in the middle are few waves
    assert 0 < frequency.min() < frequency.max() < 0.5


def test_a_wave_stands_at_its_frequency() -> None:
    frequency, power = radial_mean(power_spectrum(WAVES), 40)
    assert frequency[power.argmax()] == pytest.approx(1 / 8, abs=1 / 80)


def test_a_flat_image_has_no_power() -> None:
    assert power_spectrum(np.full((20, 30), 7.0)).max() == 0


def test_the_spectrum_shows_as_much_as_can_hold_the_crystal() -> None:
    assert plot_spectrum(image()).get_xlim() == pytest.approx((-0.22, 0.22))
    assert plot_spectrum(image(pixel_size=float("nan"))).get_xlim() == (-0.5, 0.5)


def test_spectra_side_by_side_share_their_greys() -> None:
    noisy = image(WAVES + np.random.default_rng(3).normal(size=WAVES.shape))
    figure = new_figure(4, 2)
    panels = [
        plot_spectrum(one, ax=ax) for one, ax in zip((image(), noisy), figure.subplots(1, 2), strict=True)
    ]
    own = [ax.images[0].get_clim() for ax in panels]
    share_greys(panels)
    (low, high), other = (ax.images[0].get_clim() for ax in panels)
    assert (low, high) == other == (own[0][0], max(own[0][1], own[1][1]))
    assert own[0][0] < own[1][0]


def test_frequencies_are_said_in_the_unit_that_is_known() -> None:
    both = plot_radial_spectra((image(), image(WAVES[:64])))
    assert both.get_xlabel() == "frequency [1/Å]"
    peak = both.lines[0].get_xydata()
    assert peak[peak[:, 1].argmax(), 0] == pytest.approx(1 / 8 / 0.2, rel=0.1)
    assert plot_radial_spectra((image(), image(pixel_size=float("nan")))).get_xlabel() == "frequency [1/px]"


def test_histograms_span_both_images_and_leave_masked_pixels_out() -> None:
    mask = np.zeros(WAVES.shape, bool)
    mask[:48] = True
    odd = WAVES.copy()
    odd[:48] = 1e6
    ax = plot_histograms((Image(odd, mask=mask), image(WAVES + 3)))
    low, high = ax.get_xlim()
    assert -2 < low < -1
    assert 4 < high < 5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["image", "simulated"]


def test_every_bar_but_the_last_holds_as_many_whole_numbers() -> None:
    evenly = Image(np.arange(250.0).repeat(4).reshape(20, 50), pixel_size=0.2)
    ax = plot_histograms((evenly, evenly))
    height = ax.patches[0].get_xy()[2:-4, 1]
    assert height.min() == pytest.approx(height.max(), rel=1e-6)
    assert len(height) > 150


def test_the_picture_has_two_rows_for_each_detector_and_the_same_bytes_again() -> None:
    two = Image(np.stack([WAVES, WAVES[::-1]]), pixel_size=0.2)
    content = twins_png(two, two, dpi=40)
    assert content == twins_png(two, two, dpi=40)
    one = Picture.open(io.BytesIO(twins_png(image(), image(), dpi=40)))
    assert Picture.open(io.BytesIO(content)).size == (one.width, 2 * one.height)
