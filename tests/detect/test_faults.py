import numpy as np
import pytest

from antisite.detect.domain_map import domains_beside
from antisite.detect.faults import add_fault, with_faults
from antisite.detect.lines import distance_to
from antisite.detect.planar_defects import Dislocation, PlanarDefect, Structure
from antisite.detect.planar_kinds import PlanarKind
from antisite.simulate.extended_defects.boundaries import fault, lamella
from antisite.simulate.extended_defects.dislocations import faulted_pair

CELL = 12.0


def faults_in(seen):
    return with_faults(seen.even, seen.mask, Structure(domains=seen.domains, lattices=seen.lattices))


def nearest(found, true):
    """The line that was found along a true one, and its shift as read along that."""
    line = min(found.lines, key=lambda one: float(np.mean(distance_to(true.path, one.path))))
    sign = np.sign((line.path[-1] - line.path[0]) @ (true.path[-1] - true.path[0]))
    return line, sign * line.shift


def parallel(scene, *shifts, apart):
    """Faults along `a`, so many cells apart."""
    laid = scene(n=320)
    normal = np.array([np.cos(0.3), -np.sin(0.3)]) * CELL
    centre = laid.centre
    for n, shift in enumerate(shifts):
        laid = fault(laid, shift, (1, 0), at=centre + (n - (len(shifts) - 1) / 2) * apart * normal)
    return laid


def wrapped(value):
    return (np.asarray(value) + 0.5) % 1 - 0.5


def test_a_fault_that_cuts_through_makes_two_domains_of_one_lattice(scene, see):
    seen = see(fault(scene(), (0.3, 0.1), (1, 0)))
    found = faults_in(seen)
    (line,) = found.lines
    assert len(found.lattices) == 2
    assert not found.dislocations
    assert sorted(domains_beside(found.domains, line.path, cell=CELL)) == [0, 1]
    np.testing.assert_allclose(nearest(found, seen.truth.lines[0])[1], (0.3, 0.1), atol=0.02)


@pytest.mark.parametrize(("apart", "within"), [(4, 0.05), (6, 0.01), (8, 0.01)])
def test_faults_side_by_side_are_each_measured_free_of_the_other(scene, see, apart, within):
    seen = see(parallel(scene, (0.3, 0.0), (0.5, 0.5), apart=apart))
    found = faults_in(seen)
    assert len(found.lines) == 2
    for true in seen.truth.lines:
        line, shift = nearest(found, true)
        assert distance_to(true.path, line.path).max() < 0.7 * CELL
        np.testing.assert_allclose(wrapped(shift - true.shift), 0, atol=within)


def test_a_fault_inside_the_crystal_ends_in_partials_and_divides_nothing(scene, see):
    seen = see(faulted_pair(scene("au110", n=320, px_per_cell=8.0), (0, 1 / 3), (0, 1), length=88.0))
    found = faults_in(seen)
    assert len(found.lines) == 1
    assert len(found.lattices) == 1
    assert [core.line for core in found.dislocations] == [0, 0]
    np.testing.assert_allclose(sum(core.burgers for core in found.dislocations), 0, atol=1e-9)
    assert found.lines[0].kind.kind == "stacking_fault"


@pytest.mark.parametrize("crystal", ["fe100", "au110", "cdte110"])
def test_a_perfect_crystal_has_none(scene, see, crystal):
    seen = see(scene(crystal, px_per_cell=14.0), drift=1.5, dose=5e4)
    assert not faults_in(seen).lines


@pytest.mark.parametrize("n", [1, 2])
def test_thin_lamellae_are_stacking_faults(scene, see, n):
    seen = see(lamella(scene("au110", n=288), n, (0, 1)))
    (line,) = faults_in(seen).lines
    assert line.kind.kind == "stacking_fault"
    assert line.kind.name == {1: "intrinsic stacking fault", 2: "extrinsic stacking fault"}[n]


def rough(*points, shift=(0.3, 0.0), name=""):
    return PlanarDefect(
        kind=PlanarKind(kind="planar_defect", name=name),
        path=np.array(points, dtype=float),
        sd=1.0,
        cell=CELL,
        shift=np.array(shift),
        shift_sd=np.full(2, 0.01),
    )


def partial(place):
    return Dislocation(
        position=np.array(place, dtype=float), sd=1.0, burgers=np.ones(2), burgers_px=np.ones(2), partial=True
    )


@pytest.fixture(scope="module")
def whole(scene, see):
    seen = see(scene())
    return Structure(domains=seen.domains, lattices=seen.lattices)


def test_what_is_shorter_than_six_cells_is_no_fault(whole):
    assert add_fault(whole, [0], rough((128, 100), (128, 160)), ()) is whole
    assert add_fault(whole, [0], rough((128, 90), (128, 170)), ()) is not whole


@pytest.mark.parametrize(
    ("length", "shift", "kept"), [(120, 0.15, False), (160, 0.15, True), (120, 0.3, True)]
)
def test_strain_between_two_dislocations_is_no_fault(whole, length, shift, kept):
    path = (128, 128 - length / 2), (128, 128 + length / 2)
    added = add_fault(whole, [0], rough(*path, shift=(shift, 0.0)), [partial(p) for p in path])
    assert (added is not whole) == kept


def test_a_name_that_is_known_stays(whole):
    named = rough((128, 0), (128, 255), shift=(0, 0), name="twin lamella of 3 layers")
    assert add_fault(whole, [0], named, ()).lines[0].kind == named.kind
    assert add_fault(whole, [0], rough((128, 0), (128, 255), shift=(0.5, 0)), ()).lines[0].kind.name


def test_a_second_fault_divides_the_part_in_which_it_lies(whole):
    once = add_fault(whole, [0], rough((80, 0), (80, 255)), ())
    twice = add_fault(once, [0, 1], rough((180, 0), (180, 255)), ())
    assert len(twice.lattices) == 3
    assert len({int(twice.domains[y, 128]) for y in (30, 130, 230)}) == 3
