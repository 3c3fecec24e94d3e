import math

import numpy as np
import pytest

from antisite.detect.dislocations import Cores, find_cores
from antisite.detect.domain_walls import find_walls
from antisite.detect.lines import distance_to
from antisite.simulate.extended_defects.dislocations import Dislocation, add_dislocations, tilt_wall


def walls_of(seen):
    phases = seen.phases(1.0, oversampling=2)
    return find_walls(find_cores(phases, cell=seen.cell), phases, seen.lattice)


@pytest.mark.parametrize("degrees", [4.0, -6.0])
def test_dislocations_in_a_row_are_a_wall_that_turns_the_crystal(scene, see, degrees):
    seen = see(tilt_wall(scene(n=320, px_per_cell=8.0), math.radians(degrees)))
    (wall,) = walls_of(seen)
    assert math.degrees(wall.rotation) == pytest.approx(abs(degrees), abs=0.4)
    places = np.array([core.position for core in seen.truth.cores])
    assert distance_to(wall.path, places[(np.abs(places - 160) < 130).all(axis=1)]).max() < seen.cell


def test_dislocations_that_turn_nothing_are_no_wall(scene, see):
    cores = [
        Dislocation(position=(60.0 + 65 * i, 128.0), burgers=(0.0, float(b)))
        for i, b in enumerate((1, -1, 1))
    ]
    assert not walls_of(see(add_dislocations(scene(), cores)))


def test_two_dislocations_are_no_wall(scene, see):
    phases = see(scene()).phases(1.0, oversampling=2)
    two = Cores(
        positions=np.array([[50.0, 128], [200, 128]]), burgers=np.array([[1, 0], [1, 0]]), sd=np.zeros(2)
    )
    assert not find_walls(two, phases, see(scene()).lattice)
