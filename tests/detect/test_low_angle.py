import math

import numpy as np
import pytest

from antisite.detect.lines import locate, sample_line
from antisite.detect.low_angle import mean_lattice, turn_between
from antisite.simulate.extended_defects.dislocations import tilt_wall
from antisite.simulate.truth.lines import turn


def sides_of(seen, phases):
    nodes = [np.arange(n) * s for n, s in zip(phases.seen.shape, phases.step, strict=True)]
    places = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    across = locate(places, sample_line(seen.truth.lines[0].path, spacing=1.0))[1].reshape(phases.seen.shape)
    return across < 0, across >= 0


@pytest.mark.parametrize("degrees", [2.5, -5.0, 8.0])
def test_the_turn_across_a_wall_is_measured_clear_of_its_cores(scene, see, degrees):
    seen = see(tilt_wall(scene(n=320, px_per_cell=8.0), math.radians(degrees)))
    phases = seen.phases(1.0)
    found = turn_between(phases, seen.lattice, sides_of(seen, phases), clear=60.0)
    assert math.degrees(found) == pytest.approx(abs(degrees), abs=0.2)


def test_in_a_perfect_crystal_nothing_turns(scene, see):
    seen = see(scene(), drift=0.3)
    phases = seen.phases(1.0)
    left = np.zeros(phases.seen.shape, dtype=bool)
    left[:, : left.shape[1] // 2] = True
    assert turn_between(phases, seen.lattice, (left, ~left), clear=30.0) < math.radians(0.2)


def test_a_lattice_given_a_little_wrong_comes_out_right(scene, see):
    seen = see(scene(), motions=(1.01 * turn(0.01),))
    phases = seen.phases(1.0)
    found = mean_lattice(phases, seen.lattice, np.ones(phases.seen.shape, dtype=bool))
    own = seen.truth.cell * np.sign(np.diag(found.vectors @ np.linalg.inv(seen.truth.cell)))[:, None]
    np.testing.assert_allclose(found.vectors, own, atol=0.03)
