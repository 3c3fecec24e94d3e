import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from antisite.errors import InputError
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.crystals.scene import nearest_spacing
from antisite.simulate.extended_defects.boundaries import (
    antiphase_boundary,
    fault,
    lamella,
    tilt_boundary,
    twin_boundary,
)
from antisite.simulate.extended_defects.dislocations import (
    Dislocation,
    add_dislocations,
    dislocation_dipole,
    faulted_pair,
    tilt_wall,
)
from antisite.simulate.extended_defects.fault_junctions import lomer_cottrell
from antisite.simulate.extended_defects.joined_crystals import across
from antisite.simulate.extended_defects.lattice_rows import gap_near
from antisite.simulate.sketch.crystals import DOMAIN_SKETCHES, find_sketch
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.lines import least_rotation, turn

DEGREE = math.pi / 180


def scene(crystal="fe100", *, shape=(200, 220), px_per_cell=10.0, rotation=0.3, rng=1):
    return lay_sketch(crystal, shape=shape, px_per_cell=px_per_cell, rotation=rotation, rng=rng)


def in_frame(found, *, margin=0.0):
    inside = ((found.positions > margin) & (found.positions < np.array(found.shape) - 1 - margin)).all(axis=1)
    return found.sites[inside]


def places(found, *, margin=0.0):
    return in_frame(found, margin=margin)[["y", "x"]].to_numpy()


def heights(found, line):
    """How far the columns in the frame lie on the second side of a straight true line."""
    run = line.path[-1] - line.path[0]
    return across(places(found), line.path[0], math.atan2(*run))


def direction_of_rows(positions, spacing, fold):
    """Mean direction [rad] of the bonds, modulo a whole turn over `fold`."""
    tree = cKDTree(positions)
    pairs = tree.query_pairs(1.1 * spacing, output_type="ndarray")
    bonds = positions[pairs[:, 1]] - positions[pairs[:, 0]]
    return np.angle(np.exp(1j * fold * np.arctan2(*bonds.T)).mean()) / fold


def same_columns(first, second):
    return cKDTree(first).query(second)[0].max() < 1e-6 and len(first) == len(second)


def winding(image, cell, at, radius):
    """How often each of two reflections turns on a circuit from +x towards +y: the Burgers vector."""
    y, x = np.indices(image.shape)
    angle = np.linspace(0, 2 * math.pi, 721)
    row = np.round(at[0] + radius * np.sin(angle)).astype(int)
    column = np.round(at[1] + radius * np.cos(angle)).astype(int)
    turns = []
    for g in np.linalg.inv(cell).T:
        wave = image.pixels * np.exp(-2j * math.pi * (g[0] * y + g[1] * x))
        smooth = gaussian_filter(wave.real, 8) + 1j * gaussian_filter(wave.imag, 8)
        phase = np.unwrap(np.angle(smooth[row, column]))
        turns.append(-(phase[-1] - phase[0]) / (2 * math.pi))
    return np.array(turns)


def test_a_perfect_scene_has_one_column_per_cell_and_nothing_else():
    image, truth = sketch_scene(scene(), rng=0)
    assert (truth.lines, truth.cores) == ((), ())
    assert len(truth.sites) == pytest.approx(200 * 220 / 100, rel=0.05)
    assert image.pixel_size == pytest.approx(0.2866)


@pytest.mark.parametrize("crystal", DOMAIN_SKETCHES.values(), ids=lambda crystal: crystal.name)
def test_crystals_of_low_symmetry_keep_their_columns_apart(crystal):
    laid = scene(crystal, px_per_cell=40.0)
    assert nearest_spacing(laid) * laid.pixel_size > 1.5
    assert find_sketch(crystal.name.upper()) is crystal


def test_low_symmetry_means_ten_columns_or_more_at_an_oblique_angle():
    crystal = find_sketch("triclinic")
    a, b = crystal.cell
    assert len(crystal.columns) >= 10
    assert abs(a @ b) / math.hypot(*a) / math.hypot(*b) > 0.15


