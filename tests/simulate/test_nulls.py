import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.simulate.nulls import _random_packing, amorphous_film, phase_randomised, pink_noise, white_noise
from antisite.simulate.sketch.image import sketch_image


def power_by_radius(pixels):
    """Mean power of each ring of the Fourier transform, 1 px⁻¹ wide in units of the lowest frequency."""
    power = np.abs(np.fft.fft2(pixels - pixels.mean())) ** 2
    size = len(pixels)
    radius = np.round(size * np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))).astype(int)
    return np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())


def test_white_noise_has_a_flat_spectrum():
    rings = power_by_radius(white_noise((128, 128), rng=0).pixels)[10:60]
    assert rings.std() / rings.mean() < 0.15


def test_pink_noise_falls_with_the_square_of_the_frequency():
    rings = power_by_radius(pink_noise((256, 256), rng=0).pixels)
    slope = np.polyfit(np.log(np.arange(8, 100)), np.log(rings[8:100]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.15)


def test_blobs_keep_their_distance_and_fill_the_film():
    blobs = _random_packing((100, 100), 10.0, np.random.default_rng(0))
    assert cKDTree(blobs).query(blobs, k=2)[0][:, 1].min() >= 10
    assert len(blobs) * np.pi * 5**2 / 120**2 > 0.45


def test_amorphous_film_has_a_ring_and_no_spots():
    pixels = amorphous_film((256, 256), spacing=10.0, noise=0.0, rng=0).pixels
    rings = power_by_radius(pixels)
    ring = np.argmax(rings[:60])
    assert 256 / 14 < ring < 256 / 8
    power = np.abs(np.fft.fft2(pixels - pixels.mean())) ** 2
    assert power.max() < 20 * rings[ring]  # in a crystal thousands of times the ring's mean


def test_random_phases_keep_the_power_spectrum_and_lose_the_image():
    image, _ = sketch_image("wse2", shape=(96, 96), vacancies=0.05, rng=1)
    null = phase_randomised(image, rng=2)
    before, after = (np.abs(np.fft.fft2(i.pixels)) for i in (image, null))
    np.testing.assert_allclose(after, before, atol=1e-2)
    assert abs(np.corrcoef(image.pixels.ravel(), null.pixels.ravel())[0, 1]) < 0.9


@pytest.mark.parametrize("null", [white_noise, pink_noise, amorphous_film])
def test_same_seed_gives_the_same_null(null):
    assert np.array_equal(null((32, 32), rng=1).pixels, null((32, 32), rng=1).pixels)
    assert not np.array_equal(null((32, 32), rng=1).pixels, null((32, 32), rng=2).pixels)
