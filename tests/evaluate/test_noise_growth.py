from dataclasses import replace

import numpy as np
import pytest

from antisite.evaluate.noise_growth import NoiseGrowth, measure_noise_growth
from antisite.run.crystal_search import find_specimen
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.image import sketch_image

SHAPE = (256, 256)
PIXEL = 0.2
PEDESTAL = 0.3


@pytest.fixture(scope="module")
def clean():
    image, _ = sketch_image("srtio3", shape=SHAPE, pixel_size=PIXEL, rotation=0.3, rng=1)
    return image.pixels.astype(float) + PEDESTAL


def counted(clean, *, dose=2e4, seed=0):
    return add_dose_noise(clean, dose=dose, pixel_size=PIXEL, rng=np.random.default_rng(seed))


def look(pixels, mask=None):
    mask = np.zeros(SHAPE, dtype=bool) if mask is None else mask
    return find_specimen(pixels[None].astype(np.float32), mask)


def between_columns_and_hollows(pixels, clean, mask=None):
    """Measured variance on the brightest columns over that in the hollows, and the ratio of their light."""
    specimen = look(pixels, mask)
    crystal, seen = specimen.crystal, specimen.channels[0]
    growth = measure_noise_growth(seen, crystal)
    y, x = np.clip(np.round(crystal.sites.positions).astype(int), 0, 255).T
    open_ = ~specimen.mask[y, x]
    masks = open_ & (crystal.sites.sublattice == 0), open_ & crystal.hollow
    low_high = [np.median(seen[y[m], x[m]]) for m in masks]
    light = [np.median(clean[y[m], x[m]]) for m in masks]
    return growth(np.array(low_high[:1]))[0] / growth(np.array(low_high[1:]))[0], light[0] / light[1]


def test_noise_of_counted_electrons_grows_as_their_number(clean):
    ratios = np.array([between_columns_and_hollows(counted(clean, seed=s), clean) for s in range(4)])
    measured, true = ratios.mean(axis=0)
    assert true > 2
    assert measured == pytest.approx(true, rel=0.3)


def test_uniform_noise_does_not_grow(clean):
    ratios = [
        between_columns_and_hollows(clean + np.random.default_rng(s).normal(0, 0.2, SHAPE), clean)[0]
        for s in range(4)
    ]
    assert np.mean(ratios) == pytest.approx(1, abs=0.25)


def test_unit_and_offset_of_the_image_do_not_matter(clean):
    pixels = counted(clean)
    first, second = (between_columns_and_hollows(p, clean)[0] for p in (pixels, 40 * pixels - 7))
    assert first == pytest.approx(second, rel=1e-3)


def test_what_lies_under_the_mask_does_not_matter(clean):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:145] = True  # more than half of the sites
    pixels = counted(clean)
    spoilt = np.where(mask, np.random.default_rng(1).normal(3, 2, SHAPE), pixels)
    (first, true), (second, _) = (between_columns_and_hollows(p, clean, mask) for p in (pixels, spoilt))
    assert first == pytest.approx(second, rel=1e-3)
    assert first == pytest.approx(true, rel=0.5)


def test_variance_is_positive_at_any_intensity(clean):
    for pixels in (counted(clean), clean):
        specimen = look(pixels)
        growth = measure_noise_growth(specimen.channels[0], specimen.crystal)
        assert np.all(growth(np.array([-1e6, -3.0, 0.0, 3.0, 1e6])) > 0)


def test_few_sites_are_taken_to_have_uniform_noise(clean):
    specimen = look(counted(clean))
    crystal = specimen.crystal
    few = np.concatenate([np.flatnonzero(crystal.sites.sublattice == k)[:10] for k in range(3)])
    sites = replace(
        crystal.sites,
        positions=crystal.sites.positions[few],
        sublattice=crystal.sites.sublattice[few],
        cells=crystal.sites.cells[few],
    )
    growth = measure_noise_growth(specimen.channels[0], replace(crystal, sites=sites))
    assert np.ptp(growth(np.array([-5.0, 5.0]))) == 0


def test_variance_is_a_straight_line_above_its_least():
    growth = NoiseGrowth(base=2.0, slope=0.5, least=0.1)
    assert growth(np.array([-10.0, 0.0, 4.0])).tolist() == [0.1, 2.0, 4.0]
