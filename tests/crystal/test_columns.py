import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.crystal.columns import measure_shifts, nearest_distance, predict_sites, settle_sites
from antisite.crystal.contrast import blur
from antisite.crystal.distortion import Distortion
from antisite.crystal.lattice import Lattice
from antisite.crystal.sublattices import Sublattice, SublatticeFinder, mean_cell
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.image import sketch_image

LATTICE = Lattice(vectors=np.array([[0.0, 12.0], [10.0, 0.0]]), coherence=1.0)
STILL = Distortion(displacement=np.zeros((2, 5, 5)), amplitude=np.ones((5, 5)), step=(40.0, 40.0))


def column(fa, fb, name="A"):
    return Sublattice(name=name, fraction=np.array([fa, fb]), level=1.0, persistence=1.0)


def predict(view):
    flat, lattice, distortion = view.distorted()
    found = SublatticeFinder()(mean_cell(flat, view.mask, lattice, distortion), lattice)
    columns = [s for s in found if not s.hollow]
    return flat, columns, lattice, predict_sites(lattice, distortion, columns, shape=flat.shape)


def distances(positions, truth, margin=15):
    """From each true site off the frame to the nearest predicted one."""
    places = truth.sites[["y", "x"]].to_numpy()
    inner = ((places > margin) & (places < 255 - margin)).all(axis=1)
    return cKDTree(positions).query(places[inner])[0]


@pytest.mark.parametrize("name", ["wse2", "graphene", "srtio3", "au110", "cdte110"])
def test_sites_of_a_perfect_crystal_are_predicted_to_a_tenth_of_a_pixel(look, name):
    image, truth = sketch_image(name, shape=(256, 256), pixel_size=0.2, rotation=0.3, dose=1e6, rng=2)
    *_, sites = predict(look(image.pixels))
    off = distances(sites.positions, truth)
    assert np.sqrt((off**2).mean()) < 0.1
    assert off.max() < 0.3


@pytest.mark.parametrize("name", ["wse2", "srtio3"])
def test_sites_of_a_drifted_crystal_settle_to_a_tenth_of_a_pixel(look, name):
    image, truth = sketch_image(
        name, shape=(256, 256), pixel_size=0.2, rotation=0.3, dose=1e6, drift=1.0, rng=2
    )
    flat, columns, lattice, sites = predict(look(image.pixels))
    nearest = nearest_distance(lattice, columns)
    shifts = measure_shifts(blur(flat, sigma=0.2 * nearest), sites.positions, reach=0.35 * nearest)
    off = distances(settle_sites(sites.positions, shifts), truth)
    assert np.sqrt((off**2).mean()) < 0.1


def test_missing_columns_are_predicted_too(look):
    image, truth = sketch_image("wse2", shape=(256, 256), rotation=0.3, dose=1e6, vacancies=0.05, rng=2)
    *_, sites = predict(look(image.pixels))
    gone = truth.sites["kind"].eq("vacancy").to_numpy()
    off = cKDTree(sites.positions).query(truth.sites.loc[gone, ["y", "x"]].to_numpy())[0]
    assert len(off) > 10
    assert off.max() < 0.6


def test_every_site_within_the_frame_is_predicted_once():
    sites = predict_sites(LATTICE, STILL, [column(0.0, 0.0), column(0.5, 0.5, "B")], shape=(101, 121))
    wanted = [(y, x) for y in range(0, 101, 10) for x in range(0, 121, 12)]
    wanted += [(y, x) for y in range(5, 101, 10) for x in range(6, 121, 12)]
    assert len(sites) == len(wanted)
    assert {tuple(np.round(p, 6)) for p in sites.positions} == {(float(y), float(x)) for y, x in wanted}
    assert np.bincount(sites.sublattice).tolist() == [11 * 11, 10 * 10]
    np.testing.assert_allclose(
        LATTICE.positions(sites.cells + 0.5 * sites.sublattice[:, None]), sites.positions
    )


def test_sites_follow_the_displacement():
    pushed = Distortion(
        displacement=np.stack([np.full((5, 5), 2.0), np.full((5, 5), -3.0)]),
        amplitude=np.ones((5, 5)),
        step=(40.0, 40.0),
    )
    still, moved = (predict_sites(LATTICE, d, [column(0.5, 0.5)], shape=(100, 120)) for d in (STILL, pushed))
    assert cKDTree(moved.positions).query(still.positions[40:60] + np.array([2, -3]))[0].max() < 1e-9


def test_shifts_lead_to_the_nearest_maximum():
    places = np.array([[30.2, 30.7], [30.4, 60.1], [59.8, 45.5]])
    pixels = draw_columns(places, np.array([1.0, 0.5, 0.8]), shape=(90, 90), sigma=3).astype(np.float32)
    start = places + np.array([[1.2, -0.8], [-1.5, 0.5], [0.0, 0.0]])
    np.testing.assert_allclose(measure_shifts(pixels, start, reach=4), places - start, atol=0.05)


def test_no_shift_where_there_is_no_maximum_within_reach():
    pixels = draw_columns(np.array([[30.0, 30.0]]), np.ones(1), shape=(90, 90), sigma=3).astype(np.float32)
    shifts = measure_shifts(pixels, np.array([[30.0, 42.0], [70.0, 70.0]]), reach=4)
    assert np.isnan(shifts).all()


def test_sites_settle_with_their_neighbours_and_not_alone():
    y, x = np.mgrid[:6, :6]
    positions = 10.0 * np.column_stack([y.ravel(), x.ravel()])
    shifts = np.full((36, 2), 0.4)
    shifts[14] = 5.0
    shifts[20] = np.nan
    np.testing.assert_allclose(settle_sites(positions, shifts), positions + 0.4)


def test_too_few_known_shifts_move_nothing():
    positions = np.arange(24.0).reshape(12, 2)
    shifts = np.full((12, 2), np.nan)
    shifts[:8] = 1.0
    assert np.array_equal(settle_sites(positions, shifts), positions)


def test_nearest_distance_is_between_columns_not_hollows():
    columns = [column(0.0, 0.0), column(0.5, 0.0, "hollow")]
    assert nearest_distance(LATTICE, columns) == pytest.approx(10)
    assert nearest_distance(LATTICE, [column(0.1, 0.1), column(0.6, 0.6, "B")]) == pytest.approx(61**0.5)
    assert nearest_distance(LATTICE, [column(0.05, 0.0), column(0.95, 0.0, "B")]) == pytest.approx(1.2)
