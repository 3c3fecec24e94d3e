import numpy as np

from antisite.conditions import Detector
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.scattering.column_multislice import PlacedAtom, collect
from antisite.simulate.scattering.neighbours import Pair, find_pairs, pair_responses
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.probe import WaveGrid

MO, S2 = ColumnAtoms(("Mo",), (1.5,)), ColumnAtoms(("S", "S"), (0.0, 3.1))
OPTICS = Optics(beam_energy=60e3, detectors=(Detector(inner=30, outer=60),), static=True)


def test_every_pair_of_a_honeycomb_is_found_once():
    a = 3.16
    cell = np.array([[0, a], [a * np.sqrt(3) / 2, -a / 2]])
    places = np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3]]) @ cell
    middles, which, pairs = find_pairs(places, np.array([0, 1]), (MO, S2), cell=cell)
    near = [pair for pair in pairs if pair.distance < 2]
    far = [pair for pair in pairs if pair.distance > 2]
    assert len(middles) == len(which) == 3 + 6
    assert sorted(round(np.degrees(p.direction)) % 120 for p in near) == [near_angle(near)] * 3
    assert all({pair.first, pair.second} == {MO, S2} for pair in near)
    assert {(pair.first, pair.second) for pair in far} == {(MO, MO), (S2, S2)}


def near_angle(pairs):
    return round(np.degrees(pairs[0].direction)) % 120


def test_a_pair_explains_what_two_columns_do_together():
    distance, direction = 1.82, 0.7
    turn = np.array([np.sin(direction), np.cos(direction)])
    probes = np.array([[0.0, 0.0], [0.3, 0.4], [-0.6, 0.2]])
    first = [PlacedAtom("Mo", 1.5, *(-distance / 2 * turn))]
    second = [PlacedAtom("S", z, *(distance / 2 * turn)) for z in (0.0, 3.1)]
    grid = WaveGrid(OPTICS, 20.0)
    together = collect([*first, *second], probes, grid)
    alone = collect(first, probes, grid) + collect(second, probes, grid)
    table = pair_responses([Pair(MO, S2, distance, direction)], OPTICS)
    from scipy.ndimage import map_coordinates

    read = map_coordinates(table.values[0, 0], probes.T / table.step + table.values.shape[-1] // 2, order=3)
    assert np.abs(together - alone).max() > 2e-4
    np.testing.assert_allclose(read, (together - alone)[0], atol=5e-5)


def test_interference_of_deep_columns_is_followed_as_far_as_the_probe_has_spread():
    depth, probes = 120.0, np.stack([np.zeros(12), np.arange(0, 6, 0.5)], axis=1)
    deep = ColumnAtoms(("Mo",), (depth,))
    first, second = ([PlacedAtom("Mo", depth, 0.0, x)] for x in (-1.0, 1.0))
    grid = WaveGrid(OPTICS, 30.0)
    together, *alone = (collect(atoms, probes, grid)[0] for atoms in ([*first, *second], first, second))
    extra = together - sum(alone)
    table = pair_responses([Pair(deep, deep, 2.0, 0.0)], OPTICS)
    from scipy.ndimage import map_coordinates

    read = map_coordinates(table.values[0, 0], probes.T / table.step + table.values.shape[-1] // 2, order=3)
    assert np.abs(extra[probes[:, 1] >= 3.5]).max() > 0.1 * np.abs(extra).max()
    np.testing.assert_allclose(read, extra, atol=0.06 * np.abs(extra).max())
