import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.crystal.sublattices import (
    SublatticeFinder,
    bin_fractions,
    mean_cell,
    periodic_distance,
    persistent_maxima,
)
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

RESOLVED = [name for name in SKETCHES if name != "monoclinic"]


def crystal(name, *, pixel_size=0.18, **options):
    given = {"shape": (256, 256), "rotation": 0.3, "dose": 1e6, "rng": 0} | options
    return sketch_image(name, pixel_size=pixel_size, **given)


def find(view):
    flat, lattice, distortion = view.distorted()
    motif = mean_cell(flat, view.mask, lattice, distortion)
    return lattice, distortion, motif, SublatticeFinder()(motif, lattice)


@pytest.mark.parametrize("name", RESOLVED)
def test_every_column_of_the_cell_is_found_where_it_is(look, name):
    image, truth = crystal(name)
    lattice, distortion, _, found = find(look(image.pixels))
    columns = [s for s in found if not s.hollow]
    assert len(columns) == len(SKETCHES[name].columns)
    inside = truth.sites[truth.sites[["y", "x"]].apply(lambda v: v.between(30, 225)).all(axis=1)]
    places = inside[["y", "x"]].to_numpy()
    fractions = lattice.fractions(places - distortion.at(places))
    for letter, column in zip("AB", columns, strict=False):
        if name == "graphene":  # two equal columns: either may be A
            near = np.minimum(*(periodic_distance(fractions - c.fraction, lattice) for c in columns))
        else:
            near = periodic_distance(
                (fractions - column.fraction)[inside["sublattice"].to_numpy() == letter], lattice
            )
        assert np.median(near) < 0.3
        assert column.name == letter


@pytest.mark.parametrize("name", RESOLVED)
def test_levels_are_those_of_the_crystal(look, name):
    image, _ = crystal(name)
    columns = [s for s in find(look(image.pixels))[3] if not s.hollow]
    np.testing.assert_allclose([s.level for s in columns], SKETCHES[name].brightness, atol=0.12)


def test_five_columns_of_a_low_symmetry_cell_are_found(look):
    image, _ = crystal("monoclinic", shape=(384, 384), pixel_size=0.2)
    assert [s.name for s in find(look(image.pixels))[3] if not s.hollow] == list("ABCDE")


@pytest.mark.parametrize("cut", [(0, 0), (7, 0), (3, 11), (13, 5)])
def test_motif_does_not_depend_on_where_the_window_was_cut(look, cut):
    image, _ = crystal("srtio3", shape=(240, 240))
    cells = []
    for corner in ((0, 0), cut):
        window = image.pixels[corner[0] : corner[0] + 220, corner[1] : corner[1] + 220]
        _, _, motif, found = find(look(window))
        grid = bin_fractions((24, 24))
        at = ((grid + found[0].fraction)[:, ::-1] % 1 * motif.shape).astype(int) % motif.shape
        cells.append(motif[at[:, 0], at[:, 1]] / np.ptp(motif))
    assert np.abs(cells[0] - cells[1]).max() < 0.12
    assert np.corrcoef(*cells)[0, 1] > 0.995


def test_motif_takes_nothing_from_masked_pixels(look):
    image, _ = crystal("wse2")
    mask = np.zeros(image.shape, dtype=bool)
    mask[100:150, 80:180] = True
    flat, lattice, distortion = look(image.pixels, mask).distorted()
    spoilt = np.where(mask, np.float32(50), flat)
    np.testing.assert_array_equal(
        mean_cell(flat, mask, lattice, distortion), mean_cell(spoilt, mask, lattice, distortion)
    )


def test_noise_adds_no_column(look):
    for seed in range(3):
        image, _ = crystal("au100", dose=3e3, rng=seed)
        assert [s.name for s in find(look(image.pixels))[3] if not s.hollow] == ["A"]


def bumps(*places, shape=(40, 50)):
    lattice = Lattice(vectors=np.array([[0.0, shape[1]], [shape[0], 0.0]]), coherence=1.0)
    level = np.zeros(shape)
    for fa, fb, height, width in places:
        level += height * np.exp(
            -(periodic_distance(bin_fractions(shape) - (fa, fb), lattice).reshape(shape) ** 2) / 2 / width**2
        )
    return level.astype(np.float32)


def test_maxima_of_a_periodic_map_are_found_across_its_seams():
    fractions, falls = persistent_maxima(bumps((0.0, 0.0, 1.0, 5), (0.5, 0.98, 0.6, 5)), least=0.1)
    wrapped = fractions - np.round(fractions)
    np.testing.assert_allclose(wrapped, [[0, 0], [0.5, -0.02]], atol=0.01)
    np.testing.assert_allclose(falls, [1.0, 0.6], atol=0.1)


def test_shallow_maximum_beside_a_high_one_is_dropped():
    level = bumps((0.3, 0.5, 1.0, 6), (0.55, 0.5, 0.55, 6))
    deep, falls = persistent_maxima(level, least=0.0)
    assert len(deep) == 2
    assert falls[1] < 0.25
    assert len(persistent_maxima(level, least=0.3)[0]) == 1


def test_fractions_of_bins_are_their_centres():
    fractions = bin_fractions((2, 4))
    np.testing.assert_allclose(fractions[:4, 0], [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(fractions[[0, 4], 1], [0.25, 0.75])


def test_periodic_distance_goes_round_the_cell():
    lattice = Lattice(vectors=np.array([[0.0, 10.0], [20.0, 5.0]]), coherence=1.0)
    distance = periodic_distance(np.array([[0.9, 0.0], [0.0, 0.0], [3.0, -0.05]]), lattice)
    np.testing.assert_allclose(distance, [1, 0, np.hypot(1, 0.25)], atol=1e-9)
