import numpy as np
import pytest

from antisite.errors import InputError
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.potentials import projected_potential, scattered_wave, scattering_factor

OPTICS = Optics(beam_energy=80e3)
VOLT = 47.87801


@pytest.mark.parametrize("symbol", ["C", "S", "W"])
def test_potential_is_the_transform_of_the_scattering_factor(symbol):
    from scipy.special import j0

    t = (np.arange(4000) + 0.5) / 4000
    r = 15 * t**3
    weight = 45 * t**2 / 4000 * r * 2 * np.pi
    k = np.array([0.0, 0.3, 1.0, 3.0])
    back = [(projected_potential(symbol, r) * j0(2 * np.pi * one * r) * weight).sum() / VOLT for one in k]
    np.testing.assert_allclose(back, scattering_factor(symbol, k), rtol=2e-3)


def test_scattering_factors_have_the_published_values_at_the_origin():
    known = {"H": 0.529, "C": 2.51, "Si": 5.83, "Cu": 5.60, "Au": 10.57}  # Å, table 4 of Peng et al. 1996
    for symbol, value in known.items():
        assert scattering_factor(symbol, np.zeros(1))[0] == pytest.approx(value, rel=0.02)


def test_a_weak_atom_scatters_in_proportion_to_its_scattering_factor():
    fast = Optics(beam_energy=3e6)
    k = np.array([0.0, 0.5, 1.0])
    born = 1j * fast.interaction * VOLT * scattering_factor("H", k)
    np.testing.assert_allclose(scattered_wave("H", k, fast), born, rtol=0.02)


def test_far_waves_fall_off_faster_for_light_atoms():
    light, heavy = (np.abs(scattered_wave(s, np.array([0.5, 4.0]), OPTICS)) for s in ("C", "W"))
    assert light[1] / light[0] < heavy[1] / heavy[0]


def test_an_unknown_element_is_refused():
    with pytest.raises(InputError, match=r"known of hydrogen to lawrencium, got 'Xx'"):
        scattering_factor("Xx", np.zeros(1))
