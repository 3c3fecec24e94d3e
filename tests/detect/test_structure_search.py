import math

import numpy as np
import pytest

from antisite.detect.lines import distance_to, locate, sample_line
from antisite.simulate.extended_defects.boundaries import fault, lamella, tilt_boundary, twin_boundary
from antisite.simulate.extended_defects.dislocations import (
    Dislocation,
    add_dislocations,
    faulted_pair,
    tilt_wall,
)
from antisite.simulate.truth.lines import turn

TURN = math.radians(20)
MOTIONS = (turn(-TURN / 2), turn(TURN / 2))


def halves(path, shape):
    pixels = np.argwhere(np.ones(shape, dtype=bool)).astype(float)
    across = locate(pixels, sample_line(path, spacing=1.0))[1]
    return (across > 6).astype(np.int8).reshape(shape)  # windows are never exact


@pytest.fixture(scope="module")
def tilted(scene, see):
    laid = tilt_boundary(scene(), TURN, direction=0.9)
    return see(laid, motions=MOTIONS, domains=halves(see(laid).truth.lines[0].path, (256, 256)), drift=0.5)


def test_a_boundary_runs_from_frame_to_frame_where_the_crystals_meet(tilted):
    found = tilted.structure()
    (line,) = found.lines
    true = tilted.truth.lines[0].path
    assert line.kind.kind == "grain_boundary"
    assert math.degrees(line.kind.misorientation) == pytest.approx(20, abs=0.3)
    assert np.median(distance_to(line.path, true)) < 0.2 * tilted.cell
    assert distance_to(line.path, true).max() < 0.5 * tilted.cell
    assert len(found.lattices) == 2


def test_a_fault_across_a_crystal_makes_two_domains_of_one_lattice(scene, see):
    seen = see(fault(scene(), (0.5, 0.0), (1, 0)))
    found = seen.structure()
    (line,) = found.lines
    assert line.kind.kind == "antiphase_boundary"
    assert set(np.unique(found.domains)) == {0, 1}
    np.testing.assert_allclose(*(lattice.vectors for lattice in found.lattices), atol=0.1)
    assert not found.dislocations


@pytest.mark.parametrize(
    ("layers", "name"), [(1, "intrinsic stacking fault"), (2, "extrinsic stacking fault")]
)
def test_lamellae_of_gold_are_the_faults_of_the_books(scene, see, layers, name):
    (line,) = see(lamella(scene("au110"), layers, (0, 1))).structure().lines
    assert line.kind.name == name


def test_a_layer_that_displaces_nothing_is_found_all_the_same(scene, see):
    seen = see(lamella(scene("au110"), 3, (0, 1)))
    (line,) = seen.structure().lines
    np.testing.assert_allclose((line.shift + 0.5) % 1 - 0.5, 0, atol=0.06)
    assert np.median(distance_to(line.path, seen.truth.lines[0].path)) < 1.0 * seen.cell


def test_a_fault_that_ends_inside_ends_in_two_partials_that_sum_to_nothing(scene, see):
    seen = see(faulted_pair(scene("au110", n=288), (0, 1 / 3), (0, 1), length=170))
    found = seen.structure()
    assert len(found.lines) == 1
    first, second = found.dislocations
    assert first.partial
    assert second.partial
    assert {first.line, second.line} == {0}
    np.testing.assert_allclose(first.burgers + second.burgers, 0, atol=1e-9)
    ends = np.array([core.position for core in seen.truth.cores])
    assert distance_to(np.array([first.position, second.position]), ends).max() < 2 * seen.cell
    assert not found.domains.any()
    # walking from the first to the second, the right side is displaced by the Burgers vector of the end
    true = {
        tuple(np.round(core.position)): np.array(core.burgers) @ seen.truth.cell for core in seen.truth.cores
    }
    nearest = min(true, key=lambda at: np.hypot(*(np.array(at) - second.position)))
    assert second.burgers_px @ true[nearest] > 0


def test_dislocations_stand_alone_where_there_is_no_line(scene, see):
    cores = [
        Dislocation(position=(90.0, 128.0), burgers=(1.0, 0.0)),
        Dislocation(position=(170.0, 140.0), burgers=(-1.0, 0.0)),
    ]
    found = see(add_dislocations(scene(), cores)).structure()
    assert not found.lines
    assert [(core.line, core.partial) for core in found.dislocations] == [(-1, False)] * 2


def test_a_wall_of_dislocations_parts_two_domains_that_are_turned(scene, see):
    found = see(tilt_wall(scene(n=320, px_per_cell=8.0), math.radians(4))).structure()
    (line,) = found.lines
    assert line.kind.kind == "grain_boundary"
    assert math.degrees(line.kind.misorientation) == pytest.approx(4, abs=0.3)
    assert set(np.unique(found.domains)) == {0, 1}
    assert all(core.line == 0 for core in found.dislocations)


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2", "srtio3", "graphene"])
@pytest.mark.parametrize("rng", [0, 1])
def test_perfect_crystals_hold_nothing(scene, see, crystal, rng):
    seen = see(scene(crystal, px_per_cell=14.0, rng=rng), dose=5e4, drift=1.5, jitter=0.2, rng=rng)
    found = seen.structure()
    assert not found.lines
    assert not found.dislocations
    assert np.isinf(found.distance()).all()


def test_turned_by_90_degrees_the_image_has_the_turned_line(scene, see):
    laid = fault(scene(), (0.3, 0.0), (1, 0))
    (first,), (turned,) = (see(laid, turns=n).structure().lines for n in (0, 1))
    expected = np.column_stack([255 - first.path[:, 1], first.path[:, 0]])
    assert distance_to(expected, turned.path).max() < 1.5
    along = (turned.path[-1] - turned.path[0]) @ (expected[-1] - expected[0]) > 0
    np.testing.assert_allclose(turned.shift, first.shift if along else -first.shift, atol=0.015)


def test_what_is_masked_is_no_line_and_hides_none(scene, see):
    mask = np.zeros((256, 256), dtype=bool)
    mask[:, 150:180] = True
    assert not see(scene(), mask=mask).structure().lines
    (line,) = see(fault(scene(), (0.5, 0.0), (1, 0), at=(127.0, 80.0)), mask=mask).structure().lines
    assert line.kind.kind == "antiphase_boundary"


def test_a_twin_is_a_mirror(scene, see):
    laid = twin_boundary(scene("au110"), (0, 1))
    path = see(laid).truth.lines[0].path
    along = (path[-1] - path[0]) / np.hypot(*(path[-1] - path[0]))
    mirror = 2 * np.outer(along, along) - np.eye(2)
    seen = see(laid, motions=(np.eye(2), mirror), domains=halves(path, (256, 256)))
    (line,) = seen.structure().lines
    assert (line.kind.kind, line.kind.mirror) == ("twin_boundary", True)
    assert line.kind.misorientation == pytest.approx(laid.lines[0].least_rotation, abs=math.radians(0.5))
    assert np.median(distance_to(line.path, path)) < 0.3 * seen.cell
