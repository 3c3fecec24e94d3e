import numpy as np
import pytest

from antisite.crystal.reflections import check_reflections
from antisite.errors import NoLatticeError
from antisite.simulate.nulls import phase_randomised
from antisite.simulate.render import simulate_image

SENTENCE = (
    r"^no lattice found: the image has a repeat, but its reflections do not keep step as those of a crystal "
    r"do \(in step 0\.\d\d, at least 0\.85; uneven \d\.\d\d, at most 0\.4\)$"
)


def crystal(name="wse2", **options):
    given = {"shape": (256, 256), "pixel_size": 0.2, "rotation": 0.3, "dose": 3e5, "rng": 0} | options
    return simulate_image(name, **given)[0]


def check(view):
    flat, lattice, distortion = view.distorted()
    check_reflections(flat, view.mask, lattice, distortion)
    return lattice


@pytest.mark.parametrize("name", ["wse2", "mos2", "srtio3", "au100", "au110", "fe100", "cdte110"])
def test_crystal_with_random_phases_is_refused(look, name):
    view = look(phase_randomised(crystal(name), rng=1).pixels)
    with pytest.raises(NoLatticeError):
        check(view)


def test_refusal_says_how_far_the_reflections_are_out_of_step(look):
    view = look(phase_randomised(crystal("srtio3"), rng=1).pixels)
    with pytest.raises(NoLatticeError, match=SENTENCE):
        check(view)


@pytest.mark.parametrize("name", ["wse2", "mos2", "graphene", "srtio3", "au100", "au110", "fe100", "cdte110"])
@pytest.mark.parametrize("drift", [0.0, 1.5])
def test_crystal_keeps_step(look, name, drift):
    assert check(look(crystal(name, drift=drift, contamination=0.1).pixels)).coherence > 0.1


def test_crystal_with_many_defects_keeps_step(look):
    image = crystal("wse2", vacancies=0.08, partial_vacancies=0.1, dim_sites=0.08)
    assert check(look(image.pixels)).coherence > 0.1


def test_crystal_on_half_of_the_image_keeps_step(look):
    image = crystal(shape=(256, 320))
    pixels = image.pixels.copy()
    pixels[:, 160:] = np.median(pixels) + np.random.default_rng(0).normal(0, 0.02, (256, 160))
    assert check(look(pixels)).coherence > 0.1


def test_masked_half_of_noise_does_not_matter(look):
    image = crystal(shape=(256, 320))
    mask = np.zeros(image.shape, dtype=bool)
    mask[:, 160:] = True
    pixels = np.where(mask, phase_randomised(image, rng=0).pixels, image.pixels)
    assert check(look(pixels, mask)).coherence > 0.1
