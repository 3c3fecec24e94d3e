import numpy as np
import pytest

from antisite.crystal.lattice_phases import reflection_weights
from antisite.detect.line_shift import measure_shift
from antisite.simulate.extended_defects.boundaries import fault


def measured(seen, path=None, mask=None, **options):
    phases = seen.phases(0.75)
    weight = reflection_weights(phases, seen.lattice)
    path = seen.truth.lines[0].path[5:-5] if path is None else path
    mask = seen.mask if mask is None else mask
    return measure_shift(seen.even, mask, path, seen.lattice, phases.index, weight=weight, **options)


def wrapped(value):
    return (np.asarray(value) + 0.5) % 1 - 0.5


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.3, 0.0), (-0.2, 0.1), (0.5, 0.5)])
def test_the_displacement_is_that_of_the_right_side(scene, see, shift):
    seen = see(fault(scene(), shift, (1, 0)))
    found = measured(seen)
    np.testing.assert_allclose(wrapped(found.value - seen.truth.lines[0].shift), 0, atol=0.015)
    assert found.constancy > 0.95
    assert (found.sd < 0.02).all()


@pytest.mark.parametrize("crystal", ["au110", "wse2", "srtio3", "monoclinic"])
def test_crystals_of_all_sorts_are_measured_in_their_own_cell(scene, see, crystal):
    seen = see(fault(scene(crystal, px_per_cell=18.0, n=288), (0.3, 0.0), (1, 0)))
    np.testing.assert_allclose(wrapped(measured(seen).value - (0.3, 0.0)), 0, atol=0.045)


def test_read_backwards_it_changes_sign(scene, see):
    seen = see(fault(scene(), (0.3, 0.1), (1, 0)))
    path = seen.truth.lines[0].path[5:-5]
    np.testing.assert_allclose(measured(seen, path).value, -measured(seen, path[::-1]).value, atol=0.004)


def test_drift_does_not_change_it(scene, see):
    for rng in (2, 3):
        seen = see(fault(scene(n=384), (0.3, 0.0), (1, 0)), drift=0.5, rng=rng)
        np.testing.assert_allclose(measured(seen).value, (0.3, 0.0), atol=0.03)


def test_turned_by_90_degrees_the_image_gives_the_same_fractions(scene, see):
    laid = fault(scene(), (0.3, 0.1), (1, 0))
    seen, turned = see(laid), see(laid, turns=1)
    y, x = seen.truth.lines[0].path[5:-5].T
    np.testing.assert_allclose(
        measured(turned, np.column_stack([255 - x, y])).value, measured(seen).value, atol=0.01
    )


def test_half_of_the_line_under_a_mask_tells_the_same(scene, see):
    seen = see(fault(scene(), (0.3, 0.0), (1, 0)))
    mask = np.zeros_like(seen.mask)
    mask[:, 128:] = True
    np.testing.assert_allclose(measured(seen, mask=mask).value, (0.3, 0.0), atol=0.02)


def test_where_everything_is_masked_nothing_is_known(scene, see):
    found = measured(see(fault(scene(), (0.3, 0.0), (1, 0))), mask=np.ones((256, 256), dtype=bool))
    assert np.isnan(found.value).all()
    assert found.constancy == 0


def test_in_a_perfect_crystal_nothing_is_displaced(scene, see):
    found = measured(see(scene()), np.array([[10.0, 90.0], [245.0, 170.0]]))
    np.testing.assert_allclose(found.value, 0, atol=0.005)


def test_beside_another_line_phases_are_read_nearer_and_less_is_known(scene, see):
    perfect = scene(n=288)
    apart = 5 * 12.0 * np.array([np.cos(0.3), -np.sin(0.3)])
    first = fault(perfect, (0.3, 0.0), (1, 0), at=perfect.centre - apart / 2)
    seen = see(fault(first, (0.5, 0.5), (1, 0), at=perfect.centre + apart / 2))
    alone, beside = measured(seen), measured(seen, room=5 * seen.cell)
    miss = [np.abs(wrapped(found.value - (0.3, 0.0))).max() for found in (alone, beside)]
    assert miss[1] < 0.05 < miss[0]
    assert (beside.sd > 0.05).all()


def test_of_a_short_fault_less_is_known(scene, see):
    seen = see(fault(scene(), (0.3, 0.0), (1, 0)))
    path = seen.truth.lines[0].path
    middle = path[len(path) // 2 - 50 : len(path) // 2 + 50]
    np.testing.assert_allclose(measured(seen, middle).value, (0.3, 0.0), atol=0.05)
    assert (measured(seen, middle).sd > 2 * measured(seen).sd).all()
