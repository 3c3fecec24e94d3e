from itertools import product

import numpy as np
import pytest
from ase.build import bulk, mx2
from ase.io import write

from antisite.errors import InputError
from antisite.simulate.crystals.library import find_specimen, list_specimens, names_file
from antisite.simulate.crystals.scene import nearest_spacing, perfect_scene

NAMES = [row[0] for row in list_specimens()]
SHIFTS = np.array(list(product((-2, -1, 0, 1, 2), repeat=2)))


def distances(crystal, *species):
    """Å, from every column of the cell to every column of the cells around, of these species if given."""
    kept = [not species or column.species in species for column in crystal.columns]
    fractions = crystal.fractions[kept]
    images = (fractions[:, None] + SHIFTS).reshape(-1, 2) @ crystal.cell
    apart = np.linalg.norm(images[:, None] - fractions @ crystal.cell, axis=2)
    return apart[apart > 1e-6]


def composition(crystal):
    symbols = [symbol for column in crystal.columns for symbol in column.atoms.symbols]
    return {symbol: symbols.count(symbol) for symbol in set(symbols)}


@pytest.mark.parametrize("name", NAMES)
class TestEverySpecimen:
    def test_columns_hold_atoms_and_come_brightest_first(self, name):
        crystal = find_specimen(name)
        assert crystal.name == name
        assert crystal.brightness[0] == 1
        assert (np.diff(crystal.brightness) <= 1e-9).all()
        for column in crystal.columns:
            assert column.species in column.atoms.symbols
            assert (np.diff(column.atoms.heights) > 1).all()
        assert min(column.atoms.heights[0] for column in crystal.columns) == 0

    def test_a_points_along_x_and_b_turns_towards_y(self, name):
        crystal = find_specimen(name)
        assert crystal.a[0] == 0
        assert crystal.a[1] > 0
        assert crystal.b[0] > 0
        assert crystal.cell[0] @ crystal.cell[1] < 1e-6

    def test_a_scene_can_be_laid_out(self, name):
        scene = perfect_scene(find_specimen(name), shape=(32, 40), pixel_size=0.3, rotation=0.2, rng=1)
        assert len(scene.atoms) == len(find_specimen(name).columns)
        assert nearest_spacing(scene) == pytest.approx(distances(scene.crystal).min() / 0.3)

    def test_letters_of_any_case_find_it(self, name):
        assert find_specimen(name.upper()) is find_specimen(name)
        assert find_specimen(name.lower()) is find_specimen(name)


@pytest.mark.parametrize(
    ("name", "thickness", "a"),
    [
        ("MoS2", 3.128, 3.19),
        ("MoSe2", 3.31, 3.32),
        ("MoTe2", 3.579, 3.57),
        ("WS2", 3.12, 3.18),
        ("WSe2", 3.324, 3.32),
        ("WTe2", 3.578, 3.56),
    ],
)
def test_dichalcogenides_hold_a_metal_half_way_between_two_chalcogens(name, thickness, a):
    crystal = find_specimen(name)
    metal, pair = sorted(crystal.columns, key=lambda column: column.pair)
    assert metal.atoms.symbols == (name.rstrip("2").removesuffix(pair.species),)
    assert metal.atoms.heights == pytest.approx((thickness / 2,), abs=1e-3)
    assert pair.atoms.symbols == (pair.species,) * 2
    assert pair.atoms.heights == (0.0, thickness)
    assert np.linalg.norm(crystal.cell, axis=1) == pytest.approx([a, a])
    assert distances(crystal).min() == pytest.approx(a / np.sqrt(3))


