import numpy as np
import pytest

from antisite.crystal.distortion import Distortion, fit_distortion
from antisite.crystal.lattice import Lattice
from antisite.simulate.sketch.columns import draw_columns

SHAPE = (256, 288)
CELL = np.array([[1.5, 11.0], [-9.8, 4.6]])


def grid():
    ij = np.stack(np.meshgrid(np.arange(-60, 61), np.arange(-60, 61)), axis=-1).reshape(-1, 2)
    places = ij @ CELL + (128.3, 140.1)
    return places[((places > -20) & (places < np.array(SHAPE) + 20)).all(axis=1)]


def bend(places, size=1.5):
    """A smooth displacement (n, 2) px with waves of about 500 px."""
    y, x = places.T / 500 * 2 * np.pi
    return size * np.column_stack([np.sin(y + 0.3) * np.cos(0.5 * x), np.cos(0.7 * y) * np.sin(x)])


def scene(size=1.5, seed=0):
    places = grid()
    pixels = draw_columns(places + bend(places, size), np.ones(len(places)), shape=SHAPE, sigma=2.2)
    return pixels + np.random.default_rng(seed).normal(0, 0.05, SHAPE)


def inner_places():
    places = grid()
    return places[((places > 40) & (places < np.array(SHAPE) - 41)).all(axis=1)]


def unexplained(distortion, places, truth):
    """What is left of a displacement once an affine part, which belongs to the lattice, is taken off."""
    error = distortion.at(places) - truth
    affine = np.column_stack([np.ones(len(places)), places])
    return error - affine @ np.linalg.lstsq(affine, error, rcond=None)[0]


def test_smooth_displacement_is_recovered(look):
    _, _, distortion = look(scene()).distorted()
    places = inner_places()
    error = unexplained(distortion, places + bend(places), bend(places))
    assert np.sqrt((error**2).mean(axis=0)).max() < 0.1


def test_perfect_crystal_has_no_displacement(look):
    _, lattice, distortion = look(scene(size=0)).distorted()
    assert np.abs(distortion.at(inner_places())).max() < 0.1
    relation = lattice.vectors @ np.linalg.inv(CELL)
    np.testing.assert_allclose(relation, np.round(relation), atol=1e-3)


def test_lattice_and_displacement_together_meet_every_column(look):
    _, lattice, distortion = look(scene()).distorted()
    places = inner_places() + bend(inner_places())
    fractions = lattice.fractions(places - distortion.at(places))
    turned = np.exp(2j * np.pi * fractions)
    origin = np.angle(turned.mean(axis=0))
    off = lattice.positions(np.angle(turned * np.exp(-1j * origin)) / (2 * np.pi))
    assert np.sqrt((off**2).sum(axis=1).mean()) < 0.15


def test_what_lies_under_the_mask_does_not_matter(look):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 180:] = True
    clean, spoilt = scene(), scene()
    spoilt[mask] = np.random.default_rng(1).normal(3, 2, mask.sum())
    lattice = Lattice(vectors=look(clean).lattice().vectors, coherence=1.0)
    fields = [
        fit_distortion(view.flat(lattice), mask, lattice)[1]
        for view in (look(clean, mask), look(spoilt, mask))
    ]
    np.testing.assert_allclose(fields[0].displacement, fields[1].displacement, atol=1e-4)
    assert fields[0].strength_at(np.array([[128.0, 250.0]]))[0] < 0.1


def test_masked_half_does_not_spoil_the_other(look):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 180:] = True
    _, _, distortion = look(scene(), mask).distorted()
    places = inner_places()
    places = places[places[:, 1] < 140]
    error = unexplained(distortion, places + bend(places), bend(places))
    assert np.sqrt((error**2).mean(axis=0)).max() < 0.1


def test_lattice_is_strong_in_the_crystal_and_weak_beside_it(look):
    pixels = scene()
    pixels[:, 200:] = np.random.default_rng(2).normal(0.5, 0.1, (SHAPE[0], SHAPE[1] - 200))
    _, _, distortion = look(pixels).distorted()
    inside, outside = distortion.strength_at(np.array([[128.0, 90.0], [128.0, 265.0]]))
    assert inside == pytest.approx(1, abs=0.2)
    assert outside < 0.3


def test_field_is_interpolated_between_its_nodes():
    ramp = np.add.outer(np.arange(4.0), 10 * np.arange(5.0))
    field = Distortion(displacement=np.stack([ramp, -ramp]), amplitude=ramp, step=(8.0, 4.0))
    at = np.array([[12.0, 6.0]])
    np.testing.assert_allclose(field.at(at), [[16.5, -16.5]])
    assert field.strength_at(at)[0] == pytest.approx(16.5)


def strength(amplitude, positions, **options):
    field = Distortion(displacement=np.zeros((2, *amplitude.shape)), amplitude=amplitude, step=(4.0, 8.0))
    return field.strength_at(np.asarray(positions, dtype=float), **options)


def test_blur_leaves_even_strength_alone():
    np.testing.assert_allclose(strength(np.full((20, 20), 0.8), [[10, 30], [0, 0]], blur=16), 0.8)


def test_blurred_strength_hardly_sees_a_weak_spot():
    amplitude = np.ones((40, 40))
    amplitude[20, 20] = 0.4
    at = [[80, 160]]
    assert strength(amplitude, at)[0] == pytest.approx(0.4)
    assert strength(amplitude, at, blur=24)[0] > 0.95


def test_blur_reaches_equally_far_along_both_axes():
    amplitude = np.ones((60, 60))
    amplitude[30, 30] = 0.0001
    spread = 1 - strength(amplitude, [[120 + 16, 240], [120, 240 + 16]], blur=20)
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_blur_carries_no_strength_out_of_the_crystal_and_none_away_from_its_edge():
    amplitude = np.ones((40, 40))
    amplitude[:, 20:] = 0
    inside, edge, outside = strength(amplitude, [[80, 40], [80, 150], [80, 240]], blur=24)
    assert (inside, edge) == (pytest.approx(1), pytest.approx(1))
    assert outside == 0
