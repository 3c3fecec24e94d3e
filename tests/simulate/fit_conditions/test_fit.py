"""Conditions fitted to simulated images are those they were made under; a twin has the same."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from antisite.conditions import Conditions, Detector
from antisite.errors import InputError
from antisite.image import Image
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.fit_conditions.fit import fit_conditions
from antisite.simulate.fit_conditions.fitted_conditions import FittedConditions
from antisite.simulate.fit_conditions.twin import twin
from antisite.simulate.image import simulate_image
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Readout, Recording, Scan
from antisite.simulate.scattering.optics import Optics

OPTICS = Optics(beam_energy=80e3, detectors=(Detector(inner=70, outer=200),))
SIZE, ROTATION, SOURCE, DOSE, JITTER = 0.22, 0.3, 0.35, 2e4, 0.2


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def image(cache) -> Image:
    recording = Recording(dose=DOSE, scan=Scan(jitter=JITTER), readout=Readout(gain=30.0, offset=200.0))
    made, _ = simulate_image(
        "WSe2",
        optics=replace(OPTICS, source_size=SOURCE),
        recording=recording,
        shape=(256, 256),
        pixel_size=SIZE,
        rotation=ROTATION,
        cache=cache,
        rng=5,
    )
    return replace(made, pixel_size=math.nan, name="unknown.tif")


@pytest.fixture(scope="module")
def fitted(image: Image, cache) -> FittedConditions:
    return fit_conditions(image, find_specimen("WSe2"), cache=cache)


def test_pixel_size_is_right_within_half_a_per_cent(fitted: FittedConditions) -> None:
    assert fitted.pixel_size == pytest.approx(SIZE, rel=0.005)
    assert fitted.stretch < 0.01


def test_orientation_is_right_though_w_and_se_have_the_same_lattice(fitted: FittedConditions) -> None:
    away = (fitted.rotation - ROTATION) % (2 * math.pi / 3)
    assert min(away, 2 * math.pi / 3 - away) < math.radians(0.5)
    assert not fitted.mirrored


def test_source_dose_and_gain_are_those_of_the_image(fitted: FittedConditions) -> None:
    (one,) = fitted.detectors
    assert math.hypot(fitted.source.size, fitted.source.smear / math.sqrt(2)) == pytest.approx(
        SOURCE, abs=0.03
    )
    assert one.dose == pytest.approx(DOSE, rel=0.08)
    assert one.readout.gain == pytest.approx(30, rel=0.08)
    assert fitted.scan.jitter == pytest.approx(JITTER, abs=0.08)
    assert one.misfit < 0.1


def test_twin_has_level_contrast_and_scale_of_the_image(
    fitted: FittedConditions, image: Image, cache
) -> None:
    made, truth = twin(fitted, cache=cache, rng=1)
    assert made.shape == image.shape
    assert made.pixels.mean() == pytest.approx(image.pixels.mean(), rel=0.03)
    assert made.pixels.std() == pytest.approx(image.pixels.std(), rel=0.05)
    assert made.pixel_size == fitted.pixel_size
    assert set(truth.sites["kind"]) == {"none"}


def test_twin_is_repeatable_and_holds_the_defects_asked_for(fitted: FittedConditions, cache) -> None:
    defects = PointDefects(vacancies={"Se": 0.1})
    (one, truth), (same, _), (other, _) = (
        twin(fitted, defects=defects, shape=(96, 128), cache=cache, rng=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.channels, same.channels)
    assert one.shape == (96, 128)
    assert not np.array_equal(one.channels, other.channels)
    assert "partial_vacancy" in set(truth.defects["kind"])


@pytest.mark.parametrize("drift", [0.0, 2.0])
def test_defects_do_not_dim_a_twin_again(fitted: FittedConditions, cache, drift: float) -> None:
    moving = replace(fitted, scan=replace(fitted.scan, drift=drift))
    many = PointDefects(vacancies={"Se": 0.3})
    levels = [twin(moving, defects=one, cache=cache, rng=1)[0].channels.mean() for one in (None, many)]
    assert levels[1] == pytest.approx(levels[0], rel=0.005)


def test_a_drifting_twin_without_defects_fills_its_frame(fitted: FittedConditions, cache) -> None:
    far = replace(fitted, scan=replace(fitted.scan, drift=300.0))
    one, asked = (
        twin(far, defects=defects, shape=(64, 64), cache=cache, rng=1)[0].pixels
        for defects in (None, PointDefects())
    )
    np.testing.assert_array_equal(one, asked)
    rows = one.mean(axis=1)
    assert rows.min() > 0.3 * rows.max()


def test_a_strongly_aberrated_twin_swings_no_more_at_its_frame(fitted: FittedConditions, cache) -> None:
    source = replace(fitted.source, aberrations=(-2.0, 1.5, 0.0, 1.0, 0.0, 0.0, 0.0))
    still = replace(fitted, source=source, detectors=(replace(fitted.detectors[0], dose=math.inf),))
    made, _ = twin(still, cache=cache, rng=1)
    frame = np.ones(made.shape, bool)
    frame[6:-6, 6:-6] = False
    assert np.ptp(made.pixels[frame]) < 1.1 * np.ptp(made.pixels[~frame])


def test_the_truth_of_a_twin_is_where_its_columns_are(fitted: FittedConditions, cache) -> None:
    made, truth = twin(fitted, shape=(96, 128), cache=cache, rng=1)
    at = truth.sites[truth.sites["species"] == "W"][["y", "x"]].to_numpy()
    assert len(at) == pytest.approx(96 * 128 * SIZE**2 / (3.32**2 * math.sqrt(0.75)), rel=0.1)
    y, x = np.rint(at[((at > 1) & (at < [94, 126])).all(axis=1)]).astype(int).T
    assert made.pixels[y, x].mean() > made.pixels.mean() + 2 * made.pixels.std()


def test_a_twin_may_be_a_single_row(fitted: FittedConditions, cache) -> None:
    assert np.isfinite(twin(fitted, shape=(1, 64), cache=cache, rng=1)[0].pixels).all()


def test_lattice_constant_scales_the_pixels(image: Image, cache) -> None:
    longer = fit_conditions(image, find_specimen("WSe2"), lattice_constant=3.32 * 1.02, cache=cache)
    assert longer.pixel_size == pytest.approx(1.02 * SIZE, rel=0.005)


def test_an_image_as_it_was_recorded_gives_no_caution(fitted: FittedConditions) -> None:
    assert fitted.cautions == ()


def test_an_image_that_was_averaged_before_is_told(image: Image, cache) -> None:
    mean = ndimage.uniform_filter(image.channels.astype(float), (0, 2, 2))
    fitted = fit_conditions(replace(image, channels=mean), find_specimen("WSe2"), cache=cache)
    (told,) = fitted.cautions
    assert told.startswith("noise of neighbouring pixels of the image is alike, as after a blur of 0.")
    assert "it seems to have been averaged or filtered" in told
    sharpened = replace(fitted.detectors[0], smoothing=(-0.2, 0.0))
    assert replace(fitted, detectors=(sharpened,)).cautions == ()
    two = replace(fitted, detectors=(sharpened, fitted.detectors[0]))
    assert "pixels of detector 2 is alike" in two.cautions[0]


def test_aberrations_as_large_as_a_fit_allows_are_told(fitted: FittedConditions) -> None:
    far = replace(fitted.source, aberrations=(-2.99, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0))
    (told,) = replace(fitted, source=far).cautions
    assert told.startswith("defocus and coma reached the 3 rad that a fit allows")


def test_the_cautions_of_its_beam_are_those_of_a_fit(fitted: FittedConditions) -> None:
    near = replace(fitted.optics, detectors=(Detector(inner=30, outer=60),))
    assert replace(fitted, optics=near).cautions == near.cautions != ()


def test_noiseless_image_has_an_infinite_dose(image: Image, cache) -> None:
    clean, _ = simulate_image("WSe2", optics=OPTICS, shape=(128, 128), pixel_size=SIZE, cache=cache, rng=1)
    fitted = fit_conditions(clean, find_specimen("WSe2"), cache=cache)
    made, _ = twin(fitted, cache=cache, rng=1)
    assert fitted.pixel_size == pytest.approx(SIZE, rel=0.005)
    assert np.isfinite(made.channels).all()


def test_unknown_beam_is_refused_with_what_is_missing(image: Image) -> None:
    unknown = replace(image, conditions=Conditions())
    with pytest.raises(InputError, match=r"lacks: beam energy \(--beam-energy\), convergence"):
        fit_conditions(unknown, find_specimen("WSe2"))


def test_one_detector_for_two_channels_is_refused(image: Image) -> None:
    two = replace(image, channels=np.repeat(image.channels, 2, axis=0))
    with pytest.raises(InputError, match="each channel needs its detector, got 1 for 2"):
        fit_conditions(two, find_specimen("WSe2"), optics=OPTICS)


def test_another_lattice_is_refused(image: Image) -> None:
    with pytest.raises(InputError, match="must have the lattice of the image, got Fe_100"):
        fit_conditions(image, find_specimen("Fe_100"))


def test_impossible_lattice_constant_is_refused(image: Image) -> None:
    with pytest.raises(InputError, match="lattice_constant must be positive"):
        fit_conditions(image, find_specimen("WSe2"), lattice_constant=-1)
