import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.detect.domain_map import domains_beside
from antisite.detect.planar_defects import Dislocation, PlanarDefect, Structure
from antisite.detect.planar_kinds import PlanarKind

LATTICE = Lattice(vectors=10 * np.eye(2)[::-1], coherence=1.0)
DOMAINS = np.repeat(np.array([0, 1, -1], dtype=np.int8), 40)[None].repeat(100, axis=0)


def line(*points):
    path = np.array(points, dtype=float)
    return PlanarDefect(kind=PlanarKind(kind="grain_boundary"), path=path, sd=1.0, cell=10.0)


def test_what_is_not_measured_is_not_known():
    assert np.isnan(line((0, 0), (1, 1)).shift).all()
    assert np.isnan(Dislocation(position=np.zeros(2), sd=1.0).burgers).all()


def test_distance_is_that_to_the_nearest_line_or_core():
    core = Dislocation(position=np.array([50.0, 100.0]), sd=1.0)
    structure = Structure(
        domains=DOMAINS, lattices=(LATTICE, LATTICE), lines=(line((0, 40), (99, 40)),), dislocations=(core,)
    )
    away = structure.distance()
    assert away[20, 50] == pytest.approx(10, abs=0.5)
    assert away[50, 103] == pytest.approx(3)
    assert np.isinf(Structure(domains=DOMAINS, lattices=(LATTICE,)).distance()).all()


def test_the_domains_beside_a_line_are_told_left_first():
    down = np.array([[0.0, 40.0], [99.0, 40.0]])  # walking down, right is -x
    assert domains_beside(DOMAINS, down, cell=10.0) == (1, 0)
    assert domains_beside(DOMAINS, down[::-1], cell=10.0) == (0, 1)
    assert domains_beside(DOMAINS, down + np.array([0.0, 40.0]), cell=10.0) == (-1, 1)
