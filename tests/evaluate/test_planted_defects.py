import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from antisite.detect.point_defects import PointDefectFinder
from antisite.evaluate.planted_defects import DefectPlanter, Plants, draw_plants
from antisite.run.crystal_search import find_specimen
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

SHAPE = (208, 208)
PIXEL = 0.2
FINDER = PointDefectFinder(fdr=0.05, min_dark=0.2, min_bright=0.3)


def perfect(name, **options):
    return sketch_image(name, **({"shape": SHAPE, "pixel_size": PIXEL, "rotation": 0.3, "rng": 2} | options))


def look(*channels, mask=None):
    mask = np.zeros(SHAPE, dtype=bool) if mask is None else mask
    return find_specimen(np.stack(channels).astype(np.float32), mask)


@functools.cache
def clear_view(name):
    """A scene without noise, what is seen in it, and what plants defects there."""
    image, truth = perfect(name)
    specimen = look(image.pixels)
    return image, truth, specimen, planter_of(specimen)


def planter_of(specimen):
    return DefectPlanter(
        specimen.channels, specimen.crystal, np.ones(len(specimen.crystal.sites), dtype=bool)
    )


def ratios(channels, crystal):
    return FINDER.measure(channels, crystal).ratio


def spread(crystal, *, sublattice=None, margin=26, apart=3.0, most=12):
    """Random sites far from each other and from the frame."""
    y, x = crystal.sites.positions.T
    inner = np.minimum.reduce([y, x, SHAPE[0] - 1 - y, SHAPE[1] - 1 - x]) > margin
    own = inner if sublattice is None else inner & (crystal.sites.sublattice == sublattice)
    chosen = []
    for site in np.random.default_rng(0).permutation(np.flatnonzero(own)):
        place = crystal.sites.positions[site]
        if all(np.hypot(*(place - crystal.sites.positions[s])) > apart * crystal.nearest for s in chosen):
            chosen.append(int(site))
    return np.array(chosen[:most])


def plants_at(sites, change):
    return Plants(sites=np.asarray(sites), change=np.full(len(sites), float(change)))


def spoil(pixels, truth, crystal, sites, change, name):
    """The scene with these columns truly changed."""
    columns = truth.sites[["y", "x"]].to_numpy()
    distance, near = cKDTree(columns).query(crystal.sites.positions[sites])
    assert distance.max() < 0.2 * crystal.nearest
    width = SKETCHES[name].width
    sigma = math.hypot(width, 0.3)
    peaks = change * truth.sites["brightness"].to_numpy()[near] * (width / sigma) ** 2
    return pixels + draw_columns(columns[near], peaks, shape=pixels.shape, sigma=sigma / PIXEL)


@pytest.mark.parametrize("change", [-1.0, -0.5, 0.5])
@pytest.mark.parametrize(("name", "sublattice"), [("au100", 0), ("srtio3", 1), ("wse2", 0), ("wse2", 1)])
def test_planted_change_is_measured_as_a_true_one(name, sublattice, change):
    image, truth, specimen, plant = clear_view(name)
    crystal = specimen.crystal
    sites = spread(crystal, sublattice=sublattice)
    planted = ratios(plant(plants_at(sites, change)), crystal)[0, sites]
    spoilt = look(spoil(image.pixels, truth, crystal, sites, change, name))
    match = cKDTree(spoilt.crystal.sites.positions).query(crystal.sites.positions[sites])[1]
    true = ratios(spoilt.channels, spoilt.crystal)[0, match]
    assert len(sites) >= 5
    assert np.median(planted) == pytest.approx(1 + change, abs=0.12)
    assert np.median(planted) == pytest.approx(np.median(true), abs=0.03)
    assert np.abs(planted - true).max() < 0.08


def test_planted_atom_in_a_hollow_has_the_light_of_the_mean_column():
    _, _, specimen, plant = clear_view("srtio3")
    crystal = specimen.crystal
    sites = spread(crystal, sublattice=len(crystal.columns))
    assert crystal.hollow[sites].all()
    ratio = ratios(plant(plants_at(sites, 1.0)), crystal)[0, sites]
    assert np.median(ratio) == pytest.approx(2, abs=0.15)


