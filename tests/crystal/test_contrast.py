import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from antisite.crystal.contrast import blur, blur_within, flatten, standardise

NOTHING = np.zeros((60, 75), dtype=bool)


def noise(shape=(60, 75), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 5.0, 11.0])
def test_blur_is_a_gaussian_with_a_mirrored_frame(sigma):
    pixels = noise((90, 117))
    expected = ndimage.gaussian_filter(pixels.astype(float), sigma, mode="reflect", truncate=6)
    edge = math.ceil(4 * sigma)  # the frame itself is the next test's
    inner = (slice(edge, -edge), slice(edge, -edge))
    np.testing.assert_allclose(blur(pixels, sigma=sigma)[inner], expected[inner], atol=1e-3)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 5.0, 11.0])
def test_blur_at_the_frame_does_not_see_the_other_side(sigma):
    ramp = np.broadcast_to(np.linspace(0, 1, 120, dtype=np.float32), (90, 120))
    expected = ndimage.gaussian_filter(ramp.astype(float), sigma, mode="reflect", truncate=6)
    np.testing.assert_allclose(blur(ramp, sigma=sigma), expected, atol=1e-3)


def test_blur_of_a_flat_image_is_flat():
    np.testing.assert_allclose(blur(np.full((33, 47), 3, np.float32), sigma=4), 3, rtol=1e-5)


@pytest.mark.parametrize("shape", [(32, 400), (400, 32)])
def test_blur_wider_than_the_image_keeps_its_mean(shape):
    pixels = noise(shape)
    blurred = blur(pixels, sigma=40)
    assert blurred.shape == shape
    assert abs(blurred.mean() - pixels.mean()) < 0.05


def test_masked_pixels_have_no_weight():
    mask = NOTHING.copy()
    mask[20:30, 10:50] = True
    pixels, spoilt = noise(), noise()
    spoilt[mask] = 1e4
    for method in (blur_within, flatten):
        np.testing.assert_allclose(
            method(spoilt, mask, sigma=4)[~mask], method(pixels, mask, sigma=4)[~mask], atol=1e-3
        )


def test_background_of_a_masked_image_is_right_beside_the_mask():
    mask = NOTHING.copy()
    mask[:, 40:] = True
    pixels = np.where(mask, 0, 7).astype(np.float32)
    np.testing.assert_allclose(blur_within(pixels, mask, sigma=5)[:, :40], 7, rtol=1e-3)


def test_flat_image_has_no_background_and_masked_pixels_are_zero():
    mask = NOTHING.copy()
    mask[5:9] = True
    y, x = np.mgrid[:60, :75]
    flat = flatten((np.sin(x / 1.2) + 40 + 0 * y).astype(np.float32), mask, sigma=8)
    assert not flat[mask].any()
    assert abs(flat[~mask].mean()) < 0.02


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_standard_contrast_ignores_gain_and_offset(gain, offset):
    pixels = noise()
    changed = (gain * (pixels.astype(float) + offset)).astype(np.float32)
    np.testing.assert_allclose(standardise(changed, NOTHING), standardise(pixels, NOTHING), atol=2e-3)


def test_standard_contrast_does_not_see_masked_outliers():
    mask = NOTHING.copy()
    mask[:10, :10] = True
    spoilt = np.where(mask, 1e6, noise()).astype(np.float32)
    expected = standardise(noise(), mask)
    np.testing.assert_allclose(standardise(spoilt, mask), expected, atol=1e-6)
    assert not expected[mask].any()
    assert expected[~mask].std() == pytest.approx(1, rel=1e-3)


def test_a_few_hot_pixels_do_not_set_the_contrast():
    hot = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    calm = standardise(hot, np.zeros(hot.shape, bool))
    hot[10, 10] = hot[100, 50] = 1e5
    np.testing.assert_allclose(standardise(hot, np.zeros(hot.shape, bool))[20:40], calm[20:40], atol=0.02)


def test_standard_contrast_leaves_its_input_alone_and_survives_a_constant():
    pixels = noise()
    before = pixels.copy()
    standardise(pixels, NOTHING)
    assert np.array_equal(pixels, before)
    assert not standardise(np.full((60, 75), 5, np.float32), NOTHING).any()
