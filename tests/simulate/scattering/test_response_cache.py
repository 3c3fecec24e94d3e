from dataclasses import replace

import numpy as np
import pytest

from antisite.conditions import Detector
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.response_cache import read_table, write_table

OPTICS = Optics(beam_energy=80e3, convergence=30.0, detectors=(Detector(inner=70.0, outer=200.0),))
COLUMN = ColumnAtoms(("W", "Se"), (0.0, 2.0))
TABLE = np.arange(4, dtype=np.float32).reshape(1, 2, 2)


@pytest.mark.parametrize(
    ("column", "optics"),
    [
        (COLUMN, replace(OPTICS, convergence=30)),
        (COLUMN, replace(OPTICS, beam_energy=np.float64(80e3))),
        (COLUMN, replace(OPTICS, beam_energy=80000)),
        (COLUMN, replace(OPTICS, defocus=-0.0)),
        (COLUMN, replace(OPTICS, detectors=(Detector(inner=70, outer=200),))),
        (ColumnAtoms(("W", "Se"), (0, 2)), OPTICS),
        (COLUMN, replace(OPTICS, bright_field=True)),
    ],
)
def test_equal_numbers_find_the_table_however_they_are_written(column, optics, tmp_path):
    write_table(tmp_path, COLUMN, OPTICS, False, TABLE)
    np.testing.assert_array_equal(read_table(tmp_path, column, optics, False), TABLE)


@pytest.mark.parametrize(
    ("column", "optics", "sampled"),
    [
        (ColumnAtoms(("Se", "W"), (0.0, 2.0)), OPTICS, False),
        (ColumnAtoms(("W", "Se"), (0.0, 2.1)), OPTICS, False),
        (COLUMN, replace(OPTICS, convergence=30.1), False),
        (COLUMN, replace(OPTICS, static=True), False),
        (COLUMN, replace(OPTICS, detectors=(Detector(inner=70, outer=201),)), False),
        (COLUMN, OPTICS, True),
    ],
)
def test_whatever_changes_a_table_has_one_of_its_own(column, optics, sampled, tmp_path):
    write_table(tmp_path, COLUMN, OPTICS, False, TABLE)
    assert read_table(tmp_path, column, optics, sampled) is None


def test_half_a_table_counts_as_none(tmp_path):
    write_table(tmp_path, COLUMN, OPTICS, False, TABLE)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert read_table(tmp_path, COLUMN, OPTICS, False) is None


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(None, COLUMN, OPTICS, False, TABLE)
    assert read_table(None, COLUMN, OPTICS, False) is None
    assert list(tmp_path.iterdir()) == []
