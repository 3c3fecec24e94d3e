"""What noise, displacement and contrast were put into a pattern is measured again."""

from __future__ import annotations

import numpy as np
import pytest

from antisite.simulate.fit_conditions.clipped_values import find_limits, measure_clipping
from antisite.simulate.fit_conditions.noise_level import NoiseLevel, measure_contrast_spread, measure_noise
from antisite.simulate.fit_conditions.twin import _smoothed
from antisite.simulate.fit_conditions.vibration import sample_displaced
from antisite.simulate.recording.power_law import power_law_field

SHAPE = (320, 320)
PERIOD = 10.0
CLEAR = np.ones(SHAPE, bool)


def pattern() -> np.ndarray:
    """Columns of a square lattice, as the share of the light between 0 and 1."""
    y, x = np.indices(SHAPE) * 2 * np.pi / PERIOD
    return ((2 + np.cos(y) + np.cos(x)) / 4).astype(np.float32)


def measured(rest: np.ndarray, signal: np.ndarray) -> NoiseLevel:
    clipping = measure_clipping((signal + rest).ravel(), signal.ravel(), limits=(-np.inf, np.inf))
    return measure_noise(rest, signal, CLEAR, moved=np.zeros_like(signal), clipping=clipping)


def test_counted_electrons_give_gain_and_no_displacement() -> None:
    signal = pattern()
    gain = 0.02
    noise = measured(gain * np.random.default_rng(1).poisson(signal / gain) - signal, signal)
    assert noise.slope == pytest.approx(gain, rel=0.05)
    assert noise.at_mean == pytest.approx(gain * signal.mean(), rel=0.05)
    assert noise.fast == pytest.approx([0, 0], abs=0.02)
    assert noise.smoothing == (0, 0)


def test_pixels_displaced_on_their_own_are_no_counting_noise() -> None:
    rng = np.random.default_rng(2)
    signal = pattern()
    rms = np.array([0.1, 0.3])
    moved = rng.normal(size=(2, *SHAPE)) * rms[:, None, None]
    shaken = sample_displaced(signal[None], moved.astype(np.float32))[0]
    noise = measured(shaken - signal + 0.03 * rng.normal(size=SHAPE), signal)
    assert noise.fast == pytest.approx(rms**2, abs=0.01)
    assert noise.at_mean == pytest.approx(0.03**2, rel=0.1)


@pytest.mark.parametrize("sigma", [(0.4, 0.25), (0.0, 0.5), (0.0, -0.2)])
def test_noise_smoothed_or_sharpened_along_one_axis_is_told(sigma: tuple[float, float]) -> None:
    noise = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    found = measured(_smoothed(noise, sigma), pattern())
    assert found.smoothing == pytest.approx(sigma, abs=0.05)
    assert found.at_mean == pytest.approx(1, rel=0.1)


def test_smoothing_keeps_the_mean_and_a_flat_image() -> None:
    flat = np.full((16, 20), 7, np.float32)
    assert _smoothed(flat, (0.4, -0.2)) == pytest.approx(flat, rel=1e-5)


def test_slowly_varying_contrast_is_measured_and_noise_is_none() -> None:
    rng = np.random.default_rng(4)
    signal = pattern() - 0.5
    field = power_law_field(SHAPE, exponent=4, rng=rng)
    noise = 0.1 * rng.normal(size=SHAPE)
    steady = measure_contrast_spread(noise, signal, CLEAR, spacing=PERIOD)
    varied = measure_contrast_spread(noise + 0.1 * field * signal, signal, CLEAR, spacing=PERIOD)
    assert steady < 0.01
    assert varied == pytest.approx(0.1, rel=0.25)


def test_limit_below_255_is_seen_by_its_heap() -> None:
    values = np.random.default_rng(5).normal(200, 25, 100_000)
    cut = np.rint(np.clip(values, 0, 253)).astype(np.float32)
    assert find_limits(cut) == (0, 253)
    assert find_limits(np.rint(np.clip(values, 0, 400) / 2).astype(np.float32)) == (0, 255)
    assert find_limits(values) == (-np.inf, np.inf)


@pytest.mark.parametrize("seed", range(8))
def test_pixels_without_an_electron_are_no_heap_whatever_the_gain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(3.0, (200, 200))
    values = (rng.uniform(0.1, 5) * electrons + rng.uniform(-3, 3)).astype(np.float32)
    assert find_limits(values) == (-np.inf, np.inf)
    cut = np.maximum(values, np.quantile(values, 0.6))
    assert find_limits(cut) == (cut.min(), np.inf)


@pytest.mark.parametrize("electrons", [1.0, 2.0, 10.0])
def test_few_electrons_have_their_own_variance(electrons: float) -> None:
    signal = 2 * electrons * pattern()
    counts = np.random.default_rng(1).poisson(signal).astype(np.float32)
    noise = measured(counts - signal, signal)
    assert noise.at_mean == pytest.approx(electrons, rel=0.12)
    assert noise.slope == pytest.approx(1.0, rel=0.12)
