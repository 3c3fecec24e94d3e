"""The classifier tells what differs, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from antisite.errors import InputError
from antisite.simulate.fit_conditions.two_sample import tell_apart


def _noise(seed: int, blur: float) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(96, 96)), blur).astype(np.float32)


def test_images_of_one_kind_are_told_apart_by_chance_only() -> None:
    score = tell_apart(_noise(1, 1.0), _noise(2, 1.0), patch=16, n_patches=150, rng=1)
    assert 0.4 < score.accuracy < 0.6
    assert score.n == 300


def test_another_blur_is_seen() -> None:
    assert tell_apart(_noise(1, 1.0), _noise(2, 1.3), patch=16, n_patches=150, rng=1).accuracy > 0.9


def test_level_and_contrast_tell_nothing() -> None:
    score = tell_apart(_noise(1, 1.0), 7 * _noise(2, 1.0) + 30, patch=16, n_patches=150, rng=1)
    assert score.accuracy < 0.6


def test_same_seed_gives_the_same_score() -> None:
    images = _noise(1, 1.0), _noise(2, 1.1)
    first, second = (tell_apart(*images, patch=16, n_patches=60, rng=3) for _ in range(2))
    assert first == second


def test_too_small_an_image_is_refused() -> None:
    with pytest.raises(InputError, match="at least 64 × 64 px for patches of 32 px, got 96 × 40"):
        tell_apart(_noise(1, 1.0), _noise(2, 1.0)[:, :40])
