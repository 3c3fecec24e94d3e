from dataclasses import replace

import numpy as np
import pytest

from antisite.detect.fault_traces import find_traces
from antisite.detect.lines import distance_to
from antisite.detect.planar_kinds import is_moved
from antisite.simulate.extended_defects.boundaries import fault, lamella


def traces_in(seen, known=()):
    phases = seen.phases(0.75)
    return find_traces(seen.even, seen.mask, phases, seen.lattice, known, window=0.75 * seen.cell)


def two_faults(scene, *, apart):
    """Lines that displace by half a cell and by 0.3 of it, so many cells apart."""
    perfect = scene()
    normal = np.array([np.cos(0.3), -np.sin(0.3)]) * apart / 2 * 12
    first = fault(perfect, (0.3, 0.0), (1, 0), at=perfect.centre - normal)
    return fault(first, (0.5, 0.5), (1, 0), at=perfect.centre + normal)


@pytest.mark.parametrize(
    ("shift", "moved"),
    [((0.3, 0), True), ((0, -0.2), True), ((0.02, 0), False), ((1, -1), False), ((0.97, 2.05), False)],
)
def test_a_lattice_vector_moves_nothing(shift, moved):
    assert is_moved(np.array(shift)) is moved


def test_a_fault_is_traced_with_about_its_displacement(scene, see):
    seen = see(fault(scene(), (0.3, 0.0), (1, 0)))
    (trace,) = traces_in(seen)
    true = seen.truth.lines[0].path
    assert distance_to(true, trace.fault.path).max() < seen.cell
    sign = np.sign((trace.fault.path[-1] - trace.fault.path[0]) @ (true[-1] - true[0]))
    np.testing.assert_allclose(sign * trace.fault.shift, (0.3, 0.0), atol=0.03)


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2"])
def test_a_perfect_crystal_has_none(scene, see, crystal):
    assert not traces_in(see(scene(crystal), drift=1.0, dose=5e4))


def test_a_thin_layer_that_displaces_nothing_is_weak(scene, see):
    seen = see(lamella(scene("square_dumbbell", px_per_cell=14.0, n=288), 1, (1, 0), through="gap"))
    (trace,) = traces_in(seen)
    assert trace.weak
    assert not is_moved(trace.fault.shift)


def test_the_line_of_most_evidence_comes_first(scene, see):
    traces = traces_in(see(two_faults(scene, apart=8)))
    assert len(traces) == 2
    assert traces[0].evidence > traces[1].evidence
    half = [np.abs(np.abs(trace.fault.shift) - 0.5).max() < 0.15 for trace in traces]
    assert half == [True, False]


def test_along_a_known_line_none_is_traced_again(scene, see):
    seen = see(two_faults(scene, apart=8))
    first, second = traces_in(seen)
    (left,) = traces_in(seen, known=[first.fault])
    np.testing.assert_allclose(left.fault.path, second.fault.path, atol=1.0)
    elsewhere = replace(first.fault, path=first.fault.path + 200.0)
    assert len(traces_in(seen, known=[elsewhere])) == 2