@pytest.mark.parametrize(
    ("name", "spacing"),
    [
        ("graphene", 1.42),
        ("hBN", 1.446),
        ("CdTe_110", 1.62),
        ("GaAs_110", 5.6537 / 4),
        ("Si_110", 5.4307 / 4),
        ("Au_100", 4.07825 / 2),
        ("Au_110", 4.07825 * np.sqrt(3 / 8)),
        ("Fe_100", 2.8665 / np.sqrt(2)),
        ("Fe_110", 2.8665 / 2),
        ("MgO_100", 4.2112 / 2),
        ("SrTiO3_001", 3.905 / 2),
    ],
)
def test_nearest_columns_are_as_far_apart_as_in_nature(name, spacing):
    assert distances(find_specimen(name)).min() == pytest.approx(spacing, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "g_per_cm3"),
    [
        ("CdTe_110", 5.85),
        ("GaAs_110", 5.32),
        ("Si_110", 2.33),
        ("Au_100", 19.3),
        ("Au_110", 19.3),
        ("Cu_110", 8.94),
        ("Al_100", 2.70),
        ("Fe_100", 7.87),
        ("Fe_110", 7.87),
        ("MgO_100", 3.58),
        ("SrTiO3_001", 5.12),
        ("BaTiO3_001", 6.02),
        ("ZrO2_001", 5.83),
        ("ZrO2_010", 5.83),
    ],
)
def test_bulk_crystals_are_as_dense_as_in_nature(name, g_per_cm3):
    from ase.data import atomic_masses, atomic_numbers

    # the difference of two thicknesses, for a slab's faces are not its atoms'
    thin, thick = find_specimen(name, thickness=100), find_specimen(name, thickness=400)
    counts = {symbol: n - composition(thin)[symbol] for symbol, n in composition(thick).items()}
    mass = sum(n * atomic_masses[atomic_numbers[symbol]] for symbol, n in counts.items()) * 1.66054
    longer = thick.columns[0].atoms.heights[-1] - thin.columns[0].atoms.heights[-1]
    assert mass / (longer * abs(np.linalg.det(thin.cell))) == pytest.approx(g_per_cm3, rel=0.006)
    assert longer == pytest.approx(300, abs=6)


@pytest.mark.parametrize(
    ("name", "columns", "whole"),
    [
        ("CdTe_110", ["Te", "Cd"], {"Cd": 1, "Te": 1}),
        ("GaAs_110", ["As", "Ga"], {"Ga": 1, "As": 1}),
        ("Si_110", ["Si", "Si"], {"Si": 1}),
        ("MgO_100", ["Mg"], {"Mg": 1, "O": 1}),
        ("SrTiO3_001", ["Sr", "Ti", "O", "O"], {"Sr": 1, "Ti": 1, "O": 3}),
        ("BaTiO3_001", ["Ba", "Ti", "O", "O"], {"Ba": 1, "Ti": 1, "O": 3}),
        ("ZrO2_001", ["Zr"] * 4 + ["O"] * 6, {"Zr": 1, "O": 2}),
        ("ZrO2_010", ["Zr"] * 4 + ["O"] * 8, {"Zr": 1, "O": 2}),
    ],
)
def test_cells_hold_the_columns_and_the_composition_of_the_crystal(name, columns, whole):
    crystal = find_specimen(name)
    assert [column.species for column in crystal.columns] == columns
    counts = composition(crystal)
    least = min(counts.values())
    assert {symbol: n / least for symbol, n in counts.items()} == whole


def test_zirconia_shows_its_angle_and_columns_apart():
    crystal = find_specimen("ZrO2_010")
    a, b = crystal.cell
    assert np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))) == pytest.approx(99.23)
    for name in ("ZrO2_001", "ZrO2_010"):
        assert distances(find_specimen(name), "Zr").min() > 1.9
    from antisite.simulate.crystals.library import _baddeleyite

    atoms = _baddeleyite()
    bonds = atoms.get_all_distances(mic=True)[np.ix_(atoms.numbers == 40, atoms.numbers == 8)]
    assert ((bonds < 2.5).sum(axis=1) == 7).all()  # zirconium has seven neighbours, 2.05 Å to 2.29 Å away
    assert bonds.min() == pytest.approx(2.05, abs=0.02)


