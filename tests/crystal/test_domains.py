import numpy as np
import pytest

from antisite.crystal.domains import DomainFinder, even_contrast
from antisite.simulate.crystals import CRYSTALS
from antisite.simulate.render import simulate_image

SHAPE = (256, 256)


def crystal(rotation=0.0, name="srtio3", **options):
    return simulate_image(name, shape=SHAPE, rotation=rotation, dose=1e6, rng=0, **options)[0].pixels


def domains(view):
    return DomainFinder()(view.even, view.mask, spacing=view.spacing)


def two_halves(boundary, first=0.1, second=0.7):
    right = np.arange(SHAPE[1])[None] >= boundary
    return np.where(right, crystal(second), crystal(first))


@pytest.mark.parametrize("name", [name for name in CRYSTALS if name != "monoclinic"])
def test_one_crystal_is_one_domain(look, name):
    assert not domains(look(crystal(0.3, name))).any()


def test_drift_dirt_and_defects_make_no_domains(look):
    pixels = crystal(0.3, "wse2", drift=2.0, contamination=0.2, vacancies=0.05, partial_vacancies=0.05)
    assert not domains(look(pixels)).any()


@pytest.mark.parametrize("boundary", [96, 160])
def test_two_directions_are_two_domains_and_the_larger_is_number_0(look, boundary):
    found = domains(look(two_halves(boundary)))
    side = int(np.arange(SHAPE[1])[boundary // 2])
    left, right = found[:, :side], found[:, (boundary + SHAPE[1]) // 2 :]
    assert set(np.unique(found)) == {0, 1}
    larger = left if boundary > SHAPE[1] / 2 else right
    smaller = right if boundary > SHAPE[1] / 2 else left
    assert (larger == 0).mean() > 0.95
    assert (smaller == 1).mean() > 0.95


def test_boundary_lies_where_the_crystals_meet(look):
    found = domains(look(two_halves(150)))
    np.testing.assert_allclose((found == 0).sum(axis=1).mean(), 150, atol=0.7 * 20)


def test_a_small_turn_of_the_same_crystal_is_told_apart(look):
    assert domains(look(two_halves(128, 0.0, 0.35))).max() == 1


def test_image_of_few_cells_is_one_domain(look):
    assert not domains(look(two_halves(128)[:150, :150])).any()


def test_same_image_gives_same_domains(look):
    view = look(two_halves(110))
    assert np.array_equal(domains(view), domains(view))


def test_even_contrast_has_the_same_strength_everywhere():
    pixels = crystal(0.2)
    fading = (pixels - pixels.mean()) * np.linspace(0.2, 1, SHAPE[1]).astype(np.float32)
    even = even_contrast(fading, np.zeros(SHAPE, bool), spacing=19.5)
    strength = [even[:, k : k + 64].std() for k in range(32, 192, 32)]
    assert max(strength) / min(strength) < 1.4
