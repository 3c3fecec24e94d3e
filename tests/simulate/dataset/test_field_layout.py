import numpy as np

from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.dataset.field_layout import lay_out_field, random_direction


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
