import math

import numpy as np
import pytest

from antisite.simulate.recording.dose_noise import (
    add_dose_noise,
    electrons_per_unit,
    quantise,
    smooth_background,
)


@pytest.mark.parametrize("dose", [1e3, 1e5])
def test_variance_is_that_of_counted_electrons(dose):
    clean = np.full((400, 400), 0.6)
    noisy = add_dose_noise(clean, dose=dose, pixel_size=0.2, rng=np.random.default_rng(0))
    counts = noisy * electrons_per_unit(dose, 0.2)
    assert noisy.mean() == pytest.approx(0.6, rel=0.02)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.02)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)


def test_larger_pixels_collect_more_electrons():
    assert electrons_per_unit(1e4, 0.4) == pytest.approx(4 * electrons_per_unit(1e4, 0.2))


def test_infinite_dose_adds_no_noise():
    clean = np.random.default_rng(0).random((8, 8))
    noisy = add_dose_noise(clean, dose=math.inf, pixel_size=0.2, rng=np.random.default_rng(0))
    assert np.array_equal(noisy, clean)


def test_background_is_smooth_and_spans_zero_to_one():
    background = smooth_background((128, 96), length=12.0, rng=np.random.default_rng(0))
    assert (background.min(), background.max()) == (0, 1)
    assert np.abs(np.diff(background, axis=0)).max() < 0.1


def test_constant_image_stays_finite():
    assert not quantise(np.full((4, 4), 3.0), 8).any()
