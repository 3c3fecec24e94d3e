from __future__ import annotations

import numpy as np

from antisite.image import Image
from antisite.simulate.fit_conditions.crystal_in_image import find_crystal

CELL = np.array([[2.0, 13.3], [11.7, -5.1]])  # px, rows a and b as (y, x)


def periodic(at: np.ndarray) -> np.ndarray:
    """A smooth periodic function at places (…, 2) px."""
    first, second = 2 * np.pi * np.moveaxis(at @ np.linalg.inv(CELL), -1, 0)
    return np.asarray(np.exp(np.cos(first) + np.cos(second) + np.cos(first + second)))


def test_the_mean_cell_laid_out_over_the_image_follows_its_distortion() -> None:
    at = np.stack(np.meshgrid(np.arange(160.0), np.arange(200.0), indexing="ij"), axis=-1)
    bent = at + np.sin(at[..., :1] / 60)
    pixels = 100 + 30 * periodic(bent)
    found = find_crystal(Image(pixels, pixel_size=0.2))
    assert found.clear.mean() > 0.9
    (drawn,) = found.draw()
    assert abs(drawn.mean()) < 0.02 * pixels.std()
    wrong = (drawn - pixels + pixels.mean())[20:-20, 20:-20]
    assert wrong.std() < 0.13 * pixels.std()
