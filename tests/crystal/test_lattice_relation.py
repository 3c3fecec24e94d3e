import math

import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.crystal.lattice_relation import mirror_strain, relate_lattices, row_along

SQUARE = 14 * np.array([[0.0, 1.0], [1.0, 0.0]])
HEXAGON = 14 * np.array([[0.0, 1.0], [math.sqrt(3) / 2, -0.5]])
RHOMBUS = 14 * np.array([[0.0, 1.0], [math.sin(t := math.radians(70.53)), math.cos(t)]])
OBLIQUE = np.array([[0.0, 12.0], [15.0, 3.0]])


def turned(vectors, degrees):
    a = math.radians(degrees)
    return np.asarray(vectors) @ [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]


def drifted(vectors, *, along_x=0.0, along_y=0.0):
    """The image of a lattice while the specimen drifts: each row of pixels is shifted by what went before."""
    return np.asarray(vectors) @ [[1 + along_y, along_x], [0.0, 1.0]]


def lattice(vectors):
    return Lattice(vectors=np.asarray(vectors), coherence=1.0)


def degrees_between(first, second):
    return math.degrees(relate_lattices(lattice(first), lattice(second)).rotation)


@pytest.mark.parametrize("angle", [-30.0, -4.0, 0.0, 11.0, 37.0])
@pytest.mark.parametrize("cell", [SQUARE, RHOMBUS, OBLIQUE], ids=["square", "rhombus", "oblique"])
def test_the_turn_is_found_with_its_sign(cell, angle):
    assert degrees_between(turned(cell, 12), turned(cell, 12 + angle)) == pytest.approx(angle, abs=0.01)


@pytest.mark.parametrize(
    ("cell", "angle", "least"), [(SQUARE, 80, -10), (HEXAGON, 50, -10), (OBLIQUE, 170, -10)]
)
def test_of_all_turns_the_least_is_told(cell, angle, least):
    assert degrees_between(cell, turned(cell, angle)) == pytest.approx(least, abs=0.01)


@pytest.mark.parametrize("cell", [SQUARE, HEXAGON, RHOMBUS], ids=["square", "hexagon", "rhombus"])
@pytest.mark.parametrize(("along_x", "along_y"), [(0.03, 0.0), (0.0, 0.03), (-0.02, 0.02)])
def test_drift_of_the_whole_image_does_not_change_it(cell, along_x, along_y):
    pair = [drifted(turned(cell, angle), along_x=along_x, along_y=along_y) for angle in (8, 28)]
    assert degrees_between(*pair) == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("cell", [SQUARE, HEXAGON], ids=["square", "hexagon"])
def test_nor_does_drift_that_differs_between_the_grains(cell):
    first = drifted(turned(cell, 8), along_x=0.015, along_y=0.005)
    second = drifted(turned(cell, 28), along_x=-0.01, along_y=0.01)
    assert degrees_between(first, second) == pytest.approx(20, abs=0.1)


def test_how_the_cell_is_chosen_does_not_matter():
    other = np.array([[1, 1], [-1, 0]]) @ turned(RHOMBUS, 25)
    assert degrees_between(RHOMBUS, other) == pytest.approx(25, abs=0.01)


@pytest.mark.parametrize("other", [1.3 * SQUARE, HEXAGON * [1.0, 1.3], SQUARE * [1.0, 1.25]])
def test_two_crystals_have_no_turn(other):
    assert math.isnan(degrees_between(SQUARE, turned(other, 10)))


def test_the_cell_that_corresponds_is_told():
    relation = relate_lattices(lattice(OBLIQUE), lattice(np.array([[1, 1], [0, 1]]) @ turned(OBLIQUE, 5)))
    np.testing.assert_allclose(relation.cell, turned(OBLIQUE, 5), atol=1e-9)
    assert relation.strain < 0.002


def test_a_mirrored_lattice_is_a_mirror_across_its_line_only():
    mirrored = lattice(RHOMBUS * [-1.0, 1.0])
    assert mirror_strain(lattice(RHOMBUS), mirrored, np.array([0.0, 1.0])) < 1e-9
    assert mirror_strain(lattice(RHOMBUS), mirrored, np.array([0.3, 1.0])) > 0.15


@pytest.mark.parametrize(
    ("direction", "row"), [((0, 1), (1, 0)), ((1, 0), (0, 1)), ((1, 1), (1, 1)), ((0, -1), (-1, 0))]
)
def test_the_row_along_a_direction_is_the_shortest_one(direction, row):
    found = row_along(lattice(SQUARE), np.array(direction, float), tolerance=0.05)
    assert tuple(found) == row


def test_long_rows_are_none():
    assert row_along(lattice(SQUARE), np.array([1.0, 2.4]), tolerance=0.02) is None
