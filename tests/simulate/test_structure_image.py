from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell, mx2

from antisite.conditions import Detector
from antisite.errors import InputError
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.structure_image import structure_image

OPTICS = Optics(beam_energy=60e3, detectors=(Detector(inner=60, outer=200),), static=True)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def sheet():
    primitive = mx2("MoS2", a=3.16, thickness=3.19, vacuum=2.0)
    rectangle = make_supercell(primitive, [[1, 0, 0], [1, 2, 0], [0, 0, 1]])
    rectangle.wrap()
    return primitive, rectangle


def test_an_oblique_cell_shows_what_a_rectangular_one_shows(sheet, tables):
    primitive, rectangle = sheet
    oblique = structure_image(primitive, OPTICS, shape=(12, 12), cache=tables)[0]
    straight = structure_image(rectangle, OPTICS, shape=(24, 12), cache=tables)[0]
    assert oblique.mean() == pytest.approx(straight.mean(), rel=1e-3)
    assert oblique.max() == pytest.approx(straight.max(), rel=2e-3)
    np.testing.assert_allclose(oblique[0], straight[0], atol=1e-3 * straight.max())  # the row along a


def test_moving_the_structure_moves_the_image(sheet, tables):
    rectangle = sheet[1].copy()
    shape = (22, 14)
    still = structure_image(rectangle, OPTICS, shape=shape, cache=tables)[0]
    rectangle.positions[:, :2] += [3 * rectangle.cell[0, 0] / shape[1], 5 * rectangle.cell[1, 1] / shape[0]]
    rectangle.wrap()
    moved = structure_image(rectangle, OPTICS, shape=shape, cache=tables)[0]
    np.testing.assert_allclose(moved, np.roll(still, (5, 3), axis=(0, 1)), atol=2e-4 * still.max())


def test_rows_lie_along_the_second_vector_and_x_along_the_first(tables):
    atoms = Atoms("WC", positions=[(0, 0, 0.5), (4, 0, 0.5)], cell=[12, 8, 2], pbc=True)
    image = structure_image(atoms, OPTICS, shape=(16, 24), cache=tables)[0]
    assert np.unravel_index(image.argmax(), image.shape) == (0, 0)
    assert image[0, 8] > 3 * image[8, 8]


def test_the_cell_repeats_the_image(sheet, tables):
    rectangle = sheet[1]
    once = structure_image(rectangle, OPTICS, shape=(20, 12), cache=tables)[0]
    thrice = structure_image(rectangle * (3, 1, 1), OPTICS, shape=(20, 36), cache=tables)[0]
    np.testing.assert_allclose(thrice, np.tile(once, (1, 3)), atol=2e-4 * once.max())


def test_a_vacancy_is_dark_only_near_its_place(sheet, tables):
    rectangle = sheet[1] * (4, 2, 1)
    full = structure_image(rectangle, OPTICS, shape=(48, 48), cache=tables)[0]
    missing = next(i for i, atom in enumerate(rectangle) if atom.symbol == "Mo")
    place = rectangle.positions[missing, 1::-1] / [rectangle.cell[1, 1], rectangle.cell[0, 0]] * 48
    del rectangle[missing]
    lost = full - structure_image(rectangle, OPTICS, shape=(48, 48), cache=tables)[0]
    peak = np.array(np.unravel_index(lost.argmax(), lost.shape))
    assert np.abs((peak - place + 24) % 48 - 24).max() <= 1
    assert lost.max() > 0.8 * full.max()


def test_slices_of_one_angstrom_change_how_a_pair_scatters_together(sheet, tables):
    rectangle = sheet[1]
    sliced, own = (
        structure_image(rectangle, OPTICS, shape=(20, 12), slice_thickness=slab, cache=tables)[0]
        for slab in (1, 0)
    )
    assert 0.005 < np.abs(sliced - own).max() / own.max() < 0.15


@pytest.mark.parametrize("degrees", [30, 90])
def test_turning_the_structure_with_its_cell_changes_nothing(sheet, tables, degrees):
    for structure in sheet:
        turned = structure.copy()
        turned.rotate(degrees, "z", rotate_cell=True)
        one, two = (
            structure_image(atoms, OPTICS, shape=(20, 12), cache=tables) for atoms in (structure, turned)
        )
        np.testing.assert_allclose(two, one, atol=1e-3 * one.max())


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (None, "the first two cell vectors must span the plane across the beam"),
        ([[4, 0, 1], [0, 4, 0], [0, 0, 4]], "the first two cell vectors must span the plane across the beam"),
        ([[4, 0, 0], [0, 4, 0], [1, 0, 4]], "the third cell vector must lie along the beam"),
    ],
)
def test_a_structure_without_an_upright_cell_is_refused(cell, message):
    with pytest.raises(InputError, match=message):
        structure_image(Atoms("C", cell=cell), OPTICS, shape=(8, 8))


@pytest.mark.parametrize("slice_thickness", [0.0, 1.0])
@pytest.mark.parametrize("periods", [-1, 2])
def test_atoms_outside_the_cell_are_brought_back_into_it(sheet, tables, periods, slice_thickness):
    away = sheet[1].copy()
    away.positions[::2, 2] += periods * away.cell[2, 2]
    one, other = (
        structure_image(atoms, OPTICS, shape=(16, 12), cache=tables, slice_thickness=slice_thickness)
        for atoms in (sheet[1], away)
    )
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_mean_of_a_thin_sheet_does_not_depend_on_focus(sheet, tables):
    means = [
        structure_image(sheet[1], replace(OPTICS, defocus=defocus), shape=(16, 12), cache=tables).mean()
        for defocus in (0.0, 200.0, 500.0)
    ]
    np.testing.assert_allclose(means, means[0], rtol=0.01)


def test_interference_seen_through_a_probe_that_is_not_round_is_refused(sheet, tables):
    optics = Optics(
        beam_energy=60e3, detectors=(Detector(inner=32, outer=200),), static=True, coma=(500.0, 0.0)
    )
    with pytest.raises(InputError, match="the probe must be round, got astigmatism 0 Å and coma 500 Å"):
        structure_image(sheet[1], optics, shape=(16, 12), cache=tables)
