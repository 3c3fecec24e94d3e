import numpy as np
import pytest

from antisite.errors import InputError
from antisite.simulate.render.patch_cutting import cut_patches

FIELD = np.arange(2 * 40 * 50, dtype=np.float32).reshape(2, 40, 50)


@pytest.mark.parametrize("size", [1, 8, 9])
def test_window_is_centred_on_the_nearest_pixel(size):
    positions = np.random.default_rng(0).uniform(-3, 53, (200, 2))
    patches, kept = cut_patches(FIELD, positions, size)
    nearest = np.floor(positions[kept] + 0.5).astype(int)
    assert 0 < kept.sum() == len(patches) < 200
    np.testing.assert_array_equal(patches[:, 1, size // 2, size // 2], FIELD[1, nearest[:, 0], nearest[:, 1]])
    y, x = nearest[0] - size // 2
    np.testing.assert_array_equal(patches[0], FIELD[:, y : y + size, x : x + size])


def test_window_that_leaves_the_frame_is_dropped():
    sites = np.array([[4, 4], [36, 46], [3.4, 4], [4, 3.4], [36.6, 46], [36, 46.6], [np.nan, 9]])
    _, kept = cut_patches(FIELD, sites, 8)
    np.testing.assert_array_equal(kept, [True, True, False, False, False, False, False])


def test_no_sites_give_no_patches():
    patches, kept = cut_patches(FIELD, np.zeros((0, 2)), 8)
    assert patches.shape == (0, 2, 8, 8)
    assert kept.shape == (0,)


def test_refuses_empty_windows():
    with pytest.raises(InputError, match="size of patches must be 1 or more"):
        cut_patches(FIELD, np.zeros((1, 2)), 0)
