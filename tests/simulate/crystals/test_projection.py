import time
from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, mx2

from antisite.errors import InputError
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.crystals.projection import column_atoms_of, is_sheet, project

TRICLINIC = Atoms(
    "PbOSiO",
    scaled_positions=[(0.1, 0.2, 0.05), (0.6, 0.3, 0.3), (0.35, 0.7, 0.55), (0.85, 0.55, 0.8)],
    cell=[5.2, 6.1, 7.3, 81, 97, 108],
    pbc=True,
)


def sheet(periods=(1, 1, 1)):
    return mx2("WSe2", a=3.32, thickness=3.324, vacuum=8) * periods


def plane_area(crystal):
    return abs(np.linalg.det(crystal.cell))


def n_atoms(crystal):
    return sum(len(column.atoms.symbols) for column in crystal.columns)


def angle(crystal):
    a, b = crystal.cell
    return np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))


class TestColumnAtomsOf:
    def test_a_sheet_has_two_kinds_of_column_where_its_atoms_are(self):
        atoms = sheet((4, 3, 1))
        positions, index, different = column_atoms_of(atoms, origin=8)
        assert set(different) == {ColumnAtoms(("W",), (1.662,)), ColumnAtoms(("Se", "Se"), (0.0, 3.324))}
        assert np.bincount(index).tolist() == [12, 12]
        metal = different.index(ColumnAtoms(("W",), (1.662,)))
        expected = atoms[atoms.numbers == 74].positions[:, 1::-1]
        for place in positions[index == metal]:
            assert np.linalg.norm(expected - place, axis=1).min() < 1e-9

    def test_heights_are_those_of_the_file_less_the_origin(self):
        atoms = Atoms("AuCu", positions=[(1, 2, 7), (1, 2, 3)], cell=[4, 5, 10], pbc=True)
        assert column_atoms_of(atoms)[2] == (ColumnAtoms(("Cu", "Au"), (3.0, 7.0)),)
        assert column_atoms_of(atoms, origin=3)[2] == (ColumnAtoms(("Cu", "Au"), (0.0, 4.0)),)
        assert np.allclose(column_atoms_of(atoms)[0], [[2, 1]])

    def test_a_column_on_the_border_is_one_only_where_the_structure_repeats(self):
        # on a corner of the cell: each atom lies in another of the four cells around it
        corner = [(0.02, 0.02, 0), (3.98, 0.02, 2), (0.02, 4.98, 4), (3.98, 4.98, 6)]
        atoms = Atoms("Au4", positions=corner, cell=[4, 5, 10], pbc=True)
        positions, _, different = column_atoms_of(atoms)
        assert different == (ColumnAtoms(("Au",) * 4, (0.0, 2.0, 4.0, 6.0)),)
        assert np.allclose((positions + 1) % (5, 4), 1)
        assert len(column_atoms_of(atoms, periodic=False)[0]) == 4
        atoms.pbc = (True, False, False)
        assert len(column_atoms_of(atoms)[0]) == 2

    def test_atoms_beyond_the_tolerance_are_two_columns(self):
        pair = Atoms("Au2", positions=[(1, 1, 0), (1.19, 1, 3)], cell=[4, 4, 6], pbc=True)
        assert len(column_atoms_of(pair)[0]) == 1
        assert len(column_atoms_of(pair, tolerance=0.18)[0]) == 2

    def test_x_runs_along_the_first_cell_vector_however_the_structure_is_turned(self):
        upright, turned = sheet((3, 2, 1)), sheet((3, 2, 1))
        turned.rotate(33, "z", rotate_cell=True)
        one, other = column_atoms_of(upright)[0], column_atoms_of(turned)[0]
        assert np.allclose(one, other)

    def test_shifted_by_periods_it_is_the_same(self):
        atoms, shifted = sheet((3, 2, 1)), sheet((3, 2, 1))
        shifted.positions += 2 * atoms.cell.array[0] - atoms.cell.array[1]
        one, other = (column_atoms_of(which) for which in (atoms, shifted))
        assert np.allclose(one[0], other[0])
        assert one[2] == other[2]

    def test_no_atoms_are_no_columns(self):
        positions, index, different = column_atoms_of(Atoms(cell=[3, 3, 3], pbc=True))
        assert positions.shape == (0, 2)
        assert index.shape == (0,)
        assert different == ()

    def test_a_molecule_without_a_cell_stays_where_it_is(self):
        positions, _, _ = column_atoms_of(Atoms("CO", positions=[(-1, 2, 0), (3, 4, 5)]))
        assert np.allclose(positions, [[2, -1], [4, 3]])

    def test_a_cell_that_leans_out_of_the_plane_is_refused(self):
        atoms = bulk("Au")
        with pytest.raises(InputError, match="must span the plane across the beam"):
            column_atoms_of(atoms)

    def test_a_smear_of_atoms_is_no_column(self):
        row = Atoms("Au20", positions=[(0.15 * i, 0, i) for i in range(20)], cell=[9, 9, 20], pbc=True)
        with pytest.raises(InputError, match=r"must stand in columns .* 1\.4\d Å"):
            column_atoms_of(row)

    def test_a_hundred_thousand_atoms_take_less_than_a_second(self):
        atoms = sheet((190, 180, 1))
        begin = time.process_time()
        assert len(column_atoms_of(atoms)[0]) == 2 * 190 * 180
        assert time.process_time() - begin < 1

    @pytest.mark.parametrize("tolerance", [0, -1, np.nan])
    def test_impossible_tolerances_are_refused(self, tolerance):
        with pytest.raises(InputError, match="tolerance must be positive"):
            column_atoms_of(sheet(), tolerance=tolerance)


