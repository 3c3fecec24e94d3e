from dataclasses import replace

import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.detect.fault_model import FaultValues, Surroundings, fit_values
from antisite.detect.lines import locate, sample_line

CELL = 10.0
LATTICE = Lattice(vectors=CELL * np.array([[0.0, 1.0], [1.1, -0.4]]) / np.sqrt(1.1), coherence=1.0)
INDEX = np.array([[1, 0], [0, 1], [1, 1], [1, -1]])
PATH = np.array([[150.0, 90.0], [170.0, 230.0]])
LENGTH = np.hypot(*(PATH[1] - PATH[0])) / CELL
WHOLE = {"none": np.zeros((2, 2)), "one": np.array([[0.0, 1.0], [0.0, 0.0]])}


def places_round(inside):
    """Nodes round a line, all phases at rest."""
    line = sample_line(PATH, spacing=1.0)
    places = np.stack(np.meshgrid(np.arange(0, 320, 5.0), np.arange(0, 320, 5.0), indexing="ij"), -1)
    places = places.reshape(-1, 2)
    along, across = locate(places, line)
    away = np.hypot(np.maximum(np.maximum(-along, along - line.length), 0), across)
    begin = {(True, False): 0.0, (False, True): line.length}.get(inside, line.length / 2)
    seen = Surroundings(
        places=places,
        along=along,
        far=np.abs(along - begin),
        right=across > 0,
        unit=np.ones((len(INDEX), len(places)), dtype=complex),
        index=INDEX,
        weight=np.array([0.4, 0.3, 0.2, 0.1]),
        line=line,
        inside=inside,
    )
    own = (away > 2 * CELL) & (away < 7 * CELL)
    own &= ((along > 0) | inside[0]) & ((along < line.length) | inside[1])
    return seen.select(own)


def phases_of(values, inside, *, moved=None):
    """What a fault does to phases, and an even displacement (2,) cells beside it."""
    seen = places_round(inside)
    unit = np.conj(values.unwound(seen, LATTICE))
    if moved is not None:
        unit = unit * np.exp(-2j * np.pi * INDEX @ moved(seen.places).T)
    return replace(seen, unit=unit)


def values(shift, ends, whole="none"):
    return FaultValues(shift=np.array(shift), ends=np.array(ends), whole=WHOLE[whole])


ROUGH = values((0.05, 0.25), (0.0, LENGTH))
TRUE_ENDS = (0.8, LENGTH - 1.1)


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("inside", [(True, True), (True, False), (False, True), (False, False)])
def test_displacement_and_ends_of_exact_phases_are_found_exactly(inside, whole):
    true = values((0.02, 1 / 3), TRUE_ENDS, whole)
    fit = fit_values(phases_of(true, inside), LATTICE, replace(ROUGH, whole=true.whole), rounds=12)
    np.testing.assert_allclose(fit.shift, true.shift, atol=1e-3)
    own = np.array(inside)
    np.testing.assert_allclose(fit.ends[own], true.ends[own], atol=1e-3)
    assert fit.misfit < 1e-6


def test_an_end_at_the_rim_stays_where_it_was():
    fit = fit_values(phases_of(values((0, 1 / 3), TRUE_ENDS), (True, False)), LATTICE, ROUGH, rounds=12)
    assert fit.ends[1] == pytest.approx(LENGTH)
    assert abs(fit.ends[0] - TRUE_ENDS[0]) < 1e-3


def test_strain_and_drift_of_rows_are_told_from_the_fault():
    def moved(places):
        y, x = ((places - 160) / 160).T
        return np.column_stack([0.2 * y**2 + 0.1 * x, 0.15 * y**3 - 0.1 * y])

    true = values((0.0, 1 / 3), TRUE_ENDS)
    fit = fit_values(phases_of(true, (True, True), moved=moved), LATTICE, ROUGH, rounds=12)
    np.testing.assert_allclose(fit.shift, true.shift, atol=2e-3)
    np.testing.assert_allclose(fit.ends, true.ends, atol=0.02)


def test_a_lattice_vector_too_few_in_a_burgers_vector_misfits():
    seen = phases_of(values((0.0, 1 / 3), TRUE_ENDS, "one"), (True, True))
    right, wrong = (
        fit_values(seen, LATTICE, replace(ROUGH, whole=WHOLE[name]), rounds=12) for name in ("one", "none")
    )
    assert wrong.misfit > 100 * max(right.misfit, 1e-4)


def test_burgers_vectors_are_the_displacement_and_lattice_vectors():
    np.testing.assert_allclose(values((0.0, 0.3), (0, 9), "one").burgers, [[0, 0.7], [0, 0.3]])


def test_freed_of_the_fault_phases_are_at_rest():
    true = values((0.1, 0.3), TRUE_ENDS, "one")
    np.testing.assert_allclose(true.unwound(phases_of(true, (True, True)), LATTICE), 1, atol=1e-9)


def test_the_uncertainty_grows_with_the_noise_and_covers_the_error():
    true, rng = values((0.0, 1 / 3), TRUE_ENDS), np.random.default_rng(3)
    clean = phases_of(true, (True, True))
    sd = []
    for noise in (0.05, 0.2):
        phase = rng.normal(0, noise, clean.unit.shape)
        fit = fit_values(replace(clean, unit=clean.unit * np.exp(1j * phase)), LATTICE, ROUGH, rounds=12)
        sd.append(fit.sd)
        assert (np.abs(fit.shift - true.shift) < 3 * fit.sd[:2]).all()
        assert (np.abs(fit.ends - true.ends) < 3 * fit.sd[2:]).all()
    np.testing.assert_allclose(sd[1] / sd[0], 4, rtol=0.2)


def test_with_too_few_nodes_nothing_is_changed():
    few = places_round((True, True))
    few = few.select(np.arange(len(few.places)) % 100 == 0)
    assert fit_values(few, LATTICE, ROUGH, rounds=3) is ROUGH
