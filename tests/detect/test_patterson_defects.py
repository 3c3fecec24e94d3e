import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from antisite.detect import patterson_defects
from antisite.detect.columns_seen import columns_seen
from antisite.detect.patterson_defects import PattersonFinder
from antisite.run.crystal_search import find_specimen
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

SHAPE = (224, 224)
PIXEL = 0.2
INPUTS = ["raw", "semantic"]
MODELS = ["mahalanobis", "one-class-svm"]


def finder(**settings):
    return PattersonFinder(**{"fdr": 0.05, "min_dark": 0.25, "min_bright": 0.3} | settings)


def scene(changes=(), *, name="srtio3", dose=2e5, seed=0, mask=None):
    """A crystal, columns of which are changed: (near which place, sublattice, brightness, shift in px)."""
    _, truth = sketch_image(name, shape=(SHAPE[0] + 60, SHAPE[1] + 60), pixel_size=PIXEL, rotation=0.3, rng=0)
    place = truth.sites[["y", "x"]].to_numpy() - 30
    width = SKETCHES[name].width
    sigma = math.hypot(width, 0.3)
    peak = truth.sites["brightness"].to_numpy() * (width / sigma) ** 2
    changed = []
    for near, sublattice, brightness, shift in changes:
        own = np.flatnonzero(truth.sites["sublattice"] == sublattice)
        site = own[np.argmin(np.hypot(*(place[own] - near).T))]
        changed.append(place[site].copy())
        peak[site] *= brightness
        place[site] += shift
    pixels = draw_columns(place, peak, shape=SHAPE, sigma=sigma / PIXEL)
    noisy = add_dose_noise(pixels, dose=dose, pixel_size=PIXEL, rng=np.random.default_rng(seed))
    specimen = find_specimen(
        noisy[None].astype(np.float32), np.zeros(SHAPE, dtype=bool) if mask is None else mask
    )
    return specimen, np.array(changed)


def at(crystal, places):
    distance, index = cKDTree(crystal.sites.positions).query(places)
    assert distance.max() < 0.3 * crystal.nearest
    return set(index.tolist())


def parts(specimen):
    return specimen.channels, specimen.crystal


MISSING = [((80, 80), "A", 0.0, (0, 0)), ((140, 150), "B", 0.0, (0, 0)), ((60, 160), "B", 0.0, (0, 0))]
SHIFTED = [
    ((80, 80), "A", 1.0, (2.6, 0)),
    ((140, 150), "B", 1.0, (-2.0, 1.8)),
    ((60, 160), "B", 1.0, (0, 2.8)),
]


@pytest.fixture(scope="module")
def missing():
    return scene(MISSING)


@pytest.fixture(scope="module")
def shifted():
    return scene(SHIFTED)


@pytest.fixture(scope="module")
def perfect():
    return scene()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("view", INPUTS)
def test_missing_columns_are_flagged_and_nothing_else(missing, view, model):
    specimen, places = missing
    scores = finder(input=view, model=model)(specimen.channels, specimen.crystal)
    assert set(np.flatnonzero(scores.flagged).tolist()) == at(specimen.crystal, places)
    assert (scores.z[scores.flagged] < 0).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("view", INPUTS)
def test_displaced_columns_are_flagged_though_none_is_dim(shifted, view, model):
    specimen, places = shifted
    scores = finder(input=view, model=model)(specimen.channels, specimen.crystal)
    assert set(np.flatnonzero(scores.flagged).tolist()) == at(specimen.crystal, places)
    assert scores.called[scores.tests.index("shifted")].sum() >= 2


def test_semantic_image_does_not_care_how_bright_a_column_is():
    dim, places = scene([((80, 80), "A", 0.8, (0, 0)), ((140, 150), "B", 1.3, (0, 0))])
    settings = {"min_dark": 0.1, "min_bright": 0.1}
    scores = {v: finder(input=v, **settings)(dim.channels, dim.crystal) for v in INPUTS}
    changed = list(at(dim.crystal, places))
    assert scores["raw"].flagged[changed].all()
    assert not scores["semantic"].flagged.any()


def test_atom_in_a_hollow_is_flagged_as_bright(perfect):
    specimen, _ = perfect
    crystal = specimen.crystal
    hollow = crystal.sites.positions[crystal.hollow]
    place = hollow[np.argmin(np.hypot(*(hollow - (112, 112)).T))]
    extra = draw_columns(place[None], np.array([0.7]), shape=SHAPE, sigma=2.7) / 0.1
    channels = [specimen.channels[0] + extra.astype(np.float32)]
    for view in INPUTS:
        scores = finder(input=view)(channels, crystal)
        found = int(np.argmin(np.hypot(*(crystal.sites.positions - place).T)))
        assert scores.flagged[found]
        assert scores.z[found] > 3


