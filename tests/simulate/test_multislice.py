import sys

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from antisite.conditions import Detector
from antisite.errors import InputError, MissingExtraError
from antisite.simulate.crystals.column_atoms import EMPTY, ColumnAtoms
from antisite.simulate.crystals.crystal import Column, Crystal
from antisite.simulate.crystals.scene import Scene
from antisite.simulate.multislice import (
    abtem_aberrations,
    multislice_image,
    projected_potential,
    scene_atoms,
)
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.probe import probe_wave

HAADF = Detector(inner=80, outer=150)
OPTICS = Optics(beam_energy=80e3, convergence=30, detectors=(HAADF,), static=True)
QUICK = {"shape": (16, 20), "sampling": 0.08}


def atoms_at(*positions, symbols="W", box=(5.0, 4.0, 2.0)):
    return Atoms(symbols, positions, cell=box, pbc=True)


def make_scene(sites, atoms, *, shape=(20, 30), pixel_size=0.5):
    crystal = Crystal(
        name="one", a=(0, 3), b=(3, 0), columns=(Column(fraction=(0, 0), brightness=1, species="W"),)
    )
    return Scene(
        crystal=crystal,
        cell=crystal.cell / pixel_size,
        origin=np.zeros(2),
        shape=shape,
        pixel_size=pixel_size,
        sites=pd.DataFrame(sites),
        atoms=atoms,
    )


@pytest.fixture
def abtem():
    return pytest.importorskip("abtem")


