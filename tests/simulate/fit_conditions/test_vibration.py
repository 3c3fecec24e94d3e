"""Vibration is measured from pairs of pixels, and drawn again."""

from __future__ import annotations

import numpy as np
import pytest

from antisite.simulate.fit_conditions.clipped_values import find_limits, measure_clipping
from antisite.simulate.fit_conditions.noise_level import measure_unevenness
from antisite.simulate.fit_conditions.probe_source import ProbeSource
from antisite.simulate.fit_conditions.vibration import measure_vibration, sample_displaced
from antisite.simulate.recording.power_law import power_law_field

SHAPE = (192, 192)


def _columns() -> np.ndarray:
    y, x = np.indices(SHAPE)
    return (np.cos(2 * np.pi * x / 9) + np.cos(2 * np.pi * y / 9)).astype(np.float32)[None]


def _hum(rng: np.random.Generator) -> np.ndarray:
    time = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    return np.sin(2 * np.pi * time / 137.3 + rng.uniform(0, 6))


def test_hum_along_x_is_found_along_x_only_and_its_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    moved = np.array([0 * _hum(rng), 0.4 * _hum(rng)], np.float32)
    image = _columns()
    rest = sample_displaced(image, moved) - image + rng.normal(0, 0.5, image.shape)
    found = measure_vibration(rest.astype(np.float32), image, np.ones(SHAPE, bool))
    assert found.rms[1] == pytest.approx(0.4 / np.sqrt(2), rel=0.15)
    assert found.rms[0] < 0.1
    assert found.covariance[1, 0, 68] < -0.1 * found.covariance[1, 0, 0]  # half a period later


def test_drawn_vibration_is_as_large_as_the_one_measured() -> None:
    rng = np.random.default_rng(2)
    image = _columns()
    moved = np.array([0 * _hum(rng), 0.4 * _hum(rng)], np.float32)
    found = measure_vibration(sample_displaced(image, moved) - image, image, np.ones(SHAPE, bool))
    drawn = found.displacement(SHAPE, rng=np.random.default_rng(3))
    assert drawn[1].std() == pytest.approx(found.rms[1], rel=0.25)
    assert np.array_equal(drawn, found.displacement(SHAPE, rng=np.random.default_rng(3)))


def test_sampling_without_displacement_changes_nothing() -> None:
    image = _columns()
    np.testing.assert_allclose(sample_displaced(image, np.zeros((2, *SHAPE), np.float32)), image, atol=1e-5)


def test_pixels_without_an_electron_are_not_taken_for_cut_off_ones() -> None:
    rng = np.random.default_rng(1)
    assert find_limits(20 * rng.poisson(2.0, 10_000).astype(np.float32) + 0.5) == (-np.inf, np.inf)
    cut = np.maximum(rng.normal(1, 1, 10_000), 0).astype(np.float32)
    assert find_limits(cut)[0] == 0


def test_means_of_cut_values_are_restored() -> None:
    rng = np.random.default_rng(1)
    level = rng.uniform(0, 3, 200_000).astype(np.float32)
    values = np.maximum(level + rng.normal(0, 1, level.size), 0).astype(np.float32)
    clipping = measure_clipping(values, level, limits=(0.0, np.inf))
    mean = np.array([values[np.abs(level - at) < 0.05].mean() - at for at in clipping.seen])
    np.testing.assert_allclose(clipping.seen - clipping.restored, mean, atol=0.04)


def test_slow_background_is_measured() -> None:
    film = power_law_field((256, 256), exponent=3.0, rng=np.random.default_rng(1)) * 2
    rest = film + np.random.default_rng(2).normal(0, 1, film.shape).astype(np.float32)
    found = measure_unevenness(rest.astype(np.float32), np.ones(film.shape, bool), spacing=10)
    assert found.rms == pytest.approx(2, rel=0.15)
    assert found.exponent == pytest.approx(3, abs=0.8)


def test_a_probe_without_aberrations_loses_what_its_source_takes() -> None:
    q = np.array([[0.0, 0.0], [0.3, 0.4]])
    left = ProbeSource(size=0.5).transfer(q)
    np.testing.assert_allclose(left, np.exp(-2 * np.pi**2 * 0.25 * np.array([0, 0.25])), atol=1e-12)


def test_aberrations_keep_the_light_and_lower_fine_waves() -> None:
    q = np.array([[0.0, 0.0], [0.0, 0.6]])
    left = ProbeSource(aberrations=(1.5, 0, 0, 0, 0, 0, 0), aperture=0.7).transfer(q)
    assert left[0] == pytest.approx(1, abs=1e-6)
    assert abs(left[1]) < 0.9


def test_coma_moves_waves_against_each_other_but_a_real_image_stays_real() -> None:
    q = np.array([[0.1, 0.5], [-0.1, -0.5]])
    one, opposite = ProbeSource(aberrations=(0, 0, 0, 0.8, 0, 0, 0), aperture=0.7).transfer(q)
    assert one == pytest.approx(np.conj(opposite), abs=1e-6)
    assert abs(one.imag) > 0.01
