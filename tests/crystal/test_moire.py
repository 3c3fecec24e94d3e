import math

import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.crystal.moire import find_overlap, refuse_overlap
from antisite.errors import NoLatticeError
from antisite.simulate.extended_defects.boundaries import tilt_boundary
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (384, 384)


def layer(name, px, degrees, seed):
    scene = lay_sketch(name, shape=SHAPE, px_per_cell=px, rotation=math.radians(degrees), rng=seed)
    return sketch_scene(scene, rng=seed)[0].pixels


def stacked(name, px, degrees, ratio=1.0):
    pixels = layer(name, px, 10.0, 1) + layer(name, px * ratio, 10.0 + degrees, 2)
    return pixels + 0.3 * pixels.std() * np.random.default_rng(3).standard_normal(SHAPE)


def overlap(view):
    return find_overlap(view.even, view.mask, spacing=view.spacing)


@pytest.mark.parametrize(("name", "px"), [("wse2", 12), ("au110", 10), ("au100", 12)])
@pytest.mark.parametrize("degrees", [8.0, 17.0, 29.0])
def test_two_turned_layers_are_seen_with_their_turn(look, name, px, degrees):
    found = overlap(look(stacked(name, px, degrees)))
    assert found is not None
    assert math.degrees(found.turn) == pytest.approx(degrees, abs=0.3)
    assert found.ratio == pytest.approx(1, abs=0.02)


def test_layers_of_different_spacing_are_seen(look):
    found = overlap(look(stacked("au100", 12, 3.0, 1.2)))
    assert found is not None
    assert max(found.ratio, 1 / found.ratio) == pytest.approx(1.2, abs=0.02)


def test_overlap_is_refused_in_one_sentence(look):
    view = look(stacked("wse2", 12, 15.0))
    with pytest.raises(NoLatticeError, match=r"two lattices overlap \(moiré\).* turned by 15\.\d°"):
        refuse_overlap(view.even, view.mask, spacing=view.spacing)


@pytest.mark.parametrize(
    "name", ["wse2", "srtio3", "au110", "cdte110", "monoclinic", "triclinic", "square_dumbbell"]
)
def test_one_layer_is_no_overlap(look, name):
    scene = lay_sketch(name, shape=SHAPE, px_per_cell=20, rotation=0.3, rng=1)
    assert overlap(look(sketch_scene(scene, dose=1e4, drift=1.0, rng=1)[0].pixels)) is None


@pytest.mark.parametrize("degrees", [8, 15, 30])
def test_grains_side_by_side_are_no_overlap(look, degrees):
    scene = lay_sketch("fe100", shape=SHAPE, px_per_cell=12, rotation=0.3, rng=1)
    scene = tilt_boundary(scene, math.radians(degrees), direction=0.4)
    assert overlap(look(sketch_scene(scene, dose=1e4, rng=1)[0].pixels)) is None


@pytest.mark.parametrize("degrees", [8.0, 17.0])
def test_to_know_the_lattice_of_one_layer_hides_no_other(look, degrees):
    view = look(stacked("au100", 12, degrees))
    vectors = lay_sketch("au100", shape=SHAPE, px_per_cell=12, rotation=math.radians(10)).cell
    known = Lattice(vectors=vectors, coherence=1.0)
    assert find_overlap(view.even, view.mask, spacing=view.spacing, known=known) is not None
