import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, mx2
from ase.io import write

from antisite.errors import InputError
from antisite.io.structures import read_structure

CIF = """data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


@pytest.fixture
def refused(tmp_path):
    def sentence(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError) as caught:
            read_structure(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return sentence


@pytest.mark.parametrize("name", ["au.cif", "au.xyz", "au.extxyz", "POSCAR", "au.cfg", "au.json", "a@1.xyz"])
def test_the_same_structure_is_read_from_every_format(name, tmp_path):
    atoms = bulk("Au", cubic=True)
    write(str(tmp_path / name).replace("@", "_"), atoms)
    (tmp_path / name.replace("@", "_")).rename(tmp_path / name)
    read = read_structure(tmp_path / name)
    assert read.get_chemical_symbols() == ["Au"] * 4
    assert np.allclose(read.get_all_distances(mic=True).max(), 4.08 / np.sqrt(2), atol=1e-4)
    assert read.get_volume() == pytest.approx(4.08**3, rel=1e-5)


def test_an_ordered_cif_with_full_occupancies_is_read(tmp_path):
    (tmp_path / "x.cif").write_text(CIF + "Na1 Na 0 0 0 1.0\nCl1 Cl 0.5 0.5 0.5 1\n")
    assert read_structure(tmp_path / "x.cif").get_chemical_formula() == "ClNa"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"must be a file that exists, got .*no\.cif"):
        read_structure(tmp_path / "no.cif")
    with pytest.raises(InputError, match="must be a file that exists"):
        read_structure(tmp_path)
    with pytest.raises(InputError, match="must be a file that exists"):
        read_structure(tmp_path / ("n" * 400 + ".cif"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.cif", "nonsense"),
        ("a.cif", b"\x00\xff\xfe\x80" * 50),
        ("a.cif", ""),
        ("a.xyz", "3\n\nAu 0 0 0\n"),
        ("a.xyz", "many\n"),
        ("POSCAR", "Au\n1.0\n1 0 0\n"),
        ("a.json", "{]"),
        ("a.cfg", "Number of particles = x"),
        ("a.traj", b"not a trajectory"),
        ("noidea", "what is this"),
    ],
)
def test_what_is_no_structure_is_refused_in_one_sentence(name, content, refused):
    assert name in refused(name, content)


@pytest.mark.parametrize("content", ["nonsense", b"\x00\xff\xfe\x80" * 50, CIF[:60]])
def test_a_damaged_file_is_told_in_words_of_our_own(content, refused, caplog):
    with caplog.at_level("DEBUG", "antisite"):
        said = refused("a.cif", content)
    assert said == (
        "a.cif cannot be read as a structure: it looks damaged, or is not what its suffix says "
        "(.cif, .xyz, .vasp, .cfg, .json …; ANTISITE_DEBUG=1 shows what its reader says)"
    )
    assert "a.cif: " in caplog.text


def test_an_empty_file_and_an_image_say_so(refused):
    assert refused("a.cif", "") == "a.cif is empty (was it copied to the end?)"
    image = refused("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert image == (
        "a structure must be a file of atoms, got the image a.png (to simulate an image like it: --like FILE)"
    )


def test_no_atoms_and_no_cell_are_refused(refused):
    assert "must have atoms" in refused("a.xyz", '0\nLattice="1 0 0 0 1 0 0 0 1"\n')
    assert "must have a cell" in refused("a.xyz", "1\n\nAu 0 0 0\n")
    assert "must have a cell" in refused("a.xyz", '1\nLattice="4 0 0 0 4 0 4 4 0"\nAu 0 0 0\n')


def test_several_structures_are_refused_with_their_number(tmp_path):
    write(tmp_path / "a.xyz", [bulk("Au")] * 3)
    with pytest.raises(InputError, match=r"one structure, got 3 in a\.xyz"):
        read_structure(tmp_path / "a.xyz")


def test_disorder_is_refused(refused):
    half = refused("a.cif", CIF + "Na1 Na 0 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1\n")
    assert "wholly occupied by one element, got Na 0.5" in half
    mixed = refused("b.cif", CIF + "Na1 Na 0 0 0 0.4\nK1 K 0 0 0 0.6\nCl1 Cl 0.5 0.5 0.5 1\n")
    assert "Na 0.4, K 0.6" in mixed


def test_two_atoms_in_one_place_are_refused_also_across_the_cell(tmp_path):
    atoms = Atoms("AuCu", positions=[(0.1, 0, 0), (3.9, 0, 0)], cell=[4, 4, 4], pbc=True)
    write(tmp_path / "a.xyz", atoms)
    with pytest.raises(InputError, match=r"share one place, got Au \(atom 0\) and Cu \(atom 1\) 0\.20 Å"):
        read_structure(tmp_path / "a.xyz")


def test_atoms_that_are_none_are_refused(refused):
    cell = 'Lattice="4 0 0 0 4 0 0 0 4"'
    assert "unknown kind" in refused("a.xyz", f"1\n{cell}\nX 0 0 0\n")
    assert "finite" in refused("a.xyz", f"1\n{cell}\nAu nan 0 0\n")


def test_a_sheet_keeps_what_it_says_of_its_period(tmp_path):
    write(tmp_path / "a.xyz", mx2("WSe2", vacuum=8))
    assert read_structure(tmp_path / "a.xyz").pbc.tolist() == [True, True, False]
