import numpy as np
import pytest

from antisite.crystal.dislocation_field import DislocationField
from antisite.crystal.distortion import fit_distortion
from antisite.crystal.lattice import Lattice
from antisite.simulate.extended_defects.dislocations import Dislocation, add_dislocations
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

CORE = np.array([100.0, 120.0])


def field(burgers=(1.0, 0.0), cut=0.0):
    return DislocationField(positions=CORE[None], burgers=np.array([burgers]), cuts=np.array([cut]))


def circle(radius, n=360):
    """Places from +x towards +y."""
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    return CORE + radius * np.column_stack([np.sin(angle), np.cos(angle)])


@pytest.mark.parametrize("burgers", [(1.0, 0.0), (0.0, -1.0), (1 / 3, 0.5)])
@pytest.mark.parametrize("cut", [0.0, 1.3, -2.0])
def test_once_round_a_core_is_one_burgers_vector(burgers, cut):
    around = field(burgers, cut).at(circle(30))
    steps = np.diff(np.vstack([around, around[:1]]), axis=0)
    jump = np.abs(steps).max(axis=1) > 0.1
    assert jump.sum() == 1
    np.testing.assert_allclose(steps[~jump].sum(axis=0), burgers, atol=0.01)
    np.testing.assert_allclose(steps.sum(axis=0), 0, atol=1e-9)
    place = circle(30)[np.argmax(jump)] - CORE
    assert np.cos(np.arctan2(*place) - cut) == pytest.approx(1, abs=0.01)


def test_far_and_near_the_turn_is_the_same():
    np.testing.assert_allclose(field().at(circle(3)), field().at(circle(300)), atol=1e-9)


def test_without_a_core_nothing_turns():
    assert len(DislocationField()) == 0
    assert not DislocationField().at(circle(10)).any()


def test_a_lattice_with_a_dislocation_is_followed_all_round_it():
    perfect = lay_sketch("fe100", shape=(220, 240), px_per_cell=12.0, rotation=0.3, rng=1)
    scene = add_dislocations(perfect, [Dislocation(position=tuple(CORE), burgers=(1.0, 0.0))])
    image, truth = sketch_scene(scene, dose=1e6, rng=2)
    flat = (image.pixels - image.pixels.mean()).astype(np.float32)
    lattice = Lattice(vectors=truth.cell, coherence=1.0)
    free = np.zeros(flat.shape, dtype=bool)
    places = truth.sites[["y", "x"]].to_numpy()
    inner = (np.minimum(places, np.array(flat.shape) - places) > 24).all(axis=1)
    clear = inner & (np.hypot(*(places - CORE).T) > 36)

    def worst(around):
        refined, distortion = fit_distortion(flat, free, lattice, around=around)
        at = refined.fractions(places[clear] - distortion.at(places[clear]))
        origin = np.angle(np.exp(2j * np.pi * at).mean(axis=0)) / (2 * np.pi)
        return np.abs((at - origin + 0.5) % 1 - 0.5).max()

    assert worst(field()) < 0.12
    assert worst(None) > 0.3  # along a cut the smooth field is nowhere
