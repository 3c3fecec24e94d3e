import numpy as np
import pytest

from antisite.crystal.distortion import fit_distortion
from antisite.crystal.reflections import check_reflections
from antisite.errors import NoLatticeError
from antisite.simulate.nulls import phase_randomised
from antisite.simulate.sketch.image import sketch_image

SENTENCE = (
    r"^no lattice found: the image has a repeat, but its reflections do not keep step as those of a crystal "
    r"do \(agreement 0\.\d\d, a crystal at least 0\.7\)$"
)


def crystal(name="wse2", **options):
    given = {"shape": (256, 256), "pixel_size": 0.2, "rotation": 0.3, "dose": 3e5, "rng": 0} | options
    return sketch_image(name, **given)[0]


def check(view):
    flat, lattice, distortion = view.distorted()
    check_reflections(flat, view.mask, lattice, distortion)
    return lattice


def refused(view):
    try:
        check(view)
    except NoLatticeError:
        return True
    return False


def test_nearly_every_crystal_with_random_phases_is_refused(look):
    """With three waves alone, any phases may be those of a crystal: only cells with more are asked for."""
    pictures = [
        phase_randomised(crystal(name, rng=seed), rng=seed)
        for name in ("graphene", "srtio3", "au110", "fe100")
        for seed in range(3)
    ]
    assert sum(refused(look(picture.pixels)) for picture in pictures) >= len(pictures) - 2


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


def test_grain_in_a_crystal_does_not_make_it_refused(look):
    host, grain = (crystal("fe100", rotation=rotation, rng=seed) for rotation, seed in ((0.3, 0), (0.8, 1)))
    y, x = np.indices(host.shape)
    inside = np.hypot(y - 120, x - 140) < 50
    lattice, both = check(look(host.pixels)), look(np.where(inside, grain.pixels, host.pixels))
    flat = both.flat(lattice)
    lattice, distortion = fit_distortion(flat, both.mask, lattice)
    assert distortion.amplitude.min() < 0.4
    check_reflections(flat, both.mask, lattice, distortion)
