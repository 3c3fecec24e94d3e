import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from antisite.detect import local_reference
from antisite.detect.point_defects import PointDefectFinder
from antisite.detect.site_scores import SiteScores
from antisite.run.crystal_search import find_specimen
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

SHAPE = (256, 256)
PIXEL = 0.2


def perfect(name="srtio3", *, rotation=0.3, seed=0, shape=SHAPE):
    return sketch_image(name, shape=shape, pixel_size=PIXEL, rotation=rotation, rng=seed)


def change(pixels, places, amounts, name):
    """Add columns of the crystal's width; an amount of 1 is its brightest column, −1 takes one away."""
    width = SKETCHES[name].width
    sigma = math.hypot(width, 0.3)
    peaks = np.asarray(amounts, dtype=float) * (width / sigma) ** 2
    added = draw_columns(np.asarray(places, float), peaks, shape=pixels.shape, sigma=sigma / PIXEL)
    return pixels + added


def site_near(truth, place, sublattice):
    own = truth.sites[truth.sites["sublattice"] == sublattice][["y", "x"]].to_numpy()
    return own[np.argmin(np.hypot(*(own - place).T))]


def score(pixels, *, dose=1e6, seed=1, mask=None):
    noisy = add_dose_noise(pixels.astype(float), dose=dose, pixel_size=PIXEL, rng=np.random.default_rng(seed))
    mask = np.zeros(pixels.shape, dtype=bool) if mask is None else mask
    specimen = find_specimen(noisy[None].astype(np.float32), mask)
    return PointDefectFinder(fdr=0.05, min_dark=0.25, min_bright=0.3)(
        specimen.channels, specimen.crystal
    ), specimen.crystal


def at(crystal, place):
    distance, index = cKDTree(crystal.sites.positions).query(place)
    assert distance < 0.3 * crystal.nearest
    return int(index)


@pytest.mark.parametrize("name", ["srtio3", "wse2"])
@pytest.mark.parametrize("sublattice", ["A", "B"])
@pytest.mark.parametrize(
    ("ratio", "sign"), [(0.0, -1), (0.5, -1), (2.0, 1)], ids=["vacancy", "half", "twice as bright"]
)
def test_changed_column_is_flagged_with_its_sign_and_ratio(name, sublattice, ratio, sign):
    image, truth = perfect(name)
    place = site_near(truth, (130, 120), sublattice)
    brightness = SKETCHES[name].brightness["AB".index(sublattice)]
    scores, crystal = score(change(image.pixels, [place], [(ratio - 1) * brightness], name))
    found = at(crystal, place)
    assert np.flatnonzero(scores.flagged).tolist() == [found]
    assert math.copysign(1, scores.z[found]) == sign
    assert scores.ratio[0, found] == pytest.approx(ratio, abs=0.12)
    assert scores.q_value[found] < 0.01


@pytest.mark.parametrize("name", ["au100", "wse2"])
def test_atom_in_a_hollow_is_flagged_as_bright(name):
    image, _ = perfect(name)
    _, crystal = score(image.pixels)
    hollow = np.flatnonzero(crystal.sites.sublattice >= len(crystal.columns))
    place = crystal.sites.positions[hollow]
    place = place[np.argmin(np.hypot(*(place - (128, 128)).T))]
    scores, crystal = score(change(image.pixels, [place], [0.8], name))
    found = at(crystal, place)
    assert np.flatnonzero(scores.flagged).tolist() == [found]
    assert crystal.sublattices[crystal.sites.sublattice[found]].hollow
    assert scores.z[found] > 5


@pytest.mark.parametrize("name", ["srtio3", "wse2", "au100", "au110"])
def test_every_hollow_place_of_the_cell_is_tested(name):
    """The places farthest from columns: in SrTiO3 two of a cell are alike, and neither may be left out."""
    image, truth = perfect(name)
    scores, crystal = score(image.pixels)
    columns = truth.sites[["y", "x"]].to_numpy()
    y, x = np.mgrid[40:216, 40:216]
    room = cKDTree(columns).query(np.column_stack([y.ravel(), x.ravel()]))[0]
    far = np.column_stack([y.ravel(), x.ravel()])[room > 0.97 * room.max()]
    hollow = (crystal.sites.sublattice >= len(crystal.columns)) & np.isfinite(scores.z)
    assert cKDTree(crystal.sites.positions[hollow]).query(far)[0].max() < 0.5 * crystal.nearest


