import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from antisite.errors import InputError
from antisite.simulate.crystals.scene import nearest_spacing
from antisite.simulate.extended_defects.fault_junctions import lomer_cottrell
from antisite.simulate.extended_defects.joined_crystals import across
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SIZES = {"au110": 12.0, "cdte110": 20.0}


def laid(crystal="au110"):
    return lay_sketch(crystal, shape=(360, 360), px_per_cell=SIZES.get(crystal, 12.0), rotation=0.3, rng=1)


@pytest.fixture(scope="module", params=SIZES)
def junction(request):
    return laid(request.param), lomer_cottrell(laid(request.param), length=110)


def winding(scene, at, radius):
    """How often each of two reflections turns on a circuit from +x towards +y: the Burgers vector."""
    image, truth = sketch_scene(scene, rng=0)
    y, x = np.indices(image.shape)
    angle = np.linspace(0, 2 * math.pi, 721)
    rows, columns = (
        np.round(centre + radius * turn(angle)).astype(int)
        for centre, turn in zip(at, (np.sin, np.cos), strict=True)
    )
    turns = []
    for g in np.linalg.inv(truth.cell).T:
        wave = image.pixels * np.exp(-2j * math.pi * (g[0] * y + g[1] * x))
        smooth = gaussian_filter(wave.real, 8) + 1j * gaussian_filter(wave.imag, 8)
        turns.append(-np.diff(np.unwrap(np.angle(smooth[rows, columns]))).sum() / (2 * math.pi))
    return np.array(turns)


def test_the_circuit_round_a_junction_closes_by_one_lattice_vector(junction):
    scene = junction[1]
    total = np.sum([core.burgers for core in scene.cores], axis=0)
    np.testing.assert_allclose(total, np.round(total), atol=1e-9)
    np.testing.assert_allclose(winding(scene, (179.5, 179.5), 160), total, atol=0.05)
    length = np.hypot(*(total @ scene.cell)) * scene.pixel_size
    assert length == pytest.approx({"Au": 4.08, "Te": 6.48}[scene.crystal.columns[0].species] / math.sqrt(2))


def test_partials_and_stair_rod_are_as_long_as_in_the_books(junction):
    scene = junction[1]
    sizes = [np.hypot(*(np.array(core.burgers) @ scene.cell)) * scene.pixel_size for core in scene.cores]
    cube = {"Au": 4.08, "Te": 6.48}[scene.crystal.columns[0].species]
    np.testing.assert_allclose(sizes, cube / np.array([math.sqrt(6), math.sqrt(6), 3 * math.sqrt(2)]))
    assert all(core.partial for core in scene.cores)


def test_each_fault_runs_from_the_stair_rod_to_its_partial(junction):
    scene = junction[1]
    ends = [core.position for core in scene.cores]
    for line, end in zip(scene.lines, ends, strict=False):
        assert line.kind == "stacking_fault"
        np.testing.assert_allclose(line.path[[0, -1]], [ends[2], end])
    runs = [line.path[-1] - line.path[0] for line in scene.lines]
    cosine = runs[0] @ runs[1] / np.hypot(*runs[0]) / np.hypot(*runs[1])
    assert cosine == pytest.approx(1 / 3)  # of two {111} planes, 70.5°


def test_across_a_fault_the_crystal_is_moved_by_its_shift(junction):
    plain, scene = junction
    for line in scene.lines:
        run = line.path[-1] - line.path[0]
        height = across(scene.positions, line.path[0], math.atan2(*run))
        middle = line.path[len(line.path) // 2]
        near = np.hypot(*(scene.positions - middle).T) < 25
        first = (scene.sites["index"] == 0).to_numpy() & near
        fractions = (scene.positions - plain.origin) @ np.linalg.inv(plain.cell)
        sides = [
            np.exp(2j * np.pi * fractions[first & side]).mean(axis=0) for side in (height < 0, height > 0)
        ]
        jump = np.angle(sides[1] / sides[0]) / (2 * math.pi)
        off = (jump - line.shift + 0.5) % 1 - 0.5
        assert np.abs(off).max() < 0.12  # what the elastic field adds over the distance of the sides


def test_faults_keep_the_distances_of_neighbours(junction):
    plain, scene = junction
    spacing = nearest_spacing(plain)
    cores = cKDTree([core.position for core in scene.cores])
    inside = ((scene.positions > 15) & (scene.positions < 345)).all(axis=1)
    away = inside & (cores.query(scene.positions)[0] > 25)
    nearest = cKDTree(scene.positions).query(scene.positions[away], k=2)[0][:, 1] / spacing
    assert nearest.min() > 0.8
    assert nearest.max() < 1.2


def test_beyond_the_faults_no_seam_is_left(junction):
    plain, scene = junction
    inside = ((scene.positions > 5) & (scene.positions < 355)).all(axis=1)
    expected = 360**2 / abs(np.linalg.det(plain.cell)) * len(plain.crystal.columns) * (350 / 360) ** 2
    assert inside.sum() == pytest.approx(expected, rel=0.01)


def test_a_crystal_that_is_not_stacked_abc_has_no_such_junction():
    with pytest.raises(InputError, match="rows stacked ABC"):
        lomer_cottrell(laid("fe100"), length=50)
    with pytest.raises(InputError, match="length of a fault must be positive"):
        lomer_cottrell(laid(), length=0)
