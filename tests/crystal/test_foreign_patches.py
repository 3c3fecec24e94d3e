import numpy as np
import pytest

from antisite.crystal.distortion import fit_distortion
from antisite.crystal.foreign_patches import foreign_patches
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (220, 240)
CELL = 12.0
MIDDLE = (110, 120)


def picture(crystal="fe100", *, rotation=0.2, seed=1, **options):
    scene = lay_sketch(crystal, shape=SHAPE, px_per_cell=CELL, rotation=rotation, rng=seed)
    return sketch_scene(scene, **{"dose": 3e5, "rng": seed} | options)[0].pixels


def radius():
    y, x = np.indices(SHAPE)
    return np.hypot(y - MIDDLE[0], x - MIDDLE[1]) / CELL


def with_island(cells, crystal="fe100", *, other=None):
    inside = radius() < cells / 2
    return np.where(
        inside, picture(crystal, rotation=0.65, seed=2) if other is None else other, picture(crystal)
    )


def patches(look, pixels, crystal="fe100", **options):
    """With the lattice of the crystal as it is without a patch."""
    view, lattice = look(pixels), look(picture(crystal)).lattice()
    flat = view.flat(lattice)
    return foreign_patches(flat, view.mask, *fit_distortion(flat, view.mask, lattice), **options)


@pytest.mark.parametrize("crystal", ["fe100", "wse2", "srtio3"])
@pytest.mark.parametrize("cells", [4, 6])
def test_a_grain_smaller_than_the_windows_is_a_patch(look, crystal, cells):
    found = patches(look, with_island(cells, crystal), crystal)
    assert found[radius() < 0.6].all()
    assert not found[radius() > cells / 2 + 1].any()


def test_a_margin_holds_what_is_so_near(look):
    found = patches(look, with_island(5), margin=1.5 * CELL)
    assert found[radius() < 2].all()
    assert not found[radius() > 5].any()


@pytest.mark.parametrize("crystal", ["fe100", "wse2", "srtio3", "au110"])
def test_a_perfect_crystal_that_drifts_and_shakes_has_none(look, crystal):
    pixels = picture(crystal, dose=3e4, drift=1.5, jitter=0.3, contamination=0.05)
    assert not patches(look, pixels, crystal).any()


@pytest.mark.parametrize("crystal", ["fe100", "wse2"])
@pytest.mark.parametrize("cells", [3, 6])
def test_a_hole_is_no_foreign_patch(look, crystal, cells):
    pixels = picture(crystal)
    empty = np.random.default_rng(0).normal(np.quantile(pixels, 0.1), 0.02 * np.ptp(pixels), SHAPE)
    assert not patches(look, with_island(cells, crystal, other=empty), crystal).any()


@pytest.mark.parametrize("factor", [0.0, 3.0])
def test_one_missing_or_bright_column_is_none(look, factor):
    pixels = picture()
    around = radius() < 0.45
    ground = np.quantile(pixels, 0.05)
    assert not patches(look, np.where(around, ground + factor * (pixels - ground), pixels)).any()


def test_where_noise_could_do_it_nothing_is_said(look):
    pixels = picture()
    noise = np.random.default_rng(3).normal(0, 3 * pixels.std(), SHAPE)
    assert not patches(look, pixels + noise).any()
