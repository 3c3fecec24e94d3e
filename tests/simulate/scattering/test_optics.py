import numpy as np
import pytest

from antisite.conditions import Detector
from antisite.errors import InputError
from antisite.simulate.scattering.optics import Optics


@pytest.mark.parametrize(("energy", "wavelength"), [(60e3, 0.04866), (100e3, 0.03701), (300e3, 0.01969)])
def test_wavelengths_are_those_of_the_tables(energy, wavelength):
    assert Optics(beam_energy=energy).wavelength == pytest.approx(wavelength, rel=1e-3)


def test_interaction_is_that_of_the_tables():
    assert Optics(beam_energy=100e3).interaction == pytest.approx(0.924e-3, rel=2e-3)  # Kirkland 2010


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam_energy": 80}, r"beam_energy must be 1e3 to 3e6 eV, got 80 \(did you mean 80e3\?\)"),
        ({"convergence": 0}, r"convergence must be 0.1 to 200 mrad, got 0"),
        ({"detectors": ()}, r"needs a detector, got none"),
        ({"detectors": (Detector(),)}, r"needs its inner and outer angles"),
        ({"source_size": -1}, r"source_size must be 0 or more \[Å\], got -1"),
        (
            {"detectors": (Detector(inner=10, outer=60),)},
            r"outside the probe of 30 mrad, got 10 to 60",
        ),
    ],
)
def test_what_no_microscope_has_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Optics(**options)


def test_inner_at_or_beyond_outer_is_refused():
    with pytest.raises(InputError, match="outer angle must exceed its inner one"):
        Detector(inner=200, outer=70)


def test_a_detector_that_touches_the_probe_is_worth_a_caution():
    touching = Optics(detectors=(Detector(inner=30, outer=60), Detector(inner=70, outer=200)))
    assert [text.split(" touches")[0] for text in touching.cautions] == ["the detector from 30 mrad"]
    assert Optics().cautions == ()


def test_a_detector_inside_the_probe_is_allowed_when_meant():
    assert Optics(detectors=(Detector(inner=0, outer=20),), bright_field=True).cautions == ()


def test_only_round_aberrations_keep_the_probe_round():
    assert Optics(defocus=50, cs=1e4).is_round
    assert not Optics(astigmatism=(20, 0)).is_round
    assert not Optics(coma=(100, 1)).is_round


def test_energy_per_wavelength_is_relativistic():
    slow, fast = Optics(beam_energy=1e3), Optics(beam_energy=4e3)
    assert slow.wavelength / fast.wavelength == pytest.approx(2, rel=3e-3)
    assert np.isfinite(fast.interaction)
