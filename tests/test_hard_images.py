"""Dense defects, contrast gradients, lone bad pixels, masks across the crystal."""

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.errors import InputError, NoLatticeError
from antisite.image import Image
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings
from antisite.simulate.sketch.image import sketch_image


def find(image, *, lattice_constant=math.nan, **options):
    """The search without its self-check."""
    settings = Settings(self_check=False, **options)
    return find_defects(image, settings=settings, lattice_constant=lattice_constant)


def scene(name="wse2", **options):
    given = {"shape": (384, 384), "pixel_size": 0.25, "dose": 2e5, "rotation": 0.3, "rng": 3} | options
    return sketch_image(name, **given)


def columns(result):
    sites = result.sites
    return sites[sites["z"].notna() & ~sites["sublattice"].str.startswith("hollow")].reset_index(drop=True)


def sites_of(result, truth):
    """The tested sites where the truth has a defect."""
    tested = columns(result)
    distance, near = cKDTree(tested[["y", "x"]]).query(truth.defects[["y", "x"]])
    return tested.iloc[near[distance < result.nearest / 3]]


@pytest.mark.parametrize("gradient", [0.0, 1.0])
@pytest.mark.parametrize("name", ["wse2", "au100", "cdte110"])
def test_ratio_is_that_of_the_column_whatever_the_contrast(name, gradient):
    image, truth = scene(name, dim_sites=0.05)
    slope = 1 + gradient * (np.arange(384) / 383 - 0.5)
    result = find(Image(image.pixels * slope))
    assert sites_of(result, truth)["ratio"].median() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("share", [0.25, 0.3])
@pytest.mark.parametrize("name", ["wse2", "au100"])
def test_defects_are_found_when_nearly_a_third_of_a_sublattice_is_dim(name, share):
    image, truth = scene(name, dim_sites=share)
    found = sites_of(find(image), truth)
    assert (found["kind"] != "none").mean() > 0.95


def test_lone_bad_pixels_cost_hardly_a_site():
    image, _ = scene(vacancies=0.02)
    whole = find(image)
    pixels = image.pixels.copy()
    pixels[np.random.default_rng(0).random(pixels.shape) < 0.01] = np.nan
    holed = find(Image(pixels))
    assert len(columns(holed)) == pytest.approx(len(columns(whole)), rel=0.01)
    assert len(holed.defects) == pytest.approx(len(whole.defects), abs=1)


@pytest.mark.parametrize("seed", range(4))
def test_mask_across_the_crystal_displaces_no_site(seed):
    image, truth = scene("srtio3", drift=2.0, rng=seed)
    mask = np.zeros(image.shape, dtype=bool)
    mask[150:230] = True
    result = find(Image(image.pixels, mask=mask))
    assert result.summary["n_domains"] == 1
    distance, _ = cKDTree(truth.sites[["y", "x"]]).query(columns(result)[["y", "x"]])
    assert np.quantile(distance, 0.99) < 1.0


def test_many_dim_columns_side_by_side_are_no_hole():
    image, _ = scene("au100", dim_sites=0.3)
    assert "hole" not in find(image).summary["counts"]


def test_each_site_is_listed_by_the_grain_it_lies_in():
    left, right = (scene(rotation=r)[0].pixels for r in (0.1, 0.6))
    result = find(Image(np.where(np.arange(384) < 250, left, right)))
    assert result.summary["n_domains"] == 2
    assert result.sites.query("grain == 0")["x"].max() < 262
    assert result.sites.query("grain == 1")["x"].min() > 238


def test_one_extra_atom_is_one_interstitial_however_many_hollows_it_lights_up():
    image, truth = scene("au110", interstitials=0.02, blur=0.5)
    inner = truth.defects.query("12 < y < 372 and 12 < x < 372")
    assert len(inner) <= find(image).summary["counts"]["interstitial"] <= len(truth.defects)


@pytest.mark.parametrize("name", ["srtio3", "monoclinic", "wse2"])
@pytest.mark.parametrize("side", [64, 96, 128])
def test_small_image_of_a_perfect_crystal_is_refused_or_clean(name, side):
    # a few cells fit half a cell as well as a whole one, and every second column would then be strange
    for seed in range(3):
        image, _ = scene(name, shape=(side, side), pixel_size=0.2, rotation=0.2 + 0.4 * seed, rng=seed)
        try:
            found = find(image).defects
        except NoLatticeError:
            continue
        assert not len(found)


def test_mask_that_hides_a_part_of_every_column_is_refused_with_the_cure():
    image, _ = scene()
    mask = np.random.default_rng(0).random(image.shape) < 0.15
    with pytest.raises(InputError, match=r"^a column must lie clear .* none does: mask less"):
        find(Image(image.pixels, mask=mask))
