from dataclasses import replace

import numpy as np
import pytest

from antisite.conditions import Detector
from antisite.errors import InputError
from antisite.simulate.crystals.column_atoms import EMPTY, ColumnAtoms
from antisite.simulate.scattering import responses as module
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.responses import blur_tables, compute_responses
from antisite.simulate.scattering.thermal import common_displacement, mutual_displacements, rms_displacement

STILL = Optics(beam_energy=60e3, convergence=25.0, detectors=(Detector(inner=60, outer=200),), static=True)
S, S2 = ColumnAtoms(("S",), (0.0,)), ColumnAtoms(("S", "S"), (0.0, 3.13))


def test_an_empty_column_gives_zeros_and_equal_columns_are_computed_once(monkeypatch):
    counted = []
    real = module._column_table
    monkeypatch.setattr(
        module, "_column_table", lambda column, *rest: counted.append(column) or real(column, *rest)
    )
    table = compute_responses([S, EMPTY, S], STILL)
    assert counted == [S]
    assert not table.values[1].any()
    np.testing.assert_array_equal(table.values[0], table.values[2])
    assert table.values.shape[-1] % 2 == 1


def test_the_table_is_brightest_at_the_column_and_dark_at_its_rim():
    one = compute_responses([S], STILL).values[0, 0]
    middle = one.shape[0] // 2
    assert np.unravel_index(one.argmax(), one.shape) == (middle, middle)
    assert abs(one[0]).max() == 0


def test_the_source_moves_light_and_loses_none():
    sharp, blurred = (
        compute_responses([S], replace(STILL, source_size=size)).values[0, 0] for size in (0.0, 0.4)
    )
    assert blurred.max() < 0.8 * sharp.max()
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=2e-3)


def test_thermal_motion_of_one_atom_is_a_blur_by_its_displacement():
    moving = compute_responses([S], replace(STILL, static=False))
    still = compute_responses([S], STILL)
    expected = blur_tables(still.values, rms_displacement("S") / still.step)
    np.testing.assert_allclose(moving.values, expected, atol=1e-7)


def variances_of(symbols, n):
    sets, weights = mutual_displacements(symbols, n=n)
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.tensordot(weights, sets, 1)[:, 1], 0, atol=0.02)
    return np.tensordot(weights, (sets**2).mean(axis=2), 1) + common_displacement(symbols) ** 2


@pytest.mark.parametrize(("symbols", "n"), [(("W",), 2), (("W", "Se"), 2), (("Ti", "O", "Ti", "O"), 512)])
def test_common_and_mutual_displacements_add_up_to_those_of_each_atom(symbols, n):
    expected = [rms_displacement(symbol) ** 2 for symbol in symbols]
    np.testing.assert_allclose(variances_of(symbols, n), expected, rtol=1e-6 if len(symbols) < 3 else 0.06)


def test_a_pair_is_averaged_as_many_drawn_displacements_average_it(monkeypatch):
    monkeypatch.setattr(module, "_REACH", 2.0)
    moving = replace(STILL, static=False)
    quick = compute_responses([S2], moving).values[0, 0]
    drawn = np.random.default_rng(0).normal(0, rms_displacement("S"), (150, 2, 2))
    many = np.concatenate([drawn, -drawn])
    monkeypatch.setattr(
        module, "mutual_displacements", lambda *_, **__: (many, np.full(len(many), 1 / len(many)))
    )
    monkeypatch.setattr(module, "common_displacement", lambda _: 0.0)
    slow = compute_responses([S2], moving).values[0, 0]
    np.testing.assert_allclose(quick, slow, atol=0.015 * slow.max())


def test_an_astigmatic_probe_makes_a_table_that_is_not_round(monkeypatch):
    monkeypatch.setattr(module, "_REACH", 2.5)
    optics = replace(STILL, astigmatism=(60.0, 0.0), defocus=40.0)
    one = compute_responses([S], optics).values[0, 0]
    away, middle = round(0.6 / module.table_step(optics)), one.shape[0] // 2
    along, across = one[middle, middle + away], one[middle + away, middle]
    assert abs(along - across) > 0.1 * one.max()


def test_a_cache_gives_the_same_table_again_and_an_interrupted_one_is_made_anew(tmp_path, monkeypatch):
    first = compute_responses([S], STILL, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_column_table", None)
        np.testing.assert_array_equal(compute_responses([S], STILL, cache=tmp_path).values, first.values)
    kept.write_bytes(kept.read_bytes()[:200])
    np.testing.assert_array_equal(compute_responses([S], STILL, cache=tmp_path).values, first.values)


def test_other_conditions_have_other_tables_in_the_cache(tmp_path):
    compute_responses([S], STILL, cache=tmp_path)
    compute_responses([S], replace(STILL, defocus=10.0), cache=tmp_path)
    compute_responses([S], STILL, sampled=True, cache=tmp_path)
    compute_responses([S], replace(STILL, source_size=0.3), cache=tmp_path)  # blurred from what is kept
    assert len(list(tmp_path.iterdir())) == 3


def test_threads_give_the_same_tables():
    one, two = (compute_responses([S, S2], STILL, workers=n).values for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_vacuum_is_the_part_of_the_disc_on_the_detector():
    rings = (Detector(inner=0, outer=12.5), Detector(inner=60, outer=200))
    optics = replace(STILL, detectors=rings, bright_field=True)
    np.testing.assert_allclose(compute_responses([], optics).vacuum, [0.25, 0.0])


@pytest.mark.parametrize("wide", [{"defocus": 1300.0}, {"cs": 2e6}, {"source_size": 5.0}])
def test_a_probe_wider_than_any_table_is_refused(wide):
    with pytest.raises(InputError, match="aberrations may widen the probe by 30 Å"):
        compute_responses([S], replace(STILL, **wide))


@pytest.mark.parametrize("wide", [{"defocus": 400.0}, {"defocus": -200.0}, {"cs": 4e5}])
def test_a_wide_probe_sees_as_much_of_a_column_in_all_as_a_sharp_one(wide):
    sharp, blunt = (compute_responses([S2], replace(STILL, **one)).values.sum() for one in ({}, wide))
    assert blunt == pytest.approx(sharp, rel=0.02)
    assert blunt != sharp


def test_columns_of_unlike_depth_share_one_table_size():
    deep = ColumnAtoms(("S",), (120.0,))
    both = compute_responses([S, deep], STILL).values
    alone = compute_responses([S], STILL).values
    rim = (both.shape[-1] - alone.shape[-1]) // 2
    assert rim > 0
    np.testing.assert_array_equal(both[0, :, rim:-rim, rim:-rim], alone[0])


def test_a_probe_that_resolves_no_columns_is_refused():
    with pytest.raises(InputError, match=r"60 keV must converge by 9\.9 mrad at least .* got 9 mrad"):
        compute_responses([S], replace(STILL, convergence=9.0))
    assert compute_responses([S], replace(STILL, convergence=10.0)).reach > 15
