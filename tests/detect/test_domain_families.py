import math

import numpy as np

from antisite.crystal.lattice import Lattice
from antisite.detect.domain_families import families

CELL = 12 * np.array([[0.0, 1.0], [1.0, 0.1]])


def lattice(degrees=0.0, *, cell=CELL):
    a = math.radians(degrees)
    return Lattice(vectors=cell @ [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]], coherence=1.0)


def thirds(n):
    return np.repeat(np.arange(n, dtype=np.int8), 30)[None].repeat(40, axis=0)


def members(lattices):
    return [family.members for family in families(thirds(len(lattices)), lattices)]


def test_domains_that_are_turned_by_little_are_one_family():
    assert members([lattice(), lattice(5), lattice(30)]) == [(0, 1), (2,)]


def test_families_reach_from_neighbour_to_neighbour():
    assert members([lattice(), lattice(9), lattice(18)]) == [(0, 1, 2)]


def test_another_choice_of_cell_vectors_is_the_same_crystal():
    other = Lattice(vectors=np.array([[1, 1], [0, 1]]) @ lattice(3).vectors, coherence=1.0)
    assert members([lattice(), other]) == [(0, 1)]


def test_another_crystal_is_a_family_of_its_own():
    assert members([lattice(), lattice(cell=1.4 * CELL)]) == [(0,), (1,)]


def test_the_lattice_of_a_family_lies_between_those_of_its_members():
    (family,) = families(thirds(2), [lattice(), lattice(6)])
    np.testing.assert_allclose(family.lattice.vectors, lattice(3).vectors, rtol=0.01, atol=0.02)
