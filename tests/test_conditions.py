from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite.conditions import Conditions, Detector
from antisite.errors import InputError


@given(st.floats(1e3, 3e6), st.floats(0.1, 200), st.floats(0, 1e9))
def test_what_a_microscope_can_do_is_kept(energy: float, convergence: float, dose: float) -> None:
    conditions = Conditions(beam_energy=energy, convergence=convergence, dose=dose)
    assert (conditions.beam_energy, conditions.convergence, conditions.dose) == (energy, convergence, dose)


@given(st.floats(allow_nan=False).filter(lambda energy: not 1e3 <= energy <= 3e6))
def test_an_impossible_beam_energy_is_refused(energy: float) -> None:
    with pytest.raises(InputError, match=r"beam_energy must be 1000 to 3e\+06 eV, got "):
        Conditions(beam_energy=energy)


def test_kilovolts_are_suspected() -> None:
    with pytest.raises(InputError, match=r"got 200 \(did you mean 200e3\?\)$"):
        Conditions(beam_energy=200)


@pytest.mark.parametrize("values", [{"convergence": 0.0}, {"convergence": 300.0}, {"dose": -1.0}])
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    (name,) = values
    with pytest.raises(InputError, match=f"^{name} must be "):
        Conditions(**values)  # type: ignore[arg-type]


def test_what_is_unknown_is_nan() -> None:
    conditions = Conditions()
    assert all(math.isnan(v) for v in (conditions.beam_energy, conditions.convergence, conditions.dose))
    assert conditions.detectors == ()
    assert math.isnan(Detector().inner)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_ring_is_larger_outside_than_inside(inner: float, outer: float) -> None:
    if inner < outer:
        assert Detector(inner=inner, outer=outer).outer == outer
    else:
        with pytest.raises(InputError, match="outer angle must exceed its inner one"):
            Detector(inner=inner, outer=outer)


@pytest.mark.parametrize(("inner", "outer"), [(-1.0, 50.0), (10.0, 2000.0)])
def test_angles_beyond_the_microscope_are_refused(inner: float, outer: float) -> None:
    with pytest.raises(InputError, match="angle must be 0 to 1000 mrad"):
        Detector(inner=inner, outer=outer)