class TestProject:
    @pytest.mark.parametrize(
        ("zone_axis", "lengths", "period"),
        [
            ((0, 0, 1), (0.5, 0.5), 1.0),
            ((1, 1, 0), (np.sqrt(3 / 8), np.sqrt(3 / 8)), np.sqrt(0.5)),
            ((1, 1, 1), (np.sqrt(1 / 6), np.sqrt(1 / 6)), np.sqrt(3)),
            ((1, 1, 2), (np.sqrt(1 / 8), np.sqrt(1 / 3)), np.sqrt(1.5)),
        ],
    )
    def test_gold_is_the_plane_lattice_of_the_textbook(self, zone_axis, lengths, period):
        crystal = project(bulk("Au", a=4.0, cubic=True), zone_axis=zone_axis, thickness=8 * period)
        assert np.sort(np.linalg.norm(crystal.cell, axis=1)) == pytest.approx(4.0 * np.array(lengths))
        (column,) = crystal.columns
        assert column.atoms.heights == pytest.approx(np.arange(2) * 4.0 * period, abs=1e-3)

    @pytest.mark.parametrize("zone_axis", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (2, 1, 0), (-1, 2, 3)])
    @pytest.mark.parametrize(
        "atoms",
        [bulk("Au", cubic=True), bulk("GaAs", "zincblende", a=5.65, cubic=True), bulk("Ti"), TRICLINIC],
        ids=["fcc", "zincblende", "hcp", "triclinic"],
    )
    def test_a_slab_is_as_dense_and_of_the_composition_of_the_crystal(self, atoms, zone_axis):
        period = project(atoms, zone_axis=zone_axis)
        volume_per_atom = atoms.get_volume() / len(atoms)
        thin = n_atoms(period) * volume_per_atom / plane_area(period)
        thick = project(atoms, zone_axis=zone_axis, thickness=3.2 * thin)
        assert n_atoms(thick) == 3 * n_atoms(period)
        heights = np.concatenate([column.atoms.heights for column in thick.columns])
        assert heights.min() == 0
        assert 2 * thin - 2e-3 < np.ptp(heights) < 3 * thin
        symbols = [symbol for column in thick.columns for symbol in column.atoms.symbols]
        share = {s: symbols.count(s) / len(symbols) for s in set(symbols)}
        assert share == {s: atoms.symbols.count(s) / len(atoms) for s in set(atoms.symbols)}

    @pytest.mark.parametrize("zone_axis", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (1, -2, 1)])
    def test_a_and_b_are_shortest_right_handed_and_obtuse(self, zone_axis):
        crystal = project(TRICLINIC, zone_axis=zone_axis)
        a, b = crystal.cell
        assert a[0] == 0
        assert a[1] > 0
        assert b[0] > 0
        assert 90 - 1e-6 <= angle(crystal) <= 120 + 1e-6
        others = [i * a + j * b for i, j in product(range(-3, 4), repeat=2) if i and j]
        assert max(np.linalg.norm([a, b], axis=1)) <= min(np.linalg.norm(others, axis=1)) + 1e-9

    def test_a_triclinic_cell_along_its_diagonal_is_the_lattice_seen_end_on(self):
        crystal = project(TRICLINIC, zone_axis=(1, 1, 1))
        cell = TRICLINIC.cell.array
        beam = cell.sum(axis=0) / np.linalg.norm(cell.sum(axis=0))
        flat = cell - np.outer(cell @ beam, beam)
        seen = {round(float(np.linalg.norm(v)), 6) for v in [*flat, *(flat - np.roll(flat, 1, axis=0))]}
        assert {round(float(length), 6) for length in np.linalg.norm(crystal.cell, axis=1)} <= seen
        assert plane_area(crystal) == pytest.approx(TRICLINIC.get_volume() / np.linalg.norm(cell.sum(axis=0)))
        assert len(crystal.columns) == 4

    def test_distances_within_the_cell_are_those_of_the_atoms_across_the_beam(self):
        crystal = project(TRICLINIC, zone_axis=(1, 1, 1))
        beam = TRICLINIC.cell.array.sum(axis=0)
        beam /= np.linalg.norm(beam)
        lead, silicon = (TRICLINIC[TRICLINIC.symbols == s].positions[0] for s in ("Pb", "Si"))
        around = np.array(list(product(range(-3, 4), repeat=3))) @ TRICLINIC.cell.array + silicon - lead
        expected = np.linalg.norm(around - np.outer(around @ beam, beam), axis=1).min()
        of = {column.species: np.array(column.fraction) for column in crystal.columns}
        shifts = np.array(list(product(range(-3, 4), repeat=2)))
        found = np.linalg.norm((of["Si"] - of["Pb"] + shifts) @ crystal.cell, axis=1).min()
        assert found == pytest.approx(expected, abs=1e-6)

    def test_the_handedness_of_the_structure_is_kept(self):
        # a, then Cu, then Ag turn from +x towards +y when the beam travels into the page
        chiral = Atoms("AuCuAg", positions=[(0, 0, 0), (2, 0, 0), (0, 3, 0)], cell=[9, 11, 4], pbc=True)
        seen = {c.species: np.array(c.fraction) for c in project(chiral).columns}
        assert np.allclose(seen["Cu"], (2 / 9, 0))
        assert np.allclose(seen["Ag"], (0, 3 / 11))
        behind = project(chiral, zone_axis=(0, 0, -1))
        places = {c.species: (np.array(c.fraction) + 0.5) % 1 - 0.5 for c in behind.columns}
        copper, silver = (places[s] @ behind.cell for s in ("Cu", "Ag"))
        assert np.linalg.det([copper[::-1], silver[::-1]]) < 0

    def test_turning_the_structure_does_not_change_the_crystal(self):
        turned = TRICLINIC.copy()
        turned.rotate(50, (1, 2, 3), rotate_cell=True)
        one, other = (project(atoms, zone_axis=(1, 1, 0)) for atoms in (TRICLINIC, turned))
        assert np.allclose(one.cell, other.cell)
        assert np.allclose(one.fractions, other.fractions)
        assert [c.atoms for c in one.columns] == [c.atoms for c in other.columns]

    def test_a_supercell_is_the_same_crystal(self):
        for atoms in (TRICLINIC, sheet()):
            one, other = project(atoms), project(atoms * (3, 2, 1))
            assert np.allclose(one.cell, other.cell)
            assert sorted(c.atoms for c in one.columns) == sorted(c.atoms for c in other.columns)

    def test_a_supercell_with_a_vacancy_is_its_own_crystal(self):
        atoms = sheet((3, 3, 1))
        del atoms[1]
        crystal = project(atoms)
        assert len(crystal.columns) == 18
        assert plane_area(crystal) == pytest.approx(9 * plane_area(project(sheet())))

    @pytest.mark.parametrize("vacuum", [0.0, 8.0])
    def test_a_sheet_is_taken_as_it_is(self, vacuum):
        atoms = mx2("WSe2", a=3.32, thickness=3.324, vacuum=vacuum)
        crystal = project(atoms)
        assert crystal.name == "WSe2"
        assert [c.atoms for c in crystal.columns] == [
            ColumnAtoms(("W",), (1.662,)),
            ColumnAtoms(("Se", "Se"), (0.0, 3.324)),
        ]
        assert [c.pair for c in crystal.columns] == [False, True]
        assert angle(crystal) == pytest.approx(120)
        with pytest.raises(InputError, match="as thick as it is"):
            project(atoms, thickness=20)
        with pytest.raises(InputError, match=r"got zone axis \[1 1 0\]"):
            project(atoms, zone_axis=(1, 1, 0))

    def test_a_sheet_that_crosses_the_border_of_its_cell_is_put_together(self):
        atoms = sheet()
        atoms.pbc = True
        atoms.positions[:, 2] -= atoms.positions[0, 2]
        atoms.wrap()
        assert project(atoms).columns[1].atoms == ColumnAtoms(("Se", "Se"), (0.0, 3.324))

    def test_a_layered_crystal_is_no_sheet(self):
        assert is_sheet(sheet())
        layered = Atoms("C2", positions=[(0, 0, 0), (0, 1.42, 3.35)], cell=[2.46, 4.26, 6.7], pbc=True)
        assert not is_sheet(layered)

    def test_a_mixed_column_is_called_after_its_brightest_element(self):
        places = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
        atoms = Atoms("SrTiO3", scaled_positions=places, cell=[3.905] * 3, pbc=True)
        crystal = project(atoms, thickness=3.905)
        assert [c.species for c in crystal.columns] == ["Sr", "Ti", "O", "O"]
        expected = np.array([38**1.7, 22**1.7 + 8**1.7, 8**1.7, 8**1.7]) / 38**1.7
        assert np.allclose(crystal.brightness, expected)
        assert crystal.columns[1].atoms.symbols == ("O", "Ti")

    def test_what_cannot_be_projected_is_refused(self):
        gold = bulk("Au", cubic=True)
        with pytest.raises(InputError, match=r"at most 60 Å, got .* along \[9 20 31\]"):
            project(gold, zone_axis=(9, 20, 31))
        for zone_axis in ((0, 0, 0), (1, 0.5, 0), (1, 1)):
            with pytest.raises(InputError, match="three whole numbers"):
                project(gold, zone_axis=zone_axis)
        for thickness in (-1, np.nan, np.inf, 1e6):
            with pytest.raises(InputError, match="thickness must be 0 to 10000 Å"):
                project(gold, thickness=thickness)
        with pytest.raises(InputError, match="atoms and a cell"):
            project(Atoms("Au"))
