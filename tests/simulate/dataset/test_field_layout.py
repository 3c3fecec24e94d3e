import numpy as np
import pytest

from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.crystals.scene import perfect_scene
from antisite.simulate.dataset.field_layout import columns_near, lay_out_field, random_direction


@pytest.mark.parametrize("name", ["WSe2", "CdTe_110", "ZrO2_010"])
def test_lays_out_the_columns_of_the_scene_that_are_near_the_frame(name):
    crystal, shape, margin = find_specimen(name), (60, 90), 12
    scene = perfect_scene(crystal, shape=shape, pixel_size=0.2, rotation=0.7, rng=1)
    positions, index = columns_near(
        scene.cell, origin=scene.origin, fractions=crystal.fractions, shape=shape, margin=margin
    )
    y, x = scene.positions.T
    near = (y > -margin) & (y < shape[0] + margin) & (x > -margin) & (x < shape[1] + margin)
    expected = np.column_stack([scene.positions, scene.sites["index"]])[near]
    found = np.column_stack([positions, index])
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.unique(found.round(6), axis=0), np.unique(expected.round(6), axis=0))


def test_cell_is_the_crystals_turned_and_not_mirrored():
    crystal = find_specimen("ZrO2_010")
    field = lay_out_field(crystal, shape=(50, 50), pixel_size=0.1, margin=5, rng=np.random.default_rng(3))
    np.testing.assert_allclose(field.cell @ field.cell.T, crystal.cell @ crystal.cell.T / 0.1**2)
    assert np.linalg.det(field.cell) * np.linalg.det(crystal.cell) > 0


def test_directions_are_even():
    rng = np.random.default_rng(0)
    cosine, sine = np.array([random_direction(rng) for _ in range(4000)]).T
    np.testing.assert_allclose(cosine**2 + sine**2, 1)
    counts = np.histogram(np.arctan2(sine, cosine), bins=12, range=(-np.pi, np.pi))[0]
    assert np.abs(counts - 4000 / 12).max() < 5 * np.sqrt(4000 / 12)


def test_places_in_the_cell_are_even():
    crystal = find_specimen("graphene")
    middle = np.array([9.5, 9.5])
    fractions = [
        (field.origin - middle) @ np.linalg.inv(field.cell)
        for seed in range(300)
        for field in [
            lay_out_field(crystal, shape=(20, 20), pixel_size=0.2, margin=0, rng=np.random.default_rng(seed))
        ]
    ]
    np.testing.assert_allclose(np.mean(fractions, axis=0), 0.5, atol=0.07)
    np.testing.assert_allclose(np.std(fractions, axis=0), 1 / np.sqrt(12), atol=0.04)