def test_column_is_taken_away_wherever_the_contrast_is():
    image, truth, _, _ = clear_view("au100")
    slope = np.linspace(0.6, 1.4, SHAPE[1])
    specimen = look(image.pixels * slope)
    crystal = specimen.crystal
    sites = spread(crystal, sublattice=0)
    planted = ratios(planter_of(specimen)(plants_at(sites, -1)), crystal)[0, sites]
    spoilt = look(spoil(image.pixels, truth, crystal, sites, -1, "au100") * slope)
    match = cKDTree(spoilt.crystal.sites.positions).query(crystal.sites.positions[sites])[1]
    true = ratios(spoilt.channels, spoilt.crystal)[0, match]
    assert np.ptp(crystal.sites.positions[sites][:, 1]) > SHAPE[1] / 2
    assert np.abs(planted - true).max() < 0.12


def test_column_off_its_place_is_taken_away_where_it_stands():
    image, truth, specimen, _ = clear_view("au100")
    place = specimen.crystal.sites.positions[spread(specimen.crystal, sublattice=0)[4]]
    columns = truth.sites[["y", "x"]].to_numpy()
    own = columns[cKDTree(columns).query(place)[1]]
    sigma = math.hypot(0.4, 0.3)
    column = {"shape": SHAPE, "sigma": sigma / PIXEL}
    peak = np.array([(0.4 / sigma) ** 2])
    empty = image.pixels - draw_columns(own[None], peak, **column)
    moved = look(empty + draw_columns(own[None] + (1.5, 1.0), peak, **column))
    nearest = cKDTree(moved.crystal.sites.positions[~moved.crystal.hollow]).query(place)[1]
    (planted,) = planter_of(moved)(plants_at([np.flatnonzero(~moved.crystal.hollow)[nearest]], -1))
    wanted = (empty - empty.mean()) / empty.std() * moved.channels[0].std() + moved.channels[0].mean()
    around = tuple(slice(int(p) - 8, int(p) + 9) for p in place)
    assert np.ptp((planted - wanted)[around]) < 0.15 * np.ptp(moved.channels[0])


def test_nothing_changes_far_from_the_plants_nor_in_the_input():
    image, _ = perfect("wse2", dose=1e5)
    specimen = look(image.pixels)
    before = specimen.channels[0].copy()
    sites = spread(specimen.crystal, apart=6.0)[:4]
    (planted,) = planter_of(specimen)(Plants(sites=sites, change=np.array([-1, -0.3, 0.5, 1.0])))
    assert np.array_equal(specimen.channels[0], before)
    y, x = np.indices(SHAPE).reshape(2, -1)
    distance = cKDTree(specimen.crystal.sites.positions[sites]).query(np.column_stack([y, x]))[0]
    changed = (planted != before).ravel()
    assert changed[distance < 2].all()
    assert not changed[distance > 3 * specimen.crystal.nearest].any()


def test_nothing_changes_under_the_mask():
    image, _ = perfect("wse2", dose=1e5)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[90:120, 100:130] = True
    specimen = look(image.pixels, mask=mask)
    crystal = specimen.crystal
    at = np.round(crystal.sites.positions).astype(int)
    edge = np.maximum(np.abs(at[:, 0] - 104.5), np.abs(at[:, 1] - 114.5))
    beside = np.flatnonzero((edge > 15) & (edge < 19))
    (planted,) = planter_of(specimen)(plants_at(beside[:8], -1))
    assert np.array_equal(planted[mask], specimen.channels[0][mask])
    assert not np.array_equal(planted, specimen.channels[0])


def test_both_detectors_lose_the_column():
    image, _ = perfect("srtio3")
    specimen = look(image.pixels, np.sqrt(image.pixels + 0.1))
    plant = planter_of(specimen)
    for sublattice in (0, 1):
        sites = spread(specimen.crystal, sublattice=sublattice)
        planted = plant(plants_at(sites, -1))
        assert len(planted) == 2
        assert np.abs(ratios(planted, specimen.crystal)[:, sites]).max() < 0.2


def noise_around(pixels, clean, crystal, sites):
    """Variance of what is not in the clean image, in its unit, on the columns of these sites."""
    gain, offset = np.polyfit(clean.ravel(), pixels.ravel(), 1)
    noise = (pixels - offset) / gain - clean
    noise -= noise.mean()
    middle = np.round(crystal.sites.positions[sites]).astype(int)
    return np.mean([np.var(noise[y - 2 : y + 3, x - 2 : x + 3]) for y, x in middle])


