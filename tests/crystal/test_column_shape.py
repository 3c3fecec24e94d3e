import math

import numpy as np
import pytest

from antisite.crystal.column_shape import ColumnShape, fit_column_shape, light_of_column, share_light
from antisite.crystal.lattice import Lattice
from antisite.crystal.sublattices import Sublattice, SublatticeFinder, bin_fractions, mean_cell, sample_cell
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image


def fit(view):
    flat, lattice, distortion = view.distorted()
    motif = mean_cell(flat, view.mask, lattice, distortion)
    columns = [s for s in SublatticeFinder()(motif, lattice) if not s.hollow]
    return fit_column_shape(motif, lattice, columns), columns


@pytest.mark.parametrize("name", [name for name in SKETCHES if name != "monoclinic"])
@pytest.mark.parametrize("blur", [0.15, 0.3])
def test_width_of_a_column_is_recovered(look, name, blur):
    image, _ = sketch_image(name, shape=(224, 224), pixel_size=0.18, rotation=0.4, blur=blur, rng=1)
    shape, _ = fit(look(image.pixels))
    assert shape.sigma * 0.18 == pytest.approx(math.hypot(SKETCHES[name].width, blur), rel=0.1)
    assert shape.residual < 0.1


@pytest.mark.parametrize("name", ["wse2", "srtio3", "cdte110"])
def test_amplitudes_are_as_the_columns_brightness(look, name):
    image, _ = sketch_image(name, shape=(224, 224), pixel_size=0.18, dose=1e6, rng=1)
    shape, _ = fit(look(image.pixels))
    assert shape.amplitudes[1] / shape.amplitudes[0] == pytest.approx(SKETCHES[name].brightness[1], abs=0.05)


def test_amplitudes_are_in_the_unit_of_the_image(look):
    image, _ = sketch_image("au100", shape=(192, 192), rng=1)
    view = look(image.pixels)
    shape, _ = fit(view)
    lift = np.ptp(view.even) * (1 - math.exp(-1))  # the peak stands on its neighbours' tails
    assert lift < shape.amplitudes[0] < 1.15 * np.ptp(view.even)


def test_noise_does_not_change_the_width_much(look):
    widths = [
        fit(look(sketch_image("wse2", shape=(224, 224), pixel_size=0.2, dose=2e4, rng=s)[0].pixels))[0].sigma
        for s in range(3)
    ]
    assert np.mean(widths) * 0.2 == pytest.approx(math.hypot(0.45, 0.3), rel=0.1)


@pytest.fixture(scope="module")
def cell(look):
    """The mean cell of a crystal of two columns: cell, lattice, shape and columns."""
    image, _ = sketch_image("srtio3", shape=(192, 192), pixel_size=0.2, rotation=0.4, dose=1e6, rng=1)
    view = look(image.pixels)
    flat, lattice, distortion = view.distorted()
    motif = mean_cell(flat, view.mask, lattice, distortion)
    columns = SublatticeFinder()(motif, lattice)
    return motif, lattice, fit_column_shape(motif, lattice, columns), columns


def test_shares_of_the_light_sum_to_one(cell):
    motif, lattice, shape, columns = cell
    share = share_light(bin_fractions(motif.shape), shape, lattice, columns)
    assert share.shape == (motif.size, 2)
    assert share.min() >= 0
    np.testing.assert_allclose(share.sum(axis=1), 1)


def test_column_has_nearly_all_the_light_at_its_own_place(cell):
    _, lattice, shape, columns = cell
    places = np.array([c.fraction for c in columns])
    share = share_light(places, shape, lattice, columns)
    assert np.diag(share).min() > 0.9
    np.testing.assert_allclose(share_light(places + np.array([3, -2]), shape, lattice, columns), share)


def test_halfway_between_two_columns_they_share_as_they_are_bright(cell):
    _, lattice, shape, columns = cell
    middle = np.mean([c.fraction for c in columns], axis=0)[None]
    share = share_light(middle, shape, lattice, columns)[0]
    assert share[0] / share[1] == pytest.approx(shape.amplitudes[0] / shape.amplitudes[1], rel=0.05)


def test_lights_of_all_columns_together_are_the_cell_above_its_background(cell):
    motif, lattice, shape, columns = cell
    fractions = np.random.default_rng(0).random((200, 2))
    total = np.zeros(200)
    for number, column in enumerate(columns):
        for i, j in np.ndindex(7, 7):
            offsets = lattice.positions(fractions - column.fraction + (i - 3, j - 3))
            total += light_of_column(motif, shape, lattice, columns, number, offsets)
    np.testing.assert_allclose(
        total, sample_cell(motif, fractions) - shape.background, atol=1e-3 * np.ptp(motif)
    )


def test_light_of_a_column_is_nothing_where_its_neighbours_stand(cell):
    motif, lattice, shape, columns = cell
    at_home = light_of_column(motif, shape, lattice, columns, 0, np.zeros((1, 2)))[0]
    beside = lattice.positions(np.array([[1, 0], [0, 1], [1, 1], columns[1].fraction - columns[0].fraction]))
    around = light_of_column(motif, shape, lattice, columns, 0, beside)
    assert at_home == pytest.approx(shape.amplitudes[0], rel=0.1)
    assert np.abs(around).max() < 0.03 * at_home


def test_lone_gaussian_column_comes_back():
    lattice = Lattice(vectors=np.array([[0.0, 30.0], [30.0, 0.0]]), coherence=1.0)
    column = Sublattice(name="A", fraction=np.array([0.4, 0.7]), level=1.0, persistence=1.0)
    shape = ColumnShape(sigma=3.0, background=0.5, amplitudes=np.array([2.0]), residual=0.0)
    difference = bin_fractions((120, 120)) - column.fraction
    places = lattice.positions(difference - np.round(difference))
    motif = (0.5 + 2 * np.exp(-(places**2).sum(axis=1) / 18)).reshape(120, 120).astype(np.float32)
    offsets = np.random.default_rng(1).uniform(-9, 9, (300, 2))
    light = light_of_column(motif, shape, lattice, [column], 0, offsets)
    np.testing.assert_allclose(light, 2 * np.exp(-(offsets**2).sum(axis=1) / 18), atol=0.01)
