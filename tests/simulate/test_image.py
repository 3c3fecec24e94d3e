import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from antisite.conditions import Detector
from antisite.errors import InputError
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.crystals.crystal import Column, Crystal
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.crystals.scene import Scene, perfect_scene
from antisite.simulate.extended_defects.boundaries import tilt_boundary
from antisite.simulate.image import image_scene, simulate_image
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Contamination, Readout, Recording, Scan
from antisite.simulate.scattering.optics import Optics

OPTICS = Optics(beam_energy=60e3, detectors=(Detector(inner=60, outer=200),), static=True)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def simulate(tables):
    def run(specimen="MoS2", *, optics=OPTICS, rng=1, **options):
        options = {"shape": (64, 72), "pixel_size": 0.25} | options
        return simulate_image(specimen, optics=optics, cache=tables, rng=rng, **options)

    return run


def one_atom(symbol, y, x, *, shape=(41, 41)):
    atoms = ColumnAtoms((symbol,), (0.0,))
    column = Column(fraction=(0.0, 0.0), brightness=1.0, species=symbol, atoms=atoms)
    crystal = Crystal(name="atom", a=(0, 40.0), b=(40.0, 0), columns=(column,))
    sites = pd.DataFrame({"y": [float(y)], "x": [float(x)], "index": [0], "grain": [0]})
    return Scene(
        crystal=crystal,
        cell=crystal.cell / 0.2,
        origin=np.zeros(2),
        shape=shape,
        pixel_size=0.2,
        sites=sites,
        atoms=(atoms,),
    )


def clean(scene, tables, **options):
    return image_scene(scene, optics=OPTICS, recording=Recording(**options), cache=tables, rng=0)[0].pixels


def test_moving_the_specimen_by_whole_pixels_moves_the_image(tables):
    first, second = (clean(one_atom("Mo", y, x), tables) for y, x in ((20, 20), (23, 16)))
    np.testing.assert_allclose(second[3:, :-4], first[:-3, 4:], atol=1e-3 * first.max())


def test_turning_the_specimen_turns_the_image(tables):
    upright, turned = (clean(one_atom("Mo", y, x), tables) for y, x in ((20, 25.3), (25.3, 20)))
    np.testing.assert_allclose(turned, upright.T, atol=1e-3 * upright.max())


@pytest.mark.parametrize("seed", range(4))
def test_crystal_fills_the_frame_however_far_it_drifts(simulate, seed):
    recording = Recording(scan=Scan(drift=1000.0))
    _, truth = simulate("graphene", recording=recording, shape=(800, 16), pixel_size=0.5, rng=seed)
    seen = truth.sites[["y", "x"]].to_numpy()
    frame = np.stack(np.mgrid[0:800:4, 0:16:4], axis=-1).reshape(-1, 2)
    assert cKDTree(seen).query(frame)[0].max() < 40  # drift of pixels a row pulls columns apart


def test_an_atom_stands_where_the_truth_says(tables):
    image = clean(one_atom("Mo", 19.4, 21.7), tables).astype(float)
    y, x = np.indices(image.shape)
    weight = image * (np.hypot(y - 19.4, x - 21.7) < 8)
    assert (weight * y).sum() / weight.sum() == pytest.approx(19.4, abs=0.02)
    assert (weight * x).sum() / weight.sum() == pytest.approx(21.7, abs=0.02)


@pytest.mark.parametrize("detector", [(60, 200), (80, 200)])
def test_heavier_columns_are_brighter(tables, detector):
    optics = replace(OPTICS, detectors=(Detector(inner=detector[0], outer=detector[1]),))
    peaks = [
        image_scene(one_atom(symbol, 20, 20), optics=optics, recording=Recording(), cache=tables)[
            0
        ].pixels.max()
        for symbol in ("C", "S", "Se", "Mo", "W")
    ]
    assert (np.diff(peaks) > 0).all()


def test_source_size_blurs_and_keeps_the_counts(simulate):
    shape = (120, 120)
    sharp, blurred = (
        simulate(optics=replace(OPTICS, source_size=size), shape=shape)[0].pixels for size in (0.0, 0.5)
    )
    assert blurred.std() < 0.8 * sharp.std()
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=0.01)


