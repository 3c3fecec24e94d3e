"""The same scene, recorded otherwise, holds the same defects."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from antisite.image import Image
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

N = 257  # odd, so that a turn about the centre maps pixels onto pixels
CENTRE = (N - 1) / 2
# polar places of defects in the unturned crystal (px, rad), and by how much the column is changed
CHANGES = ((30.0, 0.4, -1.0), (55.0, 2.0, -1.0), (50.0, 3.6, -0.5), (70.0, 5.2, -0.5), (75.0, 1.2, -1.0))


def find(image, *, lattice_constant=math.nan, **options):
    """The search without its self-check."""
    settings = Settings(self_check=False, **options)
    return find_defects(image, settings=settings, lattice_constant=lattice_constant)


def scene(name="wse2", rotation=0.15, dose=1e6):
    """A crystal with five spoilt columns; turned, the same columns are spoilt."""
    image, truth = sketch_image(name, shape=(N, N), rotation=rotation, rng=3)
    columns = truth.sites[["y", "x"]].to_numpy()
    turn = rotation - 0.15
    places = [N / 2 + r * np.array([math.sin(phi + turn), math.cos(phi + turn)]) for r, phi, _ in CHANGES]
    chosen = cKDTree(columns).query(places)[1]
    width = SKETCHES[name].width
    sigma = math.hypot(width, 0.3)
    peaks = truth.sites["brightness"].to_numpy()[chosen] * [c for *_, c in CHANGES] * (width / sigma) ** 2
    pixels = image.pixels + draw_columns(columns[chosen], peaks, shape=(N, N), sigma=sigma / 0.2)
    noisy = add_dose_noise(pixels, dose=dose, pixel_size=0.2, rng=np.random.default_rng(5))
    return noisy.astype(np.float32), columns[chosen]


@pytest.fixture(scope="module", params=["wse2", "srtio3"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def pixels(name):
    return scene(name)[0]


@pytest.fixture(scope="module")
def defects(pixels):
    return find(Image(pixels))


def places(result):
    return result.defects[["y", "x"]].to_numpy()


def assert_same(wanted, kinds, result, *, scale=1.0):
    """The wanted places [px] hold the wanted kinds, and there is nothing else."""
    assert len(result.defects) == len(wanted) > 0
    distance, match = cKDTree(places(result)).query(wanted)
    assert distance.max() < result.nearest / 3 * scale
    assert sorted(match) == list(range(len(wanted)))
    assert result.defects["kind"].iloc[match].tolist() == list(kinds)


def test_the_spoilt_columns_are_found(name, defects):
    assert_same(scene(name)[1], ["vacancy", "vacancy", "dim_site", "dim_site", "vacancy"], defects)


@pytest.mark.parametrize(("gain", "offset"), [(1e-3, 0.0), (250.0, -17.0), (3.0, 1e4), (1e6, 5.0)])
def test_gain_and_offset_do_not_matter(pixels, defects, gain, offset):
    changed = find(Image(gain * pixels.astype(float) + offset))
    assert_same(places(defects), defects.defects["kind"], changed)
    np.testing.assert_allclose(
        changed.sites["z"].dropna().sort_values(),
        defects.sites["z"].dropna().sort_values(),
        rtol=0.03,
        atol=0.3,
    )


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_turn_the_defects(pixels, defects, turns):
    yx = places(defects)
    for _ in range(turns):  # numpy turns anticlockwise: (y, x) → (last − x, y)
        yx = np.column_stack([N - 1 - yx[:, 1], yx[:, 0]])
    assert_same(yx, defects.defects["kind"], find(Image(np.rot90(pixels, turns).copy())))


def test_mirror_mirrors_the_defects(pixels, defects):
    yx = places(defects) * (1, -1) + (0, N - 1)
    assert_same(yx, defects.defects["kind"], find(Image(pixels[:, ::-1].copy())))


@pytest.mark.parametrize("cut", [(0, 9), (13, 0), (7, 5), (1, 30)])
def test_crop_moves_the_defects(pixels, defects, cut):
    yx = places(defects) - cut
    assert_same(yx, defects.defects["kind"], find(Image(pixels[cut[0] :, cut[1] :].copy())))


@pytest.mark.parametrize("angle", [0.0, 0.31, 0.8, 1.1, math.pi / 2, 2.3, 2.9])
def test_direction_of_the_crystal_does_not_matter(name, angle):
    pixels, wanted = scene(name, rotation=angle)
    kinds = ["vacancy", "vacancy", "dim_site", "dim_site", "vacancy"]
    assert_same(wanted, kinds, find(Image(pixels)))


def test_twice_the_pixels_give_the_same_defects(pixels, defects):
    finer = ndimage.zoom(pixels.astype(float), 2, order=3, grid_mode=True, mode="nearest")
    yx = 2 * places(defects) + 0.5
    assert_same(yx, defects.defects["kind"], find(Image(finer)))


def test_half_the_pixels_give_the_same_defects(pixels, defects):
    coarser = pixels[:256, :256].reshape(128, 2, 128, 2).mean(axis=(1, 3))
    yx = (places(defects) - 0.5) / 2
    assert_same(yx, defects.defects["kind"], find(Image(coarser)))


def test_swapping_two_detectors_changes_nothing(name):
    first, second = scene(name, dose=1e6)[0], scene(name, dose=3e5)[0]
    one, other = (find(Image(np.stack(pair))) for pair in ((first, second), (second, first)))
    assert_same(places(one), one.defects["kind"], other)
    np.testing.assert_allclose(one.sites["ratio_1"], other.sites["ratio_2"], atol=0.02)
