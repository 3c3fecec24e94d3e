from itertools import product

import numpy as np
import pytest

from antisite.simulate.crystals.crystal import hollow_fraction
from antisite.simulate.sketch.crystals import SKETCHES, find_sketch

SHIFTS = np.array(list(product((-2, -1, 0, 1, 2), repeat=2)))


def distances(crystal):
    """Å, from every column of the cell to every column of the cells around, itself left out."""
    images = (crystal.fractions[:, None] + SHIFTS).reshape(-1, 2) @ crystal.cell
    apart = np.linalg.norm(images[:, None] - crystal.fractions @ crystal.cell, axis=2)
    return apart[apart > 1e-6]


@pytest.mark.parametrize("crystal", SKETCHES.values(), ids=lambda crystal: crystal.name)
class TestEveryCrystal:
    def test_no_two_columns_are_closer_than_carbon_atoms(self, crystal):
        assert distances(crystal).min() > 1.4

    def test_a_points_along_x_and_b_turns_towards_y(self, crystal):
        assert crystal.a[0] == 0
        assert crystal.a[1] > 0
        assert crystal.b[0] > 0

    def test_columns_come_brightest_first(self, crystal):
        assert crystal.brightness[0] == 1
        assert (np.diff(crystal.brightness) <= 0).all()

    def test_hollow_is_far_from_every_column(self, crystal):
        place = hollow_fraction(crystal) @ crystal.cell
        images = (crystal.fractions[:, None] + SHIFTS).reshape(-1, 2) @ crystal.cell
        assert np.linalg.norm(images - place, axis=1).min() > 0.6 * distances(crystal).min()


@pytest.mark.parametrize(
    ("name", "spacing"),
    [
        ("wse2", 3.32 / np.sqrt(3)),
        ("srtio3", 3.905 / np.sqrt(2)),
        ("au100", 4.08 / np.sqrt(2)),
        ("au110", 4.08 * np.sqrt(3 / 8)),
        ("cdte110", 1.62),
    ],
)
def test_nearest_columns_are_as_far_apart_as_in_nature(name, spacing):
    assert distances(find_sketch(name)).min() == pytest.approx(spacing, rel=1e-3)


def test_monoclinic_cell_has_five_different_columns_and_no_right_angle():
    crystal = find_sketch("monoclinic")
    assert len(set(crystal.brightness)) == 5
    assert abs(crystal.a @ np.array(crystal.b)) > 1


def test_name_is_found_in_any_case_and_a_crystal_is_handed_back():
    assert find_sketch("WSe2") is find_sketch("wse2")
    assert find_sketch(SKETCHES["mos2"]) is SKETCHES["mos2"]
