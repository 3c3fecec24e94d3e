from dataclasses import replace

import numpy as np
import pytest

from antisite.conditions import Detector
from antisite.simulate.scattering.column_multislice import PlacedAtom, collect
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.probe import WaveGrid

SIZE = 12.0
OPTICS = Optics(
    beam_energy=80e3, detectors=(Detector(inner=40, outer=100), Detector(inner=60, outer=200)), static=True
)
LINE = np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 1.5]])


def signal(*atoms, probes=LINE, optics=OPTICS, **options):
    return collect(atoms, probes, WaveGrid(optics, SIZE, **options))


def test_does_not_depend_on_the_place_between_the_points_of_the_grid():
    moved = signal(PlacedAtom("W", 1.0, 0.013, -0.027), probes=LINE + np.array([0.013, -0.027]))
    np.testing.assert_allclose(moved, signal(PlacedAtom("W", 1.0)), rtol=1e-4, atol=1e-7)


def test_looks_the_same_from_all_sides():
    ways = 1.0 * np.array([[0, 1], [1, 0], [0, -1], [np.sqrt(0.5), np.sqrt(0.5)]])
    around = signal(PlacedAtom("W", 1.0), probes=ways)
    np.testing.assert_allclose(around, around[:, :1].repeat(4, axis=1), rtol=0.02)


def test_heavier_atoms_scatter_more_at_high_angles():
    peaks = [signal(PlacedAtom(symbol, 1.0))[1, 0] for symbol in ("S", "Se", "Mo", "W")]
    assert (np.diff(peaks) > 0).all()


def test_exponent_of_the_atomic_number_is_below_that_of_rutherford_scattering():
    light, heavy = (signal(PlacedAtom(symbol, 1.0))[1, 0] for symbol in ("S", "Mo"))
    assert 1.0 < np.log(heavy / light) / np.log(42 / 16) < 2.0


def test_vacuum_gives_nothing():
    np.testing.assert_allclose(signal(), 0, atol=1e-9)


def test_an_atom_out_of_focus_is_dimmer():
    near, far = (signal(PlacedAtom("W", height))[1, 0] for height in (0.0, 150.0))
    assert far < 0.9 * near


def test_defocus_brings_a_deep_atom_into_focus():
    deep = signal(PlacedAtom("W", 150.0), optics=replace(OPTICS, defocus=150.0))
    np.testing.assert_allclose(deep, signal(PlacedAtom("W", 0.0)), rtol=2e-3, atol=1e-6)


def test_an_atom_above_the_plane_of_focus_is_reached_too():
    above, below = (signal(PlacedAtom("W", height)) for height in (-20.0, 20.0))
    np.testing.assert_allclose(above, below, rtol=0.15)


# Peaks of one chalcogen over those of a pair: 0.23 (40–100 mrad), 0.39 (60–200), 0.54 (80–200) at 60–80 kV.
@pytest.mark.parametrize(("ring", "ratio"), [((40, 100), 0.25), ((60, 200), 0.39), ((80, 200), 0.52)])
def test_two_chalcogens_scatter_together_and_not_as_two(ring, ratio):
    optics = Optics(beam_energy=60e3, detectors=(Detector(inner=ring[0], outer=ring[1]),), static=True)
    one = signal(PlacedAtom("S", 0.0), optics=optics)[0, 0]
    two = signal(PlacedAtom("S", 0.0), PlacedAtom("S", 3.13), optics=optics)[0, 0]
    assert one / two == pytest.approx(ratio, abs=0.05)


def test_sampled_potentials_agree_with_exact_ones_within_a_few_per_cent():
    exact, sampled = (signal(PlacedAtom("Se", 1.0), coarse=how)[:, 0] for how in (False, True))
    np.testing.assert_allclose(sampled, exact, rtol=0.07)
    assert not np.allclose(sampled, exact, rtol=1e-3)