@pytest.mark.parametrize("angle", [12.0, -25.0, 40.0])
def test_tilted_halves_are_turned_by_the_angle(angle):
    tilted = tilt_boundary(scene(), angle * DEGREE, direction=0.8)
    height = heights(tilted, tilted.lines[0])
    first, second = (direction_of_rows(places(tilted)[side], 10.0, 4) for side in (height < -10, height > 10))
    turned = (second - first + math.pi / 4) % (math.pi / 2) - math.pi / 4
    assert turned == pytest.approx(angle * DEGREE, abs=1e-6)
    assert tilted.lines[0].misorientation == pytest.approx(abs(angle) * DEGREE)


def test_columns_that_meet_at_a_boundary_are_no_closer_than_they_may_be():
    tilted = tilt_boundary(scene(), 20 * DEGREE, direction=0.8)
    assert cKDTree(places(tilted)).query(places(tilted), k=2)[0][:, 1].min() >= 0.6 * 10.0 - 0.5


def test_the_smallest_turn_knows_the_symmetry_of_the_lattice():
    square, hexagonal = np.eye(2), np.array([[0.0, 1.0], [math.sqrt(3) / 2, -0.5]])
    assert least_rotation(square, square @ turn(60 * DEGREE)) == pytest.approx(30 * DEGREE)
    assert least_rotation(hexagonal, hexagonal @ turn(-36 * DEGREE)) == pytest.approx(24 * DEGREE)
    assert math.isnan(least_rotation(square, 1.1 * square))


@pytest.mark.parametrize(
    ("crystal", "options"),
    [("au110", {}), ("monoclinic", {}), ("triclinic", {}), ("square_dumbbell", {"through": "gap"})],
)
def test_a_twin_is_its_own_mirror_image(crystal, options):
    twin = twin_boundary(scene(crystal, px_per_cell=30.0), (0, 1), **options)
    line = twin.lines[0]
    start, normal = line.path[0], np.diff(line.path[:2], axis=0)[0][::-1] * [1, -1]
    normal = normal / np.hypot(*normal)
    own = places(twin)
    mirrored = own - 2 * ((own - start) @ normal)[:, None] * normal
    inside = ((mirrored > 0) & (mirrored < np.array(twin.shape) - 1)).all(axis=1)
    assert inside.sum() > 30
    assert cKDTree(own).query(mirrored[inside])[0].max() < 1e-6
    assert line.mirror


def test_the_row_of_a_twin_is_shared():
    twin = twin_boundary(scene("au110"), (0, 1))
    assert (np.abs(heights(twin, twin.lines[0])) < 1e-6).sum() > 10
    assert twin.lines[0].misorientation == pytest.approx(math.acos(1 / 3))


def test_a_polar_twin_keeps_its_bonds():
    twin = twin_boundary(scene("cdte110", px_per_cell=24.0), (0, 1), rotate=True)
    own = in_frame(twin, margin=30)
    positions = own[["y", "x"]].to_numpy()
    everywhere = twin.positions
    distance, which = cKDTree(everywhere).query(positions, k=2)
    np.testing.assert_allclose(distance[:, 1], 1.62 / twin.pixel_size, rtol=1e-6)
    assert (twin.sites["index"].to_numpy()[which[:, 1]] != own["index"].to_numpy()).all()


@pytest.mark.parametrize(("layers", "shift"), [(1, 1 / 3), (2, -1 / 3), (3, 0.0)])
def test_layers_of_gold_turned_over_shift_what_follows_by_a_third(layers, shift):
    plain = scene("au110")
    faulted = lamella(plain, layers, (0, 1))
    line = faulted.lines[0]
    assert line.shift == pytest.approx((0, shift), abs=1e-6)
    assert (line.kind, line.layers) == ("stacking_fault" if shift else "planar_defect", layers)
    height = heights(faulted, line)
    seen = places(faulted)[height > 3 * 10.0]
    assert cKDTree(plain.positions + np.array(line.shift) @ plain.cell).query(seen)[0].max() < 1e-6
    assert cKDTree(plain.positions).query(places(faulted)[height < -3 * 10.0])[0].max() < 1e-6


