import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.crystal.domains import SpectrumDomainFinder
from antisite.crystal.windows import even_contrast
from antisite.simulate.extended_defects.boundaries import tilt_boundary, twin_boundary
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (256, 256)


def crystal(rotation=0.0, name="srtio3", shape=SHAPE, **options):
    return sketch_image(name, shape=shape, rotation=rotation, dose=1e6, rng=0, **options)[0].pixels


def domains(view):
    return SpectrumDomainFinder()(view.even, view.mask, spacing=view.spacing)


def two_halves(boundary, first=0.1, second=0.7):
    right = np.arange(SHAPE[1])[None] >= boundary
    return np.where(right, crystal(second), crystal(first))


def nearest_grain(truth, shape):
    at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    nearest = cKDTree(truth.sites[["y", "x"]].to_numpy()).query(at)[1]
    return truth.sites["grain"].to_numpy()[nearest]


def agreement(found, grain, grains):
    """Share of pixels whose domain is the one that most of their grain has."""
    return np.mean([(found[grain == k] == np.bincount(found[grain == k]).argmax()).mean() for k in grains])


def ten_grains(name="fe100", shape=(640, 640), px=8):
    """Image and grain map: a mosaic of ten grains, 9° of turn between one and the next."""
    rng = np.random.default_rng(4)
    seeds = rng.random((10, 2)) * shape
    at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    for _ in range(4):
        grain = cKDTree(seeds).query(at)[1]
        seeds = np.array([at[grain == k].mean(axis=0) for k in range(10)])
    grain = cKDTree(seeds).query(at)[1]
    pixels = np.zeros(shape)
    for k in range(10):
        scene = lay_sketch(name, shape=shape, px_per_cell=px, rotation=math.radians(9 * k), rng=k)
        pixels = np.where(grain == k, sketch_scene(scene, rng=0)[0].pixels, pixels)
    return pixels + 0.5 * pixels.std() * rng.standard_normal(shape), grain


@pytest.mark.parametrize("name", [name for name in SKETCHES if name != "monoclinic"])
def test_one_crystal_is_one_domain(look, name):
    assert not domains(look(crystal(0.3, name))).any()


def test_drift_dirt_and_defects_make_no_domains(look):
    pixels = crystal(0.3, "wse2", drift=2.0, contamination=0.2, vacancies=0.05, partial_vacancies=0.05)
    assert not domains(look(pixels)).any()


@pytest.mark.parametrize("name", ["monoclinic", "triclinic"])
def test_strong_drift_of_large_cells_makes_no_domains(look, name):
    scene = lay_sketch(name, shape=(448, 448), px_per_cell=28, rotation=0.4, rng=5)
    pixels = sketch_scene(scene, dose=1e4, drift=1.5, rng=5)[0].pixels
    assert not domains(look(pixels)).any()


@pytest.mark.parametrize("boundary", [96, 160])
def test_two_directions_are_two_domains_and_the_larger_is_number_0(look, boundary):
    found = domains(look(two_halves(boundary)))
    side = int(np.arange(SHAPE[1])[boundary // 2])
    left, right = found[:, :side], found[:, (boundary + SHAPE[1]) // 2 :]
    assert set(np.unique(found)) == {0, 1}
    larger = left if boundary > SHAPE[1] / 2 else right
    smaller = right if boundary > SHAPE[1] / 2 else left
    assert (larger == 0).mean() > 0.95
    assert (smaller == 1).mean() > 0.95


def test_boundary_lies_where_the_crystals_meet(look):
    found = domains(look(two_halves(150)))
    np.testing.assert_allclose((found == 0).sum(axis=1).mean(), 150, atol=0.7 * 20)


@pytest.mark.parametrize("dose", [math.inf, 700])
@pytest.mark.parametrize(("name", "px"), [("au110", 8), ("srtio3", 16), ("cdte110", 16)])
def test_a_turn_of_eight_degrees_is_told_apart_in_noise_too(look, name, px, dose):
    scene = lay_sketch(name, shape=(320, 320), px_per_cell=px, rotation=0.3, rng=2)
    scene = tilt_boundary(scene, math.radians(8), direction=0.6)
    image, truth = sketch_scene(scene, dose=dose, drift=0.7, rng=2)
    found = domains(look(image.pixels))
    assert found.max() == 1
    assert agreement(found, nearest_grain(truth, found.shape), (0, 1)) > 0.9


@pytest.mark.parametrize(("name", "px", "row"), [("monoclinic", 24, (0, 1)), ("triclinic", 32, (1, 0))])
def test_twin_of_a_crystal_of_many_columns_is_two_domains(look, name, px, row):
    scene = twin_boundary(lay_sketch(name, shape=(512, 512), px_per_cell=px, rotation=0.5, rng=3), row)
    image, truth = sketch_scene(scene, dose=1e4, rng=3)
    found = domains(look(image.pixels))
    assert found.max() == 1
    assert agreement(found, nearest_grain(truth, found.shape), (0, 1)) > 0.9


def test_ten_grains_are_ten_domains(look):
    pixels, grain = ten_grains()
    found = domains(look(pixels))
    assert found.max() == 9
    assert agreement(found, grain, range(10)) > 0.85


def test_a_grain_smaller_than_a_window_spoils_nothing(look):
    shape = (400, 400)
    y, x = np.ogrid[: shape[0], : shape[1]]
    first, second, third = (
        sketch_scene(lay_sketch("fe100", shape=shape, px_per_cell=10, rotation=turn), rng=0)[0].pixels
        for turn in (0.1, 0.5, 0.9)
    )
    small = np.hypot(y - 120, x - 90) < 22
    found = domains(look(np.where(small, third, np.where(x < 200, first, second))))
    assert set(np.unique(found)) == {0, 1}
    assert (found[:, :160] == found[300, 20]).all()
    assert (found[:, 240:] == 1 - found[300, 20]).all()


def test_image_of_few_cells_is_one_domain(look):
    assert not domains(look(two_halves(128)[:150, :150])).any()


def test_same_image_gives_same_domains(look):
    view = look(two_halves(110))
    assert np.array_equal(domains(view), domains(view))


def test_masked_half_belongs_to_the_domain_beside_it(look):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 128:] = True
    assert not domains(look(crystal(0.1), mask)).any()


def test_even_contrast_has_the_same_strength_everywhere():
    pixels = crystal(0.2)
    fading = (pixels - pixels.mean()) * np.linspace(0.2, 1, SHAPE[1]).astype(np.float32)
    even = even_contrast(fading, np.zeros(SHAPE, bool), spacing=19.5)
    strength = [even[:, k : k + 64].std() for k in range(32, 192, 32)]
    assert max(strength) / min(strength) < 1.4
