import math

import numpy as np
import pytest

from antisite.detect.line_refinement import refine_line
from antisite.detect.lines import locate, sample_line
from antisite.simulate.extended_defects.boundaries import fault, tilt_boundary
from antisite.simulate.truth.lines import turn

TURN = math.radians(20)
MOTIONS = (turn(-TURN / 2), turn(TURN / 2))


@pytest.fixture(scope="module")
def boundary(scene, see):
    """Two grains, the second turned by 20°."""
    return see(tilt_boundary(scene(), TURN, direction=0.9), motions=MOTIONS, drift=1.0)


def waves(seen):
    index = seen.phases(1.0).index
    return tuple(index @ lattice.reciprocal for lattice in seen.lattices)


def off(path, truth):
    """Distance (n,) px of the refined line from the true one, to its right."""
    places = sample_line(path, spacing=2.0).places
    inside = np.all((places > 12) & (places < 244), axis=1)
    return locate(places[inside], sample_line(truth.lines[0].path, spacing=0.5))[1]


def moved(truth, by):
    line = sample_line(truth.lines[0].path, spacing=5.0)
    return line.places + by * line.normals


@pytest.mark.parametrize("by", [-1.5, 0.0, 1.5])
def test_a_line_finds_back_from_one_and_a_half_cells_away(boundary, by):
    seen = boundary
    found = refine_line(seen.even, seen.mask, moved(seen.truth, by * seen.cell), waves(seen), cell=seen.cell)
    away = off(found.path, seen.truth)
    assert np.median(np.abs(away)) < 0.15 * seen.cell
    assert np.abs(away).max() < 0.4 * seen.cell
    assert found.sd < 0.4 * seen.cell


def test_the_same_line_is_found_from_either_end(boundary):
    seen, (left, right) = boundary, waves(boundary)
    rough = moved(seen.truth, 3.0)
    forth = refine_line(seen.even, seen.mask, rough, (left, right), cell=seen.cell)
    back = refine_line(seen.even, seen.mask, rough[::-1], (right, left), cell=seen.cell)
    np.testing.assert_allclose(
        off(back.path[::-1], seen.truth).mean(), off(forth.path, seen.truth).mean(), atol=0.3
    )


def test_masked_pixels_do_not_pull_the_line(boundary):
    seen = boundary
    mask = np.zeros_like(seen.mask)
    mask[110:140] = True
    even = np.where(mask, np.float32(0), seen.even)
    found = refine_line(even, mask, moved(seen.truth, 6.0), waves(seen), cell=seen.cell)
    assert np.median(np.abs(off(found.path, seen.truth))) < 0.2 * seen.cell


def test_a_fault_is_found_where_one_crystal_gives_way_to_itself_displaced(scene, see):
    seen = see(fault(scene(), (0.4, 0.0), (1, 0)))
    found = refine_line(
        seen.even, seen.mask, moved(seen.truth, 12.0), (seen.waves, seen.waves), cell=seen.cell
    )
    assert len(found.path) == 2  # straight
    assert np.abs(off(found.path, seen.truth)).max() < 0.4 * seen.cell
