from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from antisite.crystal.lattice_phases import reflection_weights
from antisite.detect.displacement_steps import measure_steps, steps_by_chance
from antisite.detect.lines import sample_line
from antisite.simulate.extended_defects.boundaries import fault

CLEAR = 0.2  # of 1 - cos(phase step): what counts as a step


def steps_of(seen):
    phases = seen.phases(0.75)
    return measure_steps(phases, cell=seen.cell, weight=reflection_weights(phases, seen.lattice)), phases


def at(field, phases, places):
    return ndimage.map_coordinates(field, (places / phases.step).T, order=1)


def test_weights_sum_to_one_and_favour_reflections_of_low_order(scene, see):
    seen = see(scene())
    phases = seen.phases(0.75)
    weight = reflection_weights(phases, seen.lattice)
    length = np.hypot(*(phases.index @ seen.lattice.reciprocal).T)
    assert weight.sum() == pytest.approx(1)
    assert weight[length.argmin()] > weight[length.argmax()]


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.25, 0.0), (0.3, 0.2)])
def test_a_step_is_as_large_as_the_displacement_makes_it(scene, see, shift):
    seen = see(fault(scene(), shift, (1, 0)))
    steps, phases = steps_of(seen)
    expected = reflection_weights(phases, seen.lattice) @ (1 - np.cos(2 * np.pi * phases.index @ shift))
    inner = sample_line(seen.truth.lines[0].path, spacing=1.0).places[40:-40]
    np.testing.assert_allclose(at(steps, phases, inner).mean(), expected, rtol=0.15)


def test_away_from_the_fault_nothing_steps(scene, see):
    seen = see(fault(scene(), (0.5, 0.0), (1, 0)))
    steps, phases = steps_of(seen)
    line = sample_line(seen.truth.lines[0].path, spacing=1.0)
    for side in (-1, 1):
        beside = (line.places + side * 5 * seen.cell * line.normals)[60:-60]
        assert at(steps, phases, beside).max() < CLEAR / 2


@pytest.mark.parametrize("shift", [(1.0, 0.0), (0.0, 0.0), (2.0, -1.0)])
def test_a_jump_by_a_lattice_vector_is_no_step(scene, see, shift):
    assert steps_of(see(fault(scene(), shift, (1, 0))))[0].max() < CLEAR


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2", "cdte110"])
@pytest.mark.parametrize("dose", [1e6, 2e4])
def test_no_step_in_a_perfect_crystal_that_drifts_and_shakes(scene, see, crystal, dose):
    seen = see(scene(crystal, px_per_cell=16.0), dose=dose, drift=2.0, jitter=0.3, contamination=0.05)
    assert steps_of(seen)[0].max() < CLEAR


def test_a_band_that_is_masked_is_no_step(scene, see):
    mask = np.zeros((256, 256), dtype=bool)
    mask[120:136] = True
    assert steps_of(see(scene(), mask=mask))[0].max() < CLEAR


def chance_in(seen):
    steps, phases = steps_of(seen)
    return steps, phases, steps_by_chance(steps, phases, window=0.75 * seen.cell, cell=seen.cell)


@pytest.mark.parametrize("seed", range(3))
def test_steps_of_noise_hardly_exceed_chance(scene, see, seed):
    seen = see(scene(), dose=1e6)
    noise = np.random.default_rng(seed).normal(0, 6, seen.even.shape).astype(np.float32)
    steps, phases, chance = chance_in(replace(seen, even=seen.even + noise))
    assert steps[phases.seen > 0.9].max() > CLEAR
    assert (steps > 1.25 * chance).mean() < 0.01


def test_a_fault_makes_more_than_chance_and_chance_little_of_what_is_evidence(scene, see):
    seen = see(fault(scene(), (0.5, 0.0), (1, 0)))
    steps, phases, chance = chance_in(seen)
    inner = sample_line(seen.truth.lines[0].path, spacing=1.0).places[40:-40]
    assert (at(steps, phases, inner) > 2 * at(chance, phases, inner)).all()
    assert np.median(chance) < CLEAR
