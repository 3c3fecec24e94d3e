import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from antisite.detect.column_shift import measure_shift
from antisite.detect.local_reference import comparable_sites, local_references
from antisite.image import Image
from antisite.run.crystal_search import find_specimen
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

SHAPE = (256, 256)
PIXEL = 0.2
PLAIN = Settings(self_check=False)


def shaken(name, *, jitter=0.0, moved=0.0, n_moved=4, seed=0, dose=1e6):
    """A crystal whose columns are shaken by `jitter`, a few moved by `moved` [nearest distances].

    The image, and where the moved columns stood.
    """
    rng = np.random.default_rng(seed)
    _, truth = sketch_image(name, shape=SHAPE, pixel_size=PIXEL, rotation=0.3, rng=1)
    columns, brightness = truth.sites[["y", "x"]].to_numpy(), truth.sites["brightness"].to_numpy()
    nearest = cKDTree(columns).query(columns, k=2)[0][:, 1].min()
    frame = np.minimum(columns, 255 - columns).min(axis=1)
    order = rng.permutation(np.flatnonzero(frame > 40))
    chosen: list[int] = []
    for site in order:
        if all(np.hypot(*(columns[site] - columns[s])) > 4 * nearest for s in chosen):
            chosen.append(site)
    chosen = chosen[: n_moved if moved else 0]
    places = columns + rng.normal(0, jitter * nearest, columns.shape)
    turn = rng.uniform(0, 2 * np.pi, len(chosen))
    places[chosen] = columns[chosen] + moved * nearest * np.column_stack([np.sin(turn), np.cos(turn)])
    sigma = math.hypot(SKETCHES[name].width, 0.3)
    peaks = brightness * (SKETCHES[name].width / sigma) ** 2
    pixels = draw_columns(places, peaks, shape=SHAPE, sigma=sigma / PIXEL)
    noisy = add_dose_noise(pixels, dose=dose, pixel_size=PIXEL, rng=rng)
    return Image(noisy.astype(np.float32)), columns[chosen]


@pytest.mark.parametrize("name", ["au100", "srtio3"])
def test_displaced_columns_are_found_and_are_of_no_kind_of_brightness(name):
    image, moved = shaken(name, jitter=0.01, moved=0.2, dose=3e6)
    result = find_defects(image, settings=PLAIN)
    places, kinds = result.defects[["y", "x"]].to_numpy(), result.defects["kind"].to_numpy()
    assert len(moved) >= 3
    distance, match = cKDTree(places).query(moved)
    assert distance.max() < 0.45 * result.nearest
    assert (kinds[match] == "other").mean() >= 0.75
    ordinary = result.sites.loc[result.sites["kind"] == "none", "score"].dropna()
    assert result.defects["score"].iloc[match].min() > ordinary.quantile(0.99)


@pytest.mark.parametrize("name", ["au100", "srtio3"])
@pytest.mark.parametrize("jitter", [0.01, 0.03])
def test_perfect_crystal_of_shaken_columns_has_no_displaced_one(name, jitter):
    for seed in range(2):
        image, _ = shaken(name, jitter=jitter, seed=seed)
        assert "other" not in find_defects(image, settings=PLAIN).summary["counts"]


def test_rows_shifted_by_the_scan_are_no_displaced_columns():
    options = {"shape": SHAPE, "pixel_size": PIXEL, "dose": 1e5, "rotation": 0.3}
    for seed in range(2):
        image, _ = sketch_image("srtio3", jitter=0.6, drift=1.5, rng=seed, **options)
        assert "other" not in find_defects(image, settings=PLAIN).summary["counts"]


@functools.cache
def perfect():
    image, _ = sketch_image("srtio3", shape=SHAPE, pixel_size=PIXEL, rotation=0.3, dose=1e6, rng=1)
    crystal = find_specimen(image.channels, image.mask).crystal
    return crystal, comparable_sites(crystal, SHAPE)


def measure(offsets, *, least=0.0):
    crystal, tested = perfect()
    return measure_shift(
        replace(crystal, offsets=offsets), local_references(crystal, tested, neighbours=30), least=least
    )


def normal_offsets(width, seed=0):
    """Offsets of all columns by `width` (y, x) nearest distances."""
    crystal, _ = perfect()
    offsets = np.random.default_rng(seed).normal(0, 1, crystal.offsets.shape) * width * crystal.nearest
    return np.where(crystal.hollow[:, None], np.nan, offsets)


def test_p_values_of_normal_shifts_are_uniform_however_unlike_the_axes():
    p = np.concatenate([measure(normal_offsets(np.array([0.01, 0.04]), seed))[1] for seed in range(4)])
    p = p[np.isfinite(p)]
    assert len(p) > 500
    assert stats.kstest(p, "uniform").statistic < 0.07
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.025)


def test_shifts_below_the_least_are_no_news():
    offsets = normal_offsets(np.array([0.02, 0.02]))
    distance, p = measure(offsets, least=0.06)
    seen = np.isfinite(p)
    assert p[seen & (distance < 0.06)].min() == 1
    assert np.all(p[seen] >= measure(offsets)[1][seen] - 1e-12)


def test_distance_is_in_nearest_distances_and_against_the_neighbours():
    crystal, tested = perfect()
    offsets = normal_offsets(np.array([0.005, 0.005]))
    alone = np.flatnonzero(tested & ~crystal.hollow)[37]
    offsets[alone] = 0.2 * crystal.nearest, 0.0
    for common in ((0.0, 0.0), (0.15, -0.1)):
        distance, p = measure(offsets + crystal.nearest * np.array(common))
        assert distance[alone] == pytest.approx(0.2, abs=0.02)
        assert p[alone] < 1e-9
        assert np.nanmedian(distance) < 0.02


def test_missing_column_is_not_a_displaced_one():
    crystal, tested = perfect()
    offsets = normal_offsets(np.array([0.01, 0.01]))
    gone = np.flatnonzero(tested & ~crystal.hollow)[20]
    offsets[gone] = np.nan
    distance, p = measure(offsets)
    assert (distance[gone], p[gone]) == (0, 1)


def test_sublattice_whose_columns_are_hardly_seen_is_not_tested():
    crystal, tested = perfect()
    offsets = normal_offsets(np.array([0.01, 0.01]))
    faint = crystal.sites.sublattice == 1
    offsets[faint & (np.random.default_rng(1).random(len(faint)) < 0.2)] = np.nan
    _, p = measure(offsets)
    assert np.isnan(p[faint]).all()
    assert np.isfinite(p[tested & (crystal.sites.sublattice == 0)]).all()


def test_hollows_and_sites_without_a_comparison_are_not_tested():
    crystal, tested = perfect()
    distance, p = measure(normal_offsets(np.array([0.01, 0.01])))
    for values in (distance, p):
        assert np.isnan(values[crystal.hollow | ~tested]).all()