@pytest.mark.parametrize("amount", [-1.0, 1.0])
@pytest.mark.parametrize("name", ["srtio3", "wse2"])
def test_neighbours_of_a_changed_column_keep_their_ratio(name, amount):
    image, truth = perfect(name)
    place = site_near(truth, (130, 120), "A")
    before, crystal = score(image.pixels, dose=math.inf)
    after, other = score(change(image.pixels, [place], [amount], name), dose=math.inf)
    columns = np.flatnonzero(crystal.sites.sublattice < len(crystal.columns))
    distance = np.hypot(*(crystal.sites.positions[columns] - place).T)
    near = columns[(distance > 1) & (distance < 1.6 * crystal.nearest)]
    assert len(near) >= 3
    for site in near:
        same = at(other, crystal.sites.positions[site])
        assert after.ratio[0, same] == pytest.approx(before.ratio[0, site], abs=0.03)


@pytest.mark.parametrize("name", ["wse2", "srtio3", "au100", "graphene"])
def test_perfect_crystal_has_no_flag(name):
    for seed in range(4):
        image, _ = perfect(name, rotation=0.7 * seed + 0.1, seed=seed)
        scores, _ = score(image.pixels, dose=1e5, seed=seed)
        assert not scores.flagged.any()


def test_p_values_of_a_perfect_crystal_are_uniform():
    image, _ = perfect("au100", shape=(320, 320))
    dark = []
    for seed in range(3):
        scores, crystal = score(image.pixels, dose=5e4, seed=seed)
        z = scores.z[(crystal.sites.sublattice == 0) & np.isfinite(scores.z)]
        dark.append(stats.norm.cdf(z))
    assert stats.kstest(np.concatenate(dark), "uniform").pvalue > 0.01


def test_dark_side_carries_the_p_value_of_its_z():
    image, _ = perfect()
    scores, _ = score(image.pixels, dose=5e4)
    dark = scores.z < 0
    columns = dark & np.isfinite(scores.p_value)
    np.testing.assert_allclose(scores.p_value[columns], stats.norm.cdf(scores.z[columns]), rtol=1e-9)
    assert np.all(scores.q_value[columns] >= scores.p_value[columns] * (1 - 1e-9))


def test_sites_at_the_frame_and_beside_a_mask_are_not_tested():
    image, _ = perfect("au100")
    mask = np.zeros(SHAPE, dtype=bool)
    mask[100:140, 100:140] = True
    scores, crystal = score(image.pixels, mask=mask)
    y, x = crystal.sites.positions.T
    frame = np.minimum.reduce([y, x, 255 - y, 255 - x])
    masked = np.hypot(
        np.maximum(np.maximum(100 - y, y - 139), 0), np.maximum(np.maximum(100 - x, x - 139), 0)
    )
    tested = np.isfinite(scores.z)
    assert np.array_equal(tested, local_reference.comparable_sites(crystal, SHAPE))
    assert frame[tested].min() >= 0.5 * crystal.lattice.size
    assert masked[tested].min() > 0.7 * crystal.lattice.size
    assert tested[(frame > crystal.lattice.size) & (masked > 1.5 * crystal.lattice.size)].all()
    assert np.isnan(scores.ratio[0, ~tested]).all()
    assert not scores.flagged[~tested].any()


def test_missing_column_right_beside_the_untested_frame_is_found():
    image, truth = perfect()
    columns = truth.sites[["y", "x"]].to_numpy()
    frame = np.minimum.reduce([*columns.T, *(255 - columns).T])
    place = columns[np.argmin(np.where(frame > 12, frame, np.inf))]
    letter = truth.sites["sublattice"].iloc[int(np.argmin(np.where(frame > 12, frame, np.inf)))]
    amount = -SKETCHES["srtio3"].brightness["AB".index(letter)]
    scores, crystal = score(change(image.pixels, [place], [amount], "srtio3"))
    assert np.flatnonzero(scores.flagged).tolist() == [at(crystal, place)]


def test_change_below_the_least_effect_is_not_flagged_however_significant():
    image, truth = perfect("au100")
    place = site_near(truth, (130, 120), "A")
    scores, crystal = score(change(image.pixels, [place], [-0.15], "au100"), dose=1e8)
    found = at(crystal, place)
    assert scores.z[found] < -8
    assert scores.q_value[found] < 1e-3
    assert not scores.flagged.any()


def test_nothing_measured_is_nothing_flagged():
    empty = SiteScores.empty(5, n_channels=2, n_sublattices=3)
    assert empty.ratio.shape == (2, 5)
    assert np.isnan(empty.z).all()
    assert not empty.flagged.any()