def test_one_layer_turned_over_is_the_intrinsic_fault():
    plain = scene("au110")
    one_layer = lamella(plain, 1, (0, 1))
    shift = one_layer.lines[0].shift
    at = one_layer.lines[0].path[len(one_layer.lines[0].path) // 2]
    assert same_columns(places(fault(plain, shift, (0, 1), at=at)), places(one_layer))


def test_a_thick_lamella_is_two_twin_boundaries():
    lines = lamella(scene("cdte110", px_per_cell=16.0), 5, (0, 1), rotate=True).lines
    assert [(line.kind, line.mirror, line.layers) for line in lines] == [("twin_boundary", True, 5)] * 2


def test_a_mirrored_row_of_dumbbells_leaves_the_rest_in_place():
    plain = scene("square_dumbbell", px_per_cell=20.0)
    line = lamella(plain, 1, (1, 0), through="gap").lines[0]
    assert line.shift == pytest.approx((0.0, 0.0))
    moved = cKDTree(plain.positions).query(places(lamella(plain, 1, (1, 0), through="gap")))[0] > 1e-6
    assert 10 < moved.sum() < 40


@pytest.mark.parametrize(
    ("shift", "kind"), [((0.5, 0.5), "antiphase_boundary"), ((0.2, 0.0), "stacking_fault")]
)
def test_a_fault_moves_the_second_side_as_it_is(shift, kind):
    plain = scene("srtio3", px_per_cell=16.0)
    faulted = fault(plain, shift, (1, 0))
    height = heights(faulted, faulted.lines[0])
    moved = plain.positions + np.array(shift) @ plain.cell
    assert cKDTree(moved).query(places(faulted)[height > 0])[0].max() < 1e-6
    assert cKDTree(plain.positions).query(places(faulted)[height < 0])[0].max() < 1e-6
    assert faulted.lines[0].kind == kind


def test_a_fault_runs_between_the_rows():
    plain = scene("triclinic", px_per_cell=30.0)
    run = np.array([1, 0]) @ plain.cell
    distance = np.abs(across(plain.positions, gap_near(plain, (1, 0), plain.centre), math.atan2(*run)))
    assert distance.min() > 1.5


@pytest.mark.parametrize("burgers", [(1, 0), (0, -1), (1, 1)])
def test_the_burgers_circuit_closes_by_the_burgers_vector(burgers):
    laid = scene(px_per_cell=12.0)
    image, truth = sketch_scene(
        add_dislocations(laid, [Dislocation(position=(98.0, 109.0), burgers=burgers)]), rng=0
    )
    np.testing.assert_allclose(winding(image, truth.cell, (98, 109), 50), burgers, atol=0.02)
    np.testing.assert_allclose(winding(image, truth.cell, (60, 60), 20), 0, atol=0.02)


@pytest.mark.parametrize("crystal", ["fe100", "wse2", "au110"])
def test_a_pair_leaves_no_seam_and_the_right_number_of_columns(crystal):
    laid = scene(crystal, px_per_cell=12.0)
    pair = [
        Dislocation(position=(90.0, 70.0), burgers=(1, 0)),
        Dislocation(position=(115.0, 150.0), burgers=(-1, 0)),
    ]
    columns = places(add_dislocations(laid, pair), margin=15)
    cores = np.array([item.position for item in pair])
    away = cKDTree(cores).query(columns)[0] > 20
    nearest = cKDTree(places(add_dislocations(laid, pair))).query(columns[away], k=2)[0][:, 1]
    spacing = nearest_spacing(laid)
    assert nearest.min() > 0.8 * spacing
    assert nearest.max() < 1.2 * spacing


def test_the_half_plane_stands_below_when_the_burgers_vector_points_right():
    laid = scene(px_per_cell=10.0, rotation=0.0)
    columns = places(add_dislocations(laid, [Dislocation(position=(100.0, 110.0), burgers=(1, 0))]))
    above, below = (np.sum(np.abs(columns[:, 0] - y) < 50) for y in (50, 150))
    assert 6 <= below - above <= 12  # ten rows on each side, each with one column more below


@pytest.mark.parametrize("angle", [3.0, -6.0, 10.0])
def test_a_wall_turns_its_sides_by_the_angle_and_keeps_their_scale(angle):
    walled = tilt_wall(scene(shape=(400, 400)), angle * DEGREE)
    height = heights(walled, walled.lines[0])
    for side, half in ((height < -120, -angle / 2), (height > 120, angle / 2)):
        columns = places(walled)[side]
        turned = direction_of_rows(columns, 10.0, 4) - 0.3
        assert (turned + math.pi / 4) % (math.pi / 2) - math.pi / 4 == pytest.approx(half * DEGREE, abs=5e-4)
        nearest = cKDTree(columns).query(columns, k=2)[0][:, 1]
        assert np.median(nearest) == pytest.approx(10.0, rel=5e-3)


def test_the_cores_of_a_wall_stand_as_far_apart_as_frank_says():
    cores = tilt_wall(scene(shape=(400, 400)), 4 * DEGREE).cores
    gaps = np.hypot(*np.diff([core.position for core in cores], axis=0).T)
    np.testing.assert_allclose(gaps, 10.0 / (2 * math.sin(2 * DEGREE)))


def test_a_wall_of_two_kinds_of_dislocations_runs_where_it_is_told_to():
    laid = scene("wse2", shape=(500, 500), px_per_cell=9.0)
    walled = tilt_wall(laid, 6 * DEGREE, burgers=(1, 0), second_burgers=(0, 1), direction=1.1)
    net = sum(np.array(core.burgers) for core in walled.cores) @ laid.cell
    run = np.array([math.sin(1.1), math.cos(1.1)])
    assert abs(net @ run) < 0.1 * np.hypot(*net)
    image, truth = sketch_scene(walled, rng=0)
    core = min(truth.cores, key=lambda core: np.hypot(*(np.array(core.position) - 250)))
    np.testing.assert_allclose(winding(image, truth.cell, core.position, 14), core.burgers, atol=0.25)


@pytest.mark.parametrize("total", [(0, 0), (0, 1)])
def test_a_fault_that_ends_has_partials_at_both_ends(total):
    laid = scene("au110", shape=(300, 300), px_per_cell=12.0)
    faulted = faulted_pair(laid, (0, 1 / 3), (0, 1), length=110, total=total)
    assert all(core.partial for core in faulted.cores)
    assert np.sum([core.burgers for core in faulted.cores], axis=0) == pytest.approx(total)
    ends = [core.position for core in faulted.cores]
    np.testing.assert_allclose(ends, faulted.lines[0].path[[0, -1]])
    image, truth = sketch_scene(faulted, rng=0)
    np.testing.assert_allclose(winding(image, truth.cell, (150, 150), 110), total, atol=0.05)


def test_a_dipole_has_no_far_field():
    laid = scene(px_per_cell=12.0, shape=(300, 300))
    dipole = dislocation_dipole(laid, (1, 0), length=70)
    assert [core.burgers for core in dipole.cores] == [(-1, 0), (1, 0)]
    ends = np.array([core.position for core in dipole.cores])
    np.testing.assert_allclose(ends.mean(axis=0), laid.centre)
    assert np.hypot(*np.diff(ends, axis=0)[0]) == pytest.approx(70)
    image, truth = sketch_scene(dipole, rng=0)
    np.testing.assert_allclose(winding(image, truth.cell, ends[1], 25), (1, 0), atol=0.1)
    np.testing.assert_allclose(winding(image, truth.cell, laid.centre, 110), 0, atol=0.02)


def test_half_a_cell_of_strontium_titanate_is_an_antiphase_boundary():
    plain = scene("srtio3", px_per_cell=16.0)
    assert same_columns(places(antiphase_boundary(plain, (1, 0))), places(fault(plain, (0.5, 0.5), (1, 0))))
    assert antiphase_boundary(plain).lines[0].kind == "antiphase_boundary"


def test_beyond_an_antiphase_boundary_the_dumbbells_point_the_other_way():
    plain = scene("cdte110", px_per_cell=20.0)
    turned = antiphase_boundary(plain, (1, 0), shift=None)
    sites, line = in_frame(turned), turned.lines[0]
    distance, which = cKDTree(plain.positions).query(sites[["y", "x"]])
    assert distance.max() < 1e-6  # the same places
    swapped = plain.sites["index"].to_numpy()[which] != sites["index"].to_numpy()
    np.testing.assert_array_equal(swapped, heights(turned, line) > 0)
    assert (line.kind, line.shift) == ("antiphase_boundary", (0.0, 0.0))


@pytest.mark.parametrize(
    "put",
    [
        lambda laid: tilt_boundary(laid, 0.2),
        lambda laid: twin_boundary(laid, (0, 1)),
        lambda laid: lamella(laid, 2, (0, 1)),
        lambda laid: fault(laid, (0, 1 / 3), (0, 1)),
        lambda laid: antiphase_boundary(laid, shift=(0.5, 0.0)),
        lambda laid: add_dislocations(laid, [Dislocation(position=(90.0, 100.0), burgers=(1, 0))]),
        lambda laid: dislocation_dipole(laid, length=50),
        lambda laid: faulted_pair(laid, (0, 1 / 3), (0, 1), length=60),
        lambda laid: tilt_wall(laid, 0.1),
        lambda laid: lomer_cottrell(laid, length=60),
    ],
)
def test_columns_keep_their_atoms_and_whatever_else_is_told_of_them(put):
    laid = scene("au110")
    atoms = (ColumnAtoms(("Au",), (0.0,)), ColumnAtoms(("Ag",), (0.0,)))
    own = np.arange(len(laid.sites)) % 2
    told = laid.sites.assign(atoms=own, kind=np.array(["none", "substitution"])[own], species="Au", note=own)
    done = put(replace(laid, sites=told, atoms=atoms))
    assert done.atoms == atoms
    assert list(done.sites) == list(told)
    assert dict(done.sites.dtypes) == dict(told.dtypes)
    assert not done.sites.isna().to_numpy().any()
    np.testing.assert_array_equal(done.sites["atoms"], done.sites["note"])
    assert 0.3 < in_frame(done)["atoms"].mean() < 0.7


def test_drift_bends_the_truth_as_it_bends_the_columns():
    twin = twin_boundary(scene("au110"), (0, 1))
    still, bent = (sketch_scene(twin, drift=drift, rng=3)[1] for drift in (0.0, 3.0))
    on_line = [
        np.sort(cKDTree(truth.lines[0].path).query(truth.sites[["y", "x"]].to_numpy())[0])[:10]
        for truth in (still, bent)
    ]
    assert np.hypot(*(still.lines[0].path[50] - bent.lines[0].path[50])) > 0.3
    np.testing.assert_allclose(on_line, 0, atol=0.6)


def test_truth_stays_in_the_frame():
    walled = tilt_wall(scene(), 8 * DEGREE)
    _, truth = sketch_scene(walled, drift=2.0, rng=0)
    assert 0 < len(truth.cores) < len(walled.cores)
    for path in (truth.lines[0].path, np.array([core.position for core in truth.cores])):
        assert (path >= -0.5).all()
        assert (path <= np.array(walled.shape) - 0.5).all()


def test_the_same_seed_makes_the_same_image():
    first, second = (sketch_scene(lamella(scene("au110"), 1, (0, 1)), dose=1e4, rng=5)[0] for _ in range(2))
    np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: scene(px_per_cell=-1.0), "pixel_size must be positive"),
        (lambda: twin_boundary(scene(), (2, 0)), "without a common factor"),
        (lambda: twin_boundary(scene(), through="hole"), 'through must be "row" or "gap"'),
        (lambda: lamella(scene(), 0), "layers must be 1 or more"),
        (lambda: antiphase_boundary(scene(), shift=(1.0, 0.0)), "must be no lattice vector"),
        (lambda: antiphase_boundary(scene(), shift=None), "must have two columns"),
        (lambda: tilt_wall(scene(), 0.0), "the angle of a wall must be"),
        (lambda: tilt_wall(scene(), 0.1, direction=1.0), "both second_burgers and direction"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
