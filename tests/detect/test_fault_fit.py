from dataclasses import replace

import numpy as np
import pytest

from antisite.crystal.lattice_phases import reflection_weights
from antisite.detect.displacement_steps import measure_steps
from antisite.detect.fault_fit import fit_fault, free_of
from antisite.simulate.extended_defects.boundaries import fault
from antisite.simulate.extended_defects.dislocations import faulted_pair

SHIFT, BOTH = (0.0, 1 / 3), (True, True)


def pair(scene, total=(0, 0), **options):
    """A fault of eleven cells with a partial dislocation at either end."""
    perfect = scene("au110", n=320, px_per_cell=8.0, **options)
    return faulted_pair(perfect, SHIFT, (0, 1), length=11 * 8.0, total=total)


def rough_path(seen, *, off=0.8):
    """The true ends, each so many cells too far out."""
    first, last = seen.truth.lines[0].path[[0, -1]]
    along = (last - first) / np.hypot(*(last - first)) * off * seen.cell
    return np.array([first - along, last + along])


def fitted(seen, path=None, inside=BOTH, **options):
    path = rough_path(seen) if path is None else path
    return fit_fault(seen.phases(0.75), seen.lattice, path, np.array([0.05, 0.28]), inside, **options)


def ends_of(fit, seen, path):
    along = (path[1] - path[0]) / np.hypot(*(path[1] - path[0]))
    return path[0] + fit.ends[:, None] * seen.cell * along


def miss(found, true, seen):
    """How far two displacements differ, in cells."""
    return np.hypot(*((np.asarray(found) - true) @ seen.lattice.vectors).T).max() / seen.cell


@pytest.fixture(scope="module")
def seen(scene, see):
    return see(pair(scene))


@pytest.mark.parametrize(("rng", "total"), [(1, (0, 0)), (2, (0, 1)), (3, (0, 0)), (4, (0, 1))])
def test_of_a_short_fault_in_an_image_that_drifts_all_is_right(scene, see, rng, total):
    seen = see(pair(scene, total, rotation=1.7 * rng, rng=rng), drift=1.5, rng=rng, dose=1e5)
    path = rough_path(seen)
    fit = fitted(seen, path)
    assert miss(fit.shift, SHIFT, seen) < 0.03
    assert np.hypot(*(ends_of(fit, seen, path) - seen.truth.lines[0].path[[0, -1]]).T).max() < 0.6 * seen.cell
    assert miss(fit.burgers, [np.array(total) - SHIFT, SHIFT], seen) < 0.03
    assert fit.misfit < 0.05


def test_read_backwards_the_displacement_and_the_ends_change_sides(seen):
    path = rough_path(seen)
    forth = fitted(seen, path)
    back = fit_fault(seen.phases(0.75), seen.lattice, path[::-1], np.array([-0.05, -0.28]), BOTH)
    np.testing.assert_allclose(back.shift, -forth.shift, atol=2e-3)
    np.testing.assert_allclose(back.burgers, forth.burgers[::-1], atol=2e-3)
    np.testing.assert_allclose(ends_of(back, seen, path[::-1]), ends_of(forth, seen, path)[::-1], atol=0.3)


def test_a_fault_said_to_run_on_though_it_ends_fits_worse(seen):
    ends = fitted(seen)
    runs_on = fitted(seen, rough_path(seen, off=4.0), inside=(False, True))
    assert ends.misfit < 0.5 * runs_on.misfit


def test_a_fault_from_rim_to_rim_has_its_displacement_and_no_ends(scene, see):
    seen = see(fault(scene("fe100"), (0.3, 0.1), (1, 0)), drift=1.0)
    path = seen.truth.lines[0].path
    fit = fit_fault(seen.phases(0.75), seen.lattice, path, np.array([0.2, 0.2]), (False, False))
    np.testing.assert_allclose(fit.shift, (0.3, 0.1), atol=0.03)
    assert not fit.whole.any()


def test_where_too_little_is_seen_round_it_nothing_is_said(seen):
    phases = seen.phases(0.75)
    blind = replace(phases, seen=np.zeros_like(phases.seen))
    assert fit_fault(blind, seen.lattice, rough_path(seen), np.array(SHIFT), BOTH) is None


def test_what_lies_nearer_to_another_line_is_left_out(scene, see):
    perfect = scene("fe100")
    spacing = 6 * 12.0
    normal = np.array([np.cos(0.3), -np.sin(0.3)])
    first = fault(perfect, (0.3, 0.0), (1, 0), at=perfect.centre - spacing / 2 * normal)
    seen = see(fault(first, (0.5, 0.5), (1, 0), at=perfect.centre + spacing / 2 * normal))
    one, other = (line.path for line in seen.truth.lines)

    alone, beside = (
        fit_fault(seen.phases(0.75), seen.lattice, one, np.array([0.3, 0.0]), (False, False), others=others)
        for others in ([other], [])
    )
    np.testing.assert_allclose(alone.shift, (0.3, 0.0), atol=0.01)
    assert alone.misfit < 0.01 < 0.1 < beside.misfit


@pytest.mark.parametrize("total", [(0, 0), (0, 1)])
def test_freed_of_a_fault_phases_step_nowhere(scene, see, total):
    seen = see(pair(scene, total))
    phases, path = seen.phases(0.75), rough_path(seen)
    weight = reflection_weights(phases, seen.lattice)
    rest = free_of(fitted(seen, path), phases, seen.lattice, path, BOTH)
    there = rest.seen > 0.9

    def steps(of):
        return measure_steps(of, cell=seen.cell, weight=weight)

    assert steps(phases).max() > 0.4
    assert steps(rest)[there].max() < 0.2
    assert there.mean() > 0.5
    assert (rest.seen[phases.seen > 0.9] == 0).any()
    np.testing.assert_allclose(np.abs(rest.waves), np.abs(phases.waves))
