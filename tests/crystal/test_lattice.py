import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from antisite.crystal.bragg_spots import bragg_spots
from antisite.crystal.cell import half_plane, reduce_cell
from antisite.crystal.lattice import Lattice
from antisite.crystal.spacing import estimate_spacing
from antisite.errors import InputError, NoLatticeError
from antisite.simulate.crystals.crystal import Column, Crystal
from antisite.simulate.nulls import white_noise
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

COORDINATE = st.floats(-50, 50, allow_nan=False, allow_subnormal=False)


def true_vectors(crystal, *, pixel_size, rotation):
    turn = np.array([[math.cos(rotation), -math.sin(rotation)], [math.sin(rotation), math.cos(rotation)]])
    return crystal.cell @ turn / pixel_size


def assert_same_lattice(found, wanted):
    relation = found @ np.linalg.inv(wanted)
    np.testing.assert_allclose(relation, np.round(relation), atol=0.02)
    assert abs(round(np.linalg.det(relation))) == 1
    assert abs(np.linalg.det(found)) == pytest.approx(abs(np.linalg.det(wanted)), rel=0.01)


def square(*brightness):
    """A 2 × 2 supercell of columns 3 Å apart."""
    places = ((0.0, 0.0), (0.5, 0.5), (0.0, 0.5), (0.5, 0.0))
    columns = tuple(
        Column(fraction=f, brightness=b, species="X") for f, b in zip(places, brightness, strict=True)
    )
    return Crystal(name="square", a=(0.0, 6.0), b=(6.0, 0.0), columns=columns)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SKETCHES)
def test_lattice_of_every_crystal_is_found(look, name, seed):
    rotation = np.random.default_rng(seed).uniform(0, math.pi)
    image, _ = sketch_image(name, shape=(256, 256), pixel_size=0.22, rotation=rotation, dose=2e5, rng=seed)
    lattice = look(image.pixels).lattice()
    assert_same_lattice(lattice.vectors, true_vectors(SKETCHES[name], pixel_size=0.22, rotation=rotation))
    assert lattice.coherence > 0.3


@pytest.mark.parametrize("name", [name for name in SKETCHES if name != "monoclinic"])
def test_lattice_along_the_rows_of_a_noiseless_image_is_found(look, name):
    image, _ = sketch_image(name, shape=(192, 192), rng=1)
    assert_same_lattice(
        look(image.pixels).lattice().vectors, true_vectors(SKETCHES[name], pixel_size=0.2, rotation=0)
    )


def test_checkerboard_of_two_brightnesses_doubles_the_cell(look):
    image, _ = sketch_image(square(1.0, 1.0, 0.8, 0.8), shape=(256, 256), rotation=0.2, rng=0)
    wanted = np.array([[3.0, 3.0], [3.0, -3.0]])
    crystal = Crystal(name="", a=tuple(wanted[0]), b=tuple(wanted[1]), columns=())
    assert_same_lattice(
        look(image.pixels).lattice().vectors, true_vectors(crystal, pixel_size=0.2, rotation=0.2)
    )


def test_rows_of_two_brightnesses_double_one_vector(look):
    image, _ = sketch_image(square(1.0, 0.75, 1.0, 0.75), shape=(320, 320), rotation=0.2, rng=0)
    lattice = look(image.pixels).lattice()
    assert lattice.lengths[0] == pytest.approx(15, rel=0.01)
    assert lattice.lengths[1] == pytest.approx(30, rel=0.01)


def test_tripled_row_is_found(look):
    places = ((0.0, 0.0), (1 / 3, 0.0), (2 / 3, 0.0))
    columns = tuple(
        Column(fraction=f, brightness=b, species="X") for f, b in zip(places, (1, 0.7, 0.7), strict=True)
    )
    crystal = Crystal(name="tripled", a=(0.0, 9.0), b=(3.0, 0.0), columns=columns)
    image, _ = sketch_image(crystal, shape=(256, 256), pixel_size=0.35, rotation=0.4, rng=0)
    assert_same_lattice(
        look(image.pixels).lattice().vectors, true_vectors(crystal, pixel_size=0.35, rotation=0.4)
    )


def test_weak_satellites_do_not_double_the_cell(look):
    # satellites of 3 % of the amplitude: brightness alternates by 3 % about its mean
    image, _ = sketch_image(square(1.03, 1.03, 0.97, 0.97), shape=(256, 256), rotation=0.2, rng=0)
    assert look(image.pixels).lattice().size == pytest.approx(15, rel=0.01)


