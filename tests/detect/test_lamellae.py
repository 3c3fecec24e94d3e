from dataclasses import replace

import numpy as np
import pytest

from antisite.crystal.lattice_phases import visible_reflections
from antisite.detect.lamellae import Lamella, find_lamellae
from antisite.detect.lines import distance_to
from antisite.simulate.extended_defects.boundaries import fault, lamella

STYLE = {"au110": {}, "cdte110": {"rotate": True}}


def lamellae_in(seen):
    index = visible_reflections(seen.even, seen.mask, seen.lattice)
    return find_lamellae(seen.even, seen.mask, seen.lattice, index)


def laid(scene, crystal, n, **options):
    """A lamella of n layers in the middle."""
    px = {"au110": 8.0, "cdte110": 12.0}[crystal]
    perfect = scene(crystal, n=448 if crystal == "cdte110" else 320, px_per_cell=px, **options)
    along = perfect.cell[1] / np.hypot(*perfect.cell[1])
    half = n / 2 * px**2 / np.hypot(*perfect.cell[1]) * np.array([along[1], -along[0]])
    return lamella(perfect, n, (0, 1), at=perfect.centre - half, **STYLE[crystal])


@pytest.mark.parametrize("crystal", STYLE)
@pytest.mark.parametrize("n", [3, 4, 7, 12])
@pytest.mark.parametrize("rotation", [0.3, 2.0])
def test_layers_are_counted_exactly(scene, see, crystal, n, rotation):
    seen = see(laid(scene, crystal, n, rotation=rotation), drift=0.5, dose=1e5)
    (found,) = lamellae_in(seen)
    assert found.layers == pytest.approx(n, abs=0.5)
    middle = np.mean([line.path[len(line.path) // 2] for line in seen.truth.lines], axis=0)
    assert distance_to(found.path, middle[None])[0] < 0.5 * seen.cell


@pytest.mark.parametrize("n", [4, 7])
def test_noise_does_not_change_the_count(scene, see, n):
    (found,) = lamellae_in(see(laid(scene, "au110", n), dose=400))
    assert round(found.layers) == n


@pytest.mark.parametrize("n", [4, 9])
def test_its_rims_are_the_twin_boundaries(scene, see, n):
    seen = see(laid(scene, "au110", n))
    (found,) = lamellae_in(seen)
    rims = [found.rim(side, n) for side in (-1, 1)]
    for true in seen.truth.lines:
        middle = true.path[len(true.path) // 4 : -len(true.path) // 4]
        assert min(distance_to(rim, middle).max() for rim in rims) < 0.5 * seen.cell
    apart = distance_to(rims[0], rims[1].mean(axis=0)[None])[0]
    spacing = seen.lattice.cell_area / np.hypot(*seen.lattice.vectors[1])
    assert apart == pytest.approx(n * spacing)


def test_inside_the_lattice_is_the_mirror_image(scene, see):
    seen = see(laid(scene, "au110", 7))
    (found,) = lamellae_in(seen)
    along = seen.lattice.vectors[1] / np.hypot(*seen.lattice.vectors[1])
    mirrored = seen.lattice.vectors @ (2 * np.outer(along, along) - np.eye(2))
    np.testing.assert_allclose(found.mirrored.vectors, mirrored)


@pytest.mark.parametrize("crystal", ["au110", "cdte110", "fe100", "wse2", "srtio3", "monoclinic"])
def test_a_perfect_crystal_has_none(scene, see, crystal):
    assert not lamellae_in(see(scene(crystal, px_per_cell=14.0, n=288), drift=1.0, dose=3e4))


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.3, 0.2)])
def test_a_displacement_mirrors_nothing(scene, see, shift):
    assert not lamellae_in(see(fault(scene("au110", n=288), shift, (1, 0))))


def test_a_lattice_that_is_its_own_mirror_image_shows_none(scene, see):
    square = scene("square_dumbbell", px_per_cell=14.0, n=288)
    assert not lamellae_in(see(lamella(square, 5, (1, 0), through="gap")))


def test_two_lamellae_are_two(scene, see):
    perfect = scene("au110", px_per_cell=9.0, n=320)
    normal = np.array([perfect.cell[1][1], -perfect.cell[1][0]]) / np.hypot(*perfect.cell[1])
    first = lamella(perfect, 4, (0, 1), at=perfect.centre - 10 * 9 * normal)
    found = lamellae_in(see(lamella(first, 7, (0, 1), at=perfect.centre + 6 * 9 * normal)))
    assert sorted(round(one.layers) for one in found) == [4, 7]


def test_one_that_lies_in_another_is_told(scene, see):
    lattice = see(scene("au110", n=64)).lattice
    path = np.array([[50.0, 0.0], [50.0, 200.0]])
    one = Lamella(path=path, thickness=30.0, layers=3.0, mirrored=lattice)
    assert replace(one, path=path + np.array([20.0, 0.0])).within(one)
    assert not replace(one, path=path + np.array([30.0, 0.0])).within(one)