@pytest.mark.parametrize("poisson", [True, False], ids=["counted electrons", "uniform"])
def test_noise_under_a_vacancy_is_that_between_the_columns(poisson):
    image, truth = perfect("au100")
    clean = image.pixels.astype(float) + 0.2
    rng = np.random.default_rng(5)
    before, after, between = [], [], []
    for _ in range(4):
        noisy = (
            add_dose_noise(clean, dose=1e4, pixel_size=PIXEL, rng=rng)
            if poisson
            else clean + rng.normal(0, 0.15, SHAPE)
        )
        specimen = look(noisy)
        crystal = specimen.crystal
        sites, hollows = (spread(crystal, sublattice=k, apart=2.2, most=99) for k in (0, 1))
        (planted,) = planter_of(specimen)(plants_at(sites, -1))
        emptied = spoil(clean, truth, crystal, sites, -1, "au100")
        before.append(noise_around(specimen.channels[0], clean, crystal, sites))
        between.append(noise_around(specimen.channels[0], clean, crystal, hollows))
        after.append(noise_around(planted, emptied, crystal, sites))
    change, wanted = np.mean(after) / np.mean(before), np.mean(between) / np.mean(before)
    assert wanted < 0.6 if poisson else 0.85 < wanted < 1.15
    assert wanted / 1.4 < change < 1.4 * wanted


@pytest.fixture(scope="module")
def crystal():
    return look(perfect("srtio3", dose=1e6)[0].pixels).crystal


DARK, BRIGHT = (-1.0, -0.6, -0.2), (0.4, 0.8)


def draw(crystal, eligible=None, *, share=0.06, seed=0):
    eligible = np.ones(len(crystal.sites), dtype=bool) if eligible is None else eligible
    return draw_plants(
        crystal, eligible, dark=DARK, bright=BRIGHT, share=share, rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize("seed", range(5))
def test_plants_stand_alone(crystal, seed):
    plants = draw(crystal, seed=seed)
    assert len(plants.sites) == len(plants.change) > 5
    assert pdist(crystal.sites.positions[plants.sites]).min() > 2 * crystal.nearest


@pytest.mark.parametrize("seed", range(5))
def test_every_change_is_planted_equally_often(crystal, seed):
    plants = draw(crystal, seed=seed)
    hollow = crystal.hollow[plants.sites]
    assert hollow.any()
    for k in range(len(crystal.sublattices)):
        own = crystal.sites.sublattice[plants.sites] == k
        wanted = BRIGHT if crystal.sublattices[k].hollow else DARK + BRIGHT
        assert set(plants.change[own]) <= set(wanted)
        times = [np.sum(plants.change[own] == change) for change in wanted]
        assert max(times) - min(times) <= 1


def test_changes_rotate_from_draw_to_draw_where_there_are_few_sites(crystal):
    drawn = np.concatenate([draw(crystal, share=0.005, seed=s).change for s in range(40)])
    assert set(drawn) == set(DARK + BRIGHT)


def test_no_more_than_the_share_of_each_sublattice_is_planted(crystal):
    plants = draw(crystal, share=0.03)
    n = np.bincount(crystal.sites.sublattice)
    drawn = np.bincount(crystal.sites.sublattice[plants.sites], minlength=len(n))
    assert np.all(drawn <= np.ceil(0.03 * n))
    assert np.all(drawn >= 1)


def test_only_eligible_sites_are_planted(crystal):
    eligible = np.random.default_rng(3).random(len(crystal.sites)) < 0.3
    plants = draw(crystal, eligible, share=0.2)
    assert eligible[plants.sites].all()
    assert len(np.unique(plants.sites)) == len(plants.sites) > 0


def test_same_seed_draws_the_same_plants(crystal):
    first, second, other = draw(crystal, seed=1), draw(crystal, seed=1), draw(crystal, seed=2)
    assert np.array_equal(first.sites, second.sites)
    assert np.array_equal(first.change, second.change)
    assert not np.array_equal(first.sites, other.sites)


def test_nothing_eligible_is_nothing_planted():
    specimen = look(perfect("au100", dose=1e6)[0].pixels)
    nobody = np.zeros(len(specimen.crystal.sites), dtype=bool)
    plants = draw(specimen.crystal, nobody)
    assert len(plants.sites) == len(plants.change) == 0
    (same,) = DefectPlanter(specimen.channels, specimen.crystal, nobody)(plants)
    np.testing.assert_array_equal(same, specimen.channels[0])


def test_columns_whose_place_was_not_seen_are_taken_away_where_they_are_wanted():
    specimen = clear_view("srtio3")[2]
    nowhere = np.full_like(specimen.crystal.offsets, np.nan)
    blind = replace(specimen, crystals=(replace(specimen.crystal, offsets=nowhere),))
    sites = spread(specimen.crystal)
    seen, unseen = (planter_of(s)(plants_at(sites, -1))[0] for s in (specimen, blind))
    assert np.isfinite(unseen).all()
    assert np.abs(seen - unseen).max() < 0.3 * np.ptp(seen)