def test_cells_too_small_to_resolve_are_refused(look):
    image, _ = sketch_image("fe100", shape=(192, 192), pixel_size=0.55, blur=0.0, rng=0)
    with pytest.raises(
        InputError,
        match=r"^a unit cell must be at least 6 px across, got 5\.2 px: record at a higher magnification$",
    ):
        look(image.pixels).lattice()


def test_noise_has_no_lattice(look):
    view = look(white_noise((192, 192), rng=0).pixels)
    with pytest.raises(NoLatticeError, match=r"^no lattice found: "):
        view.lattice()


def test_spots_lie_on_the_reciprocal_lattice_and_their_weights_sum_to_one(look):
    image, _ = sketch_image("srtio3", shape=(200, 200), rotation=0.3, dose=1e5, rng=0)
    view = look(image.pixels)
    spots, weights = bragg_spots(view.spectrum, spacing=estimate_spacing(view.spectrum))
    index = spots @ true_vectors(SKETCHES["srtio3"], pixel_size=0.2, rotation=0.3).T
    on_lattice = (np.abs(index - np.round(index)) < 0.12).all(axis=1)
    assert weights.sum() == pytest.approx(1)
    assert weights[on_lattice].sum() > 0.98


@pytest.mark.parametrize("rotation", np.linspace(0, math.pi, 7, endpoint=False))
def test_first_vector_points_right_or_down_and_the_second_clockwise_from_it(look, rotation):
    image, _ = sketch_image("srtio3", shape=(160, 160), rotation=rotation, rng=0)
    lattice = look(image.pixels).lattice()
    (ay, ax), (by, bx) = lattice.vectors
    assert ay > 0 or (abs(ay) < 0.05 and ax > 0)
    assert ax * by - ay * bx > 0
    assert 0 <= lattice.angle < math.pi
    assert lattice.gamma == pytest.approx(math.pi / 2, abs=0.02)


@given(st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE))
def test_reduction_keeps_the_lattice_and_gives_its_shortest_vectors(numbers):
    vectors = np.array(numbers).reshape(2, 2)
    area = abs(np.linalg.det(vectors))
    assume(area > 1)
    reduced = reduce_cell(vectors)
    relation = reduced @ np.linalg.inv(vectors)
    np.testing.assert_allclose(relation, np.round(relation), atol=1e-6)
    assert abs(np.linalg.det(reduced)) == pytest.approx(area, rel=1e-6)
    a, b = np.linalg.norm(reduced, axis=1)
    spans = half_plane(4) @ reduced
    shortest = np.sort(np.linalg.norm(spans, axis=1))
    assert a == pytest.approx(shortest[0], rel=1e-9)
    collinear = half_plane(4)[:, 1] == 0
    assert b == pytest.approx(np.linalg.norm(spans[~collinear], axis=1).min(), rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-3])
def test_two_vectors_on_one_line_have_no_second_one(scale):
    a, b = reduce_cell(np.array([[0.1, 15.0], [0.3, 45.0]]) * scale)
    assert abs(np.linalg.det([a, b])) < 1e-9


@given(st.integers(1, 6))
def test_half_plane_holds_one_of_each_opposite_pair(reach):
    index = half_plane(reach)
    together = {tuple(i) for i in np.vstack([index, -index])}
    assert len(index) == ((2 * reach + 1) ** 2 - 1) // 2
    assert len(together) == 2 * len(index)
    assert (0, 0) not in together


@given(st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE))
def test_positions_and_fractions_are_each_other_s_inverse(numbers):
    lattice = Lattice(vectors=np.array([[2.0, 14.0], [11.0, -3.0]]), coherence=1.0)
    points = np.array(numbers).reshape(2, 2)
    np.testing.assert_allclose(lattice.positions(lattice.fractions(points)), points, atol=1e-9)
    np.testing.assert_allclose(lattice.vectors @ lattice.reciprocal.T, np.eye(2), atol=1e-12)


def test_low_reflections_are_neither_too_long_nor_too_fine():
    lattice = Lattice(vectors=np.array([[0.0, 8.0], [10.0, 3.0]]), coherence=1.0)
    low = {tuple(hk) for hk in lattice.low_reflections(longest=2.5, finest=0.2)}
    spots = half_plane(3) @ lattice.reciprocal
    for hk, g in zip(half_plane(3), spots, strict=True):
        wanted = np.hypot(*g) * lattice.size < 2.5 and abs(g[0]) < 0.2 and abs(g[1]) < 0.2
        assert (tuple(hk) in low) == wanted
    assert {(1, 0), (0, 1)} <= low < {tuple(hk) for hk in half_plane(3)}
