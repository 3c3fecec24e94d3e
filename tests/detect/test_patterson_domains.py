import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.crystal.contrast import flatten, standardise
from antisite.crystal.spacing import estimate_spacing, measure_spectrum
from antisite.crystal.windows import lay_windows
from antisite.detect.patterson_domains import PattersonDomainFinder, local_pattersons
from antisite.simulate.extended_defects.boundaries import twin_boundary
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene


def prepared(pixels):
    mask = np.zeros(pixels.shape, dtype=bool)
    even = standardise(pixels.astype(np.float32), mask)
    spectrum = measure_spectrum(flatten(even, mask, sigma=max(even.shape) / 24), mask)
    return even, mask, estimate_spacing(spectrum)


def domains(pixels):
    even, mask, spacing = prepared(pixels)
    return PattersonDomainFinder()(even, mask, spacing=spacing)


def nearest_grain(truth, shape):
    at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return truth.sites["grain"].to_numpy()[cKDTree(truth.sites[["y", "x"]].to_numpy()).query(at)[1]]


@pytest.mark.parametrize(
    ("name", "px", "row"), [("monoclinic", 24, (0, 1)), ("triclinic", 24, (0, 1)), ("triclinic", 32, (1, 0))]
)
def test_sides_of_a_twin_of_many_columns_are_told_apart(name, px, row):
    scene = twin_boundary(lay_sketch(name, shape=(512, 512), px_per_cell=px, rotation=0.5, rng=3), row)
    image, truth = sketch_scene(scene, dose=1e4, rng=3)
    found, grain = domains(image.pixels), nearest_grain(truth, (512, 512))
    assert found.max() == 1
    right = (found == grain).mean()
    assert max(right, 1 - right) > 0.9


@pytest.mark.parametrize(("name", "px"), [("monoclinic", 24), ("triclinic", 28), ("wse2", 12), ("au110", 8)])
def test_one_crystal_is_one_domain(name, px):
    scene = lay_sketch(name, shape=(400, 400), px_per_cell=px, rotation=0.2, rng=1)
    image, _ = sketch_scene(scene, dose=1e4, drift=1.0, contamination=0.1, rng=1)
    assert not domains(image.pixels).any()


def test_too_small_an_image_is_one_domain():
    pixels = sketch_scene(lay_sketch("srtio3", shape=(64, 64), px_per_cell=16, rng=0), rng=0)[0].pixels
    assert not PattersonDomainFinder()(pixels, np.zeros((64, 64), dtype=bool), spacing=16).any()


def test_does_not_depend_on_where_the_window_was_cut():
    pixels = sketch_scene(lay_sketch("monoclinic", shape=(300, 300), px_per_cell=24, rng=0), rng=0)[0].pixels
    even, mask, spacing = prepared(pixels)
    windows = lay_windows(even, mask, spacing=spacing, window=6, stride=0.75, max_windows=400)
    vectors = local_pattersons(windows).reshape(-1, local_pattersons(windows).shape[2])
    assert (vectors @ vectors.T).min() > 0.95
