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


def side_by_side(lattices):
    pairs = [(k, k + 1) for k in range(len(lattices) - 1)]
    return families(thirds(len(lattices)), lattices, pairs)


def together(lattices):
    """The members of the families that are more than one domain."""
    return [family.members for family in side_by_side(lattices) if len(family.members) > 1]


def test_every_domain_comes_alone_first():
    lattices = [lattice(), lattice(5), lattice(30)]
    assert [family.members for family in side_by_side(lattices)][:3] == [(0,), (1,), (2,)]


def test_neighbours_that_are_turned_by_little_are_a_pair():
    assert together([lattice(), lattice(5), lattice(30)]) == [(0, 1)]


def test_a_chain_of_small_turns_makes_pairs_only():
    assert together([lattice(), lattice(9), lattice(18)]) == [(0, 1), (1, 2)]


def test_domains_without_a_common_border_are_no_pair():
    lattices = [lattice(), lattice(5)]
    assert [family.members for family in families(thirds(2), lattices, [])] == [(0,), (1,)]


def test_another_choice_of_cell_vectors_is_the_same_crystal():
    other = Lattice(vectors=np.array([[1, 1], [0, 1]]) @ lattice(3).vectors, coherence=1.0)
    assert together([lattice(), other]) == [(0, 1)]


def test_another_crystal_is_no_partner():
    assert together([lattice(), lattice(cell=1.4 * CELL)]) == []


def test_the_lattice_of_a_pair_lies_between_those_of_its_members():
    family = side_by_side([lattice(), lattice(6)])[-1]
    np.testing.assert_allclose(family.lattice.vectors, lattice(3).vectors, rtol=0.01, atol=0.02)