@pytest.mark.parametrize(("name", "c"), [("MoS2", 12.294), ("WSe2", 12.96), ("MoTe2", 13.974)])
def test_2h_bilayers_hold_metal_over_chalcogens(name, c):
    one, two = find_specimen(name), find_specimen(f"{name}_2H_bilayer")
    assert np.allclose(one.cell, two.cell)
    thickness = max(column.atoms.heights[-1] for column in one.columns)
    assert {tuple(sorted(column.atoms.symbols)) for column in two.columns} == {
        tuple(sorted(symbol for column in one.columns for symbol in column.atoms.symbols))
    }
    metals = [
        height
        for column in two.columns
        for symbol, height in zip(column.atoms.symbols, column.atoms.heights, strict=True)
        if symbol in ("Mo", "W")
    ]
    assert abs(metals[0] - metals[1]) == pytest.approx(c / 2, abs=2e-3)
    assert max(column.atoms.heights[-1] for column in two.columns) == pytest.approx(
        c / 2 + thickness, abs=2e-3
    )


def test_thickness_is_taken_to_whole_periods():
    for thickness, n in ((None, 13), (100, 26), (3.905, 1), (0, 1), (20, 5)):
        (strontium,) = [c for c in find_specimen("SrTiO3", thickness=thickness).columns if c.species == "Sr"]
        assert len(strontium.atoms.heights) == n


def test_the_axis_may_be_left_out_where_there_is_one():
    assert find_specimen("srtio3") is find_specimen("SrTiO3_001")
    with pytest.raises(InputError, match="Au_100 or Au_110"):
        find_specimen("au")


def test_another_zone_axis_can_be_chosen():
    crystal = find_specimen("Au", zone_axis=(1, 1, 1))
    assert crystal.name == "Au_111"
    assert distances(crystal).min() == pytest.approx(4.07825 / np.sqrt(6))
    assert find_specimen("Au", zone_axis=(1, 1, 0)) is find_specimen("Au_110", zone_axis=(1, 1, 0))
    with pytest.raises(InputError, match=r"Au_110 is seen along 110, got zone_axis \(1, 0, 0\)"):
        find_specimen("Au_110", zone_axis=(1, 0, 0))


def test_a_file_is_a_specimen(tmp_path):
    write(tmp_path / "gold.cif", bulk("Au", a=4.07825, cubic=True))
    mine, known = find_specimen(tmp_path / "gold.cif", zone_axis=(1, 1, 0)), find_specimen("Au_110")
    assert mine.name == "gold"
    assert np.allclose(mine.cell, known.cell, atol=1e-4)
    assert len(mine.columns[0].atoms.heights) == len(known.columns[0].atoms.heights)
    write(tmp_path / "POSCAR", mx2("WSe2", a=3.32, thickness=3.324, vacuum=8))
    columns = find_specimen(str(tmp_path / "POSCAR")).columns
    assert [c.atoms for c in columns] == [c.atoms for c in find_specimen("WSe2").columns]


def test_a_sheet_has_no_thickness_to_choose():
    with pytest.raises(InputError, match="as thick as it is"):
        find_specimen("WSe2", thickness=20)


def test_what_is_unknown_is_answered_with_the_nearest_names():
    with pytest.raises(InputError, match=r"got 'WSe3' \(nearest: WSe2, .*files work too"):
        find_specimen("WSe3")
    with pytest.raises(InputError, match=r"known: MoS2, .*ZrO2_010"):
        find_specimen("qqqq")
    with pytest.raises(InputError, match="must be a file that exists"):
        find_specimen("nowhere/WSe2.cif")
    with pytest.raises(InputError, match="must be a known name"):
        find_specimen("w" * 1000)


def test_the_list_has_words_for_every_specimen():
    rows = {name: rest for name, *rest in list_specimens()}
    assert rows["WSe2"] == ["1H sheet", "3.32 × 3.32 Å, 120°", "W, Se2"]
    assert rows["SrTiO3_001"][2] == "Sr13, Ti13O13, 2 × O13"
    assert len(rows) == len(list_specimens()) == 30


def test_a_folder_named_like_a_specimen_is_no_file_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "WSe2").mkdir()
    (tmp_path / "mine").touch()
    assert [names_file(text) for text in ("WSe2", "wse2", "au_110", "WSe3")] == [False] * 4
    assert [names_file(text) for text in ("mine", "WSe2.cif", "a/WSe2", "none.xyz")] == [True] * 4