def test_counts_scale_with_dose_and_with_the_area_of_a_pixel(simulate):
    def counts(dose, pixel_size):
        image, _ = simulate(recording=Recording(dose=dose), pixel_size=pixel_size, shape=(100, 100))
        return image.pixels.mean()

    assert counts(2e5, 0.2) / counts(1e5, 0.2) == pytest.approx(2, rel=0.02)
    assert counts(1e5, 0.4) / counts(1e5, 0.2) == pytest.approx(4, rel=0.03)


def test_noise_is_that_of_counted_electrons(simulate):
    dose, area = 1e5, 0.25**2
    mean = simulate(shape=(200, 200))[0].pixels * dose * area
    counted = simulate(recording=Recording(dose=dose), shape=(200, 200))[0].pixels
    assert np.mean((counted - mean) ** 2 / mean) == pytest.approx(1, abs=0.03)


def test_seeds_make_the_image(simulate):
    everything = Recording(
        dose=1e5,
        scan=Scan(drift=1, jitter=0.3),
        contamination=Contamination(strength=0.2),
        readout=Readout(bits=8),
    )
    first, again, other = (
        simulate(recording=everything, defects=PointDefects(vacancies={"S": 0.05}), rng=rng)[0].pixels
        for rng in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.9
    assert (first != other).mean() > 0.5


def test_two_detectors_are_two_channels_of_one_scan(simulate):
    rings = (Detector(inner=60, outer=200), Detector(inner=80, outer=200))
    image, _ = simulate(optics=replace(OPTICS, detectors=rings), recording=Recording(scan=Scan(jitter=0.5)))
    assert image.n_channels == 2
    assert image.conditions.detectors == rings
    assert np.corrcoef(image.channels.reshape(2, -1))[0, 1] > 0.97


def test_a_missing_atom_darkens_its_own_column(simulate):
    image, truth = simulate(defects=PointDefects(vacancies={"Mo": 0.1}), shape=(96, 96))
    inner = truth.sites[truth.sites["y"].between(5, 90) & truth.sites["x"].between(5, 90)]
    values = image.pixels[inner["y"].round().astype(int), inner["x"].round().astype(int)]
    perfect = inner["kind"].to_numpy() == "none"
    heavy = inner["sublattice"].to_numpy() == "A"
    assert values[~perfect].max() < 0.5 * np.median(values[perfect & heavy])


def test_drift_moves_sites_lines_and_picture_alike(tables):
    scene = tilt_boundary(
        perfect_scene(find_specimen("MoS2"), shape=(96, 96), pixel_size=0.25, rng=3), math.radians(20)
    )
    drifting = Recording(scan=Scan(drift=3.0))
    still, moved = (
        image_scene(scene, optics=OPTICS, recording=recording, cache=tables, rng=5)
        for recording in (Recording(), drifting)
    )
    assert still[1].lines[0].kind == moved[1].lines[0].kind == "grain_boundary"
    sites = moved[1].sites
    inner = sites[sites["y"].between(4, 91) & sites["x"].between(4, 91)]
    seen = moved[0].pixels[inner["y"].round().astype(int), inner["x"].round().astype(int)]
    assert np.median(seen) > 1.5 * np.median(moved[0].pixels)


def test_conditions_are_those_that_were_asked_for(simulate):
    image, truth = simulate(recording=Recording(dose=2e4))
    assert (image.conditions.beam_energy, image.conditions.dose, image.pixel_size) == (60e3, 2e4, 0.25)
    assert truth.crystal == "MoS2"


def test_an_unknown_specimen_names_its_neighbours():
    with pytest.raises(InputError, match="MoS2"):
        simulate_image("MoS3")


def test_a_frame_smaller_than_a_column_gets_the_light_of_all_around_it(simulate):
    image, _ = simulate(shape=(1, 1), pixel_size=0.05)
    assert image.pixels[0, 0] > 1e-4


def test_wide_probes_see_columns_far_outside_a_small_frame(simulate):
    wide = replace(OPTICS, defocus=500.0)
    small, large = (
        simulate("graphene", optics=wide, shape=shape, rng=2)[0].pixels for shape in ((6, 6), (200, 200))
    )
    assert small.mean() == pytest.approx(large.mean(), rel=0.01)