def test_without_abtem_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "abtem", None)
    with pytest.raises(MissingExtraError, match=r"needs abtem here: pip install 'antisite\[multislice\]'"):
        multislice_image(atoms_at((1, 1, 0)), OPTICS, **QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"cell": [[3, 0, 0], [1.5, 2.6, 0], [0, 0, 2]]},
            "needs an orthogonal cell along x, y, z, got angles",
        ),
        ({"cell": [3, 3, 0]}, r"needs a cell with three edges, got 3, 3, 0 Å \(atoms.center"),
        ({"sampling": 0.1}, "sampling must be above 0 and at most 0.0928 Å, so that .* 150 mrad, got 0.1"),
        ({"sampling": 0.0}, "sampling must be above 0"),
        ({"slice_thickness": 0.0}, r"slice_thickness must be positive \[Å\], got 0"),
        (
            {"n_phonons": 2, "displacements": {"Se": 0.1}, "optics": Optics(detectors=(HAADF,))},
            "displacement for each element, got none for W",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused(change, message):
    atoms = Atoms("W", [(1, 1, 0)], cell=change.pop("cell", (5, 4, 2)))
    optics = change.pop("optics", OPTICS)
    with pytest.raises(InputError, match=message):
        multislice_image(atoms, optics, **QUICK | change)


def test_aberrations_take_the_signs_of_abtem():
    optics = Optics(defocus=50, cs=1e4, c5=1e7, astigmatism=(20, 0.3), coma=(100, 0.7))
    assert abtem_aberrations(optics) == {
        "C10": -50, "C12": 20, "phi12": 0.3, "C21": 100, "phi21": 0.7, "C30": 1e4, "C50": 1e7
    }  # fmt: skip


def test_scene_in_a_box_keeps_its_places_and_what_the_columns_hold():
    pair = ColumnAtoms(("Se", "S"), (0.0, 3.0))
    sites = {"y": [4.0, -2.0, 60.0], "x": [6.0, 31.0, 0.0], "index": 0, "atoms": [1, 0, 0]}
    atoms = scene_atoms(make_scene(sites, (ColumnAtoms(("W",), (1.5,)), pair)), margin=2.0)
    assert atoms.get_chemical_formula(mode="reduce") == "SeSW"
    np.testing.assert_allclose(atoms.positions, [[3, 2, 0], [3, 2, 3], [15.5, 13, 1.5]])
    np.testing.assert_allclose(np.diag(atoms.cell), [19, 14, 5])


def test_scene_without_atoms_is_an_empty_box():
    assert len(scene_atoms(make_scene({"y": [4.0], "x": [6.0], "index": 0}, (EMPTY,)))) == 0


def test_atom_stands_where_it_was_put(abtem):
    image = multislice_image(atoms_at((1.0, 3.0, 0)), OPTICS, **QUICK)
    assert image.shape == (1, 16, 20)
    assert image.dtype == np.float32
    assert np.unravel_index(image[0].argmax(), image[0].shape) == (12, 4)
    assert 0 < image.min() < image.max() < 0.1


def test_image_moves_with_the_atoms_by_any_fraction_of_a_step_of_the_potential(abtem):
    finer = QUICK | {"sampling": 0.04}
    first = multislice_image(atoms_at((1, 3, 0), (3, 1, 0.5), symbols="WS"), OPTICS, **finer)
    moved = multislice_image(atoms_at((1.25, 3.25, 0), (3.25, 1.25, 0.5), symbols="WS"), OPTICS, **finer)
    np.testing.assert_allclose(moved, np.roll(first, (1, 1), axis=(1, 2)), atol=0.02 * first.max())


def test_potential_is_that_of_abtem_where_atoms_stand_on_its_grid(abtem):
    atoms = atoms_at((1.0, 3.0, 0.1), (3.0, 1.0, 1.1), symbols="WS")
    ours = projected_potential(atoms, grid=(100, 80), slice_thickness=1.0)
    theirs = abtem.Potential(atoms, gpts=(100, 80), slice_thickness=1.0).build(lazy=False).array
    np.testing.assert_allclose(ours.sum(axis=(1, 2)), theirs.sum(axis=(1, 2)), rtol=1e-4)
    kept = np.hypot(np.fft.fftfreq(100)[:, None], np.fft.fftfreq(80)) < 0.1
    ours, theirs = (np.fft.fft2(potential)[:, kept] for potential in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=4e-3 * abs(theirs).max())


def test_probe_with_every_aberration_is_that_of_the_tables(abtem):
    optics = Optics(defocus=40, cs=1e5, c5=1e7, astigmatism=(30, 0.4), coma=(500, 1.1))
    probe = abtem.Probe(
        energy=80e3, semiangle_cutoff=30, extent=20, gpts=256, aberrations=abtem_aberrations(optics)
    )
    theirs = np.abs(np.squeeze(probe.build(scan=np.zeros((1, 2)), lazy=False).array)).T ** 2
    k = np.fft.fftfreq(256, 20 / 256)
    ours = np.abs(np.fft.ifft2(probe_wave(optics, k[:, None], k, 1 / 20))) ** 2
    np.testing.assert_allclose(ours / ours.sum(), theirs / theirs.sum(), atol=1e-5 * ours.max() / ours.sum())


def test_prism_with_all_plane_waves_is_multislice(abtem):
    atoms = atoms_at((1.0, 3.0, 0), (3.0, 1.0, 1), symbols="WS")
    exact = multislice_image(atoms, OPTICS, **QUICK)
    prism = multislice_image(atoms, OPTICS, method="prism", **QUICK)
    np.testing.assert_allclose(prism, exact, atol=0.01 * exact.max())


def test_underfocus_looks_deeper(abtem):
    deep = atoms_at((2.5, 2.0, 60.0), box=(5.0, 4.0, 64.0))
    peak = {
        defocus: multislice_image(
            deep, Optics(convergence=30, detectors=(HAADF,), defocus=defocus), slice_thickness=20, **QUICK
        ).max()
        for defocus in (-60, 0, 60)
    }
    assert peak[60] > 1.2 * peak[0] > 1.2 * peak[-60]


def test_thermal_motion_widens_the_peak_and_repeats_with_its_seed(abtem):
    moving = Optics(convergence=30, detectors=(HAADF,))
    settings = QUICK | {"n_phonons": 6, "displacements": {"W": 0.3}}
    atoms = atoms_at((2.5, 2.0, 0))
    still = multislice_image(atoms, OPTICS, **QUICK)
    first, again, other = (multislice_image(atoms, moving, rng=seed, **settings) for seed in (0, 0, 1))
    assert first.max() < 0.9 * still.max()
    np.testing.assert_allclose(first.sum(), still.sum(), rtol=0.03)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(still, multislice_image(atoms, OPTICS, **settings))


def test_source_blurs_and_keeps_the_mean(abtem):
    atoms = atoms_at((2.5, 2.0, 0))
    sharp = multislice_image(atoms, OPTICS, **QUICK)
    soft = multislice_image(
        atoms, Optics(beam_energy=80e3, detectors=(HAADF,), source_size=0.4, static=True), **QUICK
    )
    assert soft.max() < 0.8 * sharp.max()
    assert soft.mean() == pytest.approx(sharp.mean(), rel=1e-5)


def test_part_of_the_cell_is_part_of_its_image(abtem):
    atoms = atoms_at((1.0, 1.0, 0), (3.0, 3.0, 0), symbols="W2")
    whole = multislice_image(atoms, OPTICS, **QUICK)
    part = multislice_image(atoms, OPTICS, shape=(8, 10), region=(2.0, 2.5), sampling=0.08)
    np.testing.assert_allclose(part, whole[:, :8, :10], rtol=1e-4)
