import numpy as np
import pytest

from antisite.detect.boundary_cores import dark_cores
from antisite.detect.lines import distance_to
from antisite.simulate.sketch.columns import draw_columns

PATH = np.array([[0.0, 128.0], [255.0, 128.0]])
CELL = 10.0


def columns(*, gone=()):
    """A square crystal without the columns nearest to some places."""
    rows = np.arange(-2, 29) * CELL
    places = np.stack(np.meshgrid(rows, rows + 3, indexing="ij"), axis=-1).reshape(-1, 2)
    for at in gone:
        away = np.hypot(*(places - at).T)
        places = places[away > away.min() + 0.1]
    return places


def picture(places, noise=0.02):
    pixels = draw_columns(places, np.ones(len(places)), shape=(256, 256), sigma=2.0)
    noisy = pixels + np.random.default_rng(0).normal(0, noise, pixels.shape)
    return ((noisy - noisy.mean()) / noisy.std()).astype(np.float32)


def found(places):
    return dark_cores(picture(places), np.zeros((256, 256), dtype=bool), PATH, cell=CELL)


def test_dark_places_in_a_regular_row_are_cores():
    gone = [(y, 130.0) for y in (40, 80, 120, 160, 200)]
    cores = found(columns(gone=gone))
    assert len(cores) == len(gone)
    assert distance_to(np.array([[40.0, 130.0], [200.0, 130.0]]), cores).max() < 0.5 * CELL
    np.testing.assert_allclose(sorted(cores[:, 0]), [y for y, _ in gone], atol=0.5 * CELL)


@pytest.mark.parametrize("rows", [(), (40, 80), (30, 50, 140, 200, 220)])
def test_few_or_irregular_ones_are_not(rows):
    assert found(columns(gone=[(y, 130.0) for y in rows])).shape == (0, 2)


def test_places_as_dark_inside_the_crystal_make_those_on_the_line_nothing_special():
    gone = [(y, x) for y in (40, 80, 120, 160, 200) for x in (70.0, 130.0, 190.0)]
    assert len(found(columns(gone=gone))) == 0
