import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

from antisite.simulate.crystals.zone_axes import into_cell, join_pairs, primitive_cell, zone_basis


@pytest.mark.parametrize(
    ("atoms", "n"),
    [
        (bulk("Au", cubic=True), 1),
        (bulk("Fe", cubic=True), 1),
        (bulk("Si", cubic=True), 2),
        (bulk("GaAs", "zincblende", a=5.65, cubic=True), 2),
        (bulk("Ti") * (3, 1, 2), 2),
        (make_supercell(bulk("MgO", "rocksalt", a=4.2), [[2, 1, 0], [0, 3, -1], [1, 0, 2]]), 2),
    ],
    ids=["fcc", "bcc", "diamond", "zincblende", "hcp", "rocksalt"],
)
def test_the_primitive_cell_is_the_smallest_that_repeats_the_structure(atoms, n):
    lattice, index = primitive_cell(atoms)
    assert len(index) == n
    assert abs(np.linalg.det(lattice)) == pytest.approx(atoms.get_volume() * n / len(atoms))
    whole = atoms.cell.array @ np.linalg.inv(lattice)
    assert np.allclose(whole, np.round(whole))


def test_a_structure_that_differs_by_one_atom_or_place_is_not_made_smaller():
    doped, bent = bulk("Au", cubic=True) * (2, 2, 2), bulk("Au", cubic=True)
    doped.symbols[0] = "Ag"
    bent.positions[0, 2] += 0.2
    for atoms in (doped, bent):
        lattice, index = primitive_cell(atoms)
        assert np.allclose(lattice, atoms.cell.array)
        assert len(index) == len(atoms)


def test_small_errors_of_the_places_do_not_hide_a_translation():
    atoms = bulk("Si", cubic=True) * (2, 1, 1)
    atoms.rattle(0.005, seed=1)
    assert len(primitive_cell(atoms)[1]) == 2


@pytest.mark.parametrize("along", [(0, 0, 1), (1, 0, 0), (2, 3, 5), (-4, 6, 9), (2, 4, 6), (0, -3, 7)])
def test_the_basis_is_one_of_the_lattice_with_its_last_vector_along_the_direction(along):
    lattice = Atoms("H", cell=[4, 5, 7, 80, 95, 110], pbc=True).cell.array
    basis = zone_basis(lattice, np.array(along) @ lattice)
    whole = basis @ np.linalg.inv(lattice)
    assert np.allclose(whole, np.round(whole), atol=1e-9)
    assert np.linalg.det(basis) == pytest.approx(np.linalg.det(lattice))
    assert np.allclose(whole[2], np.array(along) / np.gcd.reduce(along))


def test_a_reduced_cell_is_left_alone():
    hexagon = Atoms("H", cell=[3.3, 3.3, 20, 90, 90, 120], pbc=True).cell.array
    assert np.allclose(zone_basis(hexagon, hexagon[2]), hexagon)
    box = np.diag([4.0, 3.0, 5.0])
    assert np.allclose(np.linalg.norm(zone_basis(box, box[2]), axis=1), [4, 3, 5])


def test_pairs_join_into_sets():
    labels = join_pairs(np.array([[0, 3], [3, 4]]), 5)
    assert labels[0] == labels[3] == labels[4]
    assert len(set(labels)) == 3
    assert len(set(join_pairs(np.zeros((0, 2), dtype=int), 4))) == 4


def test_fractions_come_into_the_cell_and_a_rounding_error_below_one_is_nothing():
    assert np.allclose(into_cell(np.array([-0.25, 1.5, 1 - 1e-12, -1e-13])), [0.75, 0.5, 0, 0], atol=1e-15)