@pytest.mark.parametrize("view", INPUTS)
def test_perfect_crystal_has_no_flag(perfect, view):
    specimen, _ = perfect
    assert not finder(input=view)(specimen.channels, specimen.crystal).flagged.any()


def test_p_values_of_a_perfect_crystal_are_uniform(perfect):
    specimen, _ = perfect
    z = finder(input="raw").measure(specimen.channels, specimen.crystal).z
    p = 2 * stats.norm.sf(np.abs(z[np.isfinite(z)]))
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(p < 0.001) < 0.006


@pytest.mark.parametrize("view", INPUTS)
def test_a_cloud_counts_once(missing, view):
    specimen, places = missing
    crystal = specimen.crystal
    centre = list(at(crystal, places))
    distance, _ = cKDTree(crystal.sites.positions[centre]).query(crystal.sites.positions)
    beside = (distance > 1) & (distance < 1.2 * crystal.nearest)
    cloud, credited = (
        np.abs(finder(input=view, attribute=a).measure(specimen.channels, crystal).z) for a in (False, True)
    )
    assert np.nanmedian(cloud[beside]) > 2
    assert np.nanmedian(credited[beside]) < 1.5
    np.testing.assert_array_equal(credited[centre], cloud[centre])


def test_sites_within_a_nearest_distance_of_the_frame_are_not_scored(perfect):
    specimen, _ = perfect
    crystal = specimen.crystal
    evidence = finder().measure(specimen.channels, crystal)
    y, x = crystal.sites.positions.T
    frame = np.minimum.reduce([y, x, SHAPE[0] - 1 - y, SHAPE[1] - 1 - x])
    np.testing.assert_array_equal(np.isfinite(evidence.z), frame >= crystal.nearest)
    np.testing.assert_array_equal(np.abs(evidence.z), evidence.score)


def test_too_few_sites_of_a_sublattice_are_not_scored(perfect, monkeypatch):
    specimen, _ = perfect
    crystal = specimen.crystal
    smallest = np.bincount(crystal.sites.sublattice[np.isfinite(finder().measure(*parts(specimen)).z)]).min()
    monkeypatch.setattr(patterson_defects, "LEAST_MEMBERS", smallest + 1)
    scores = finder()(*parts(specimen))
    few = np.bincount(crystal.sites.sublattice[np.isfinite(scores.z)], minlength=len(crystal.sublattices))
    assert (few > smallest).sum() == (few > 0).sum() < len(few)
    assert not scores.flagged.any()


def test_limits_of_one_image_judge_another(missing):
    specimen, _ = missing
    method = finder()
    evidence = method.measure(specimen.channels, specimen.crystal)
    strict = method.decide(
        evidence, specimen.crystal, p_limit=np.zeros((len(specimen.crystal.sublattices), 3))
    )
    assert not strict.flagged.any()
    own = method.decide(evidence, specimen.crystal)
    again = method.decide(evidence, specimen.crystal, p_limit=own.p_limit)
    np.testing.assert_array_equal(again.flagged, own.flagged)


def test_stricter_rate_keeps_everything_else():
    assert finder(model="one-class-svm").at_rate(0.01) == finder(model="one-class-svm", fdr=0.01)


def test_columns_without_a_ratio_are_believed(missing):
    specimen, _ = missing
    crystal = specimen.crystal
    unknown = np.full(len(crystal.sites), np.nan)
    shown = columns_seen(specimen.channels, crystal, ratio=unknown, followed=unknown)
    assert len(shown) >= np.isfinite(crystal.offsets).all(axis=1).sum()


def test_semantic_columns_leave_out_the_missing_ones(missing):
    specimen, places = missing
    crystal = specimen.crystal
    ratio = np.ones(len(crystal.sites))
    gone = list(at(crystal, places))
    ratio[gone] = 0.0
    ratio += np.random.default_rng(0).normal(0, 0.03, len(ratio))
    followed = np.full(len(ratio), np.nan)
    shown = columns_seen(specimen.channels, crystal, ratio=ratio, followed=followed)
    assert cKDTree(shown).query(places)[0].min() > 0.7 * crystal.nearest
    standing = ~crystal.hollow
    standing[gone] = False
    distance, _ = cKDTree(shown).query(crystal.sites.positions[standing])
    assert np.median(distance) < 0.1 * crystal.nearest
