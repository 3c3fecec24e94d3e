import numpy as np
import pytest

from antisite.crystal.hollows import find_hollows
from antisite.crystal.sublattices import SublatticeFinder, mean_cell, periodic_distance
from antisite.simulate.crystals.crystal import hollow_fraction
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image


def find(view):
    flat, lattice, distortion = view.distorted()
    motif = mean_cell(flat, view.mask, lattice, distortion)
    columns = SublatticeFinder()(motif, lattice)
    return lattice, columns, find_hollows(motif, lattice, columns)


def look_at(look, name, seed=0):
    image, _ = sketch_image(name, shape=(256, 256), pixel_size=0.18, rotation=0.3, dose=1e6, rng=seed)
    return find(look(image.pixels))


def room_of(name):
    """Distance in px from the emptiest place of a crystal to its nearest column."""
    crystal = SKETCHES[name]
    span = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)])
    offsets = (crystal.fractions[:, None] - hollow_fraction(crystal) + span).reshape(-1, 2) @ crystal.cell
    return np.linalg.norm(offsets, axis=1).min() / 0.18


@pytest.mark.parametrize("name", ["wse2", "mos2", "srtio3", "au100", "fe100", "graphene"])
def test_hollow_is_the_place_farthest_from_columns(look, name):
    lattice, columns, hollows = look_at(look, name)
    places = np.array([c.fraction for c in columns])
    assert hollows
    assert all(h.hollow for h in hollows)
    for hollow in hollows:
        room = periodic_distance(places - hollow.fraction, lattice).min()
        assert room == pytest.approx(room_of(name), rel=0.05)


@pytest.mark.parametrize(("name", "n"), [("wse2", 1), ("graphene", 1), ("au100", 1), ("srtio3", 2)])
def test_cell_has_as_many_hollows_as_its_symmetry_wants(look, name, n):
    for seed in range(3):
        hollows = look_at(look, name, seed)[2]
        assert [h.name for h in hollows] == (["hollow"] if n == 1 else ["hollow 1", "hollow 2"])


def test_two_hollows_do_not_share_a_place(look):
    lattice, _, hollows = look_at(look, "srtio3")
    apart = periodic_distance((hollows[0].fraction - hollows[1].fraction)[None], lattice)
    assert apart[0] == pytest.approx(3.905 / 0.18 / np.sqrt(2), rel=0.05)
