import numpy as np
import pytest

from antisite.errors import InputError
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.crystals.scene import lay_out, perfect_scene


def brute_force(scene, margin):
    """Every column of many cells that lies near the frame."""
    crystal = scene.crystal
    cells = np.stack(np.meshgrid(np.arange(-60, 61), np.arange(-60, 61)), axis=-1).reshape(-1, 1, 2)
    places = (cells + crystal.fractions) @ scene.cell + scene.origin
    index = np.broadcast_to(np.arange(len(crystal.columns)), places.shape[:2])
    near = ((places > -margin) & (places < np.array(scene.shape) + margin)).all(axis=-1)
    return np.column_stack([places[near], index[near]])


@pytest.mark.parametrize("name", ["WSe2", "CdTe_110", "ZrO2_010"])
def test_every_column_around_the_frame_is_there_once(name):
    scene = perfect_scene(find_specimen(name), shape=(60, 90), pixel_size=0.2, rotation=0.7, rng=1)
    found, expected = scene.sites[["y", "x", "index"]].to_numpy(), brute_force(scene, np.hypot(60, 90))
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.unique(found.round(6), axis=0), np.unique(expected.round(6), axis=0))


def test_scan_that_fetches_columns_from_far_finds_them():
    scene = perfect_scene(find_specimen("WSe2"), shape=(30, 40), further=200.0, rng=1)
    assert len(scene.sites) == len(brute_force(scene, 12 / 0.2 + 200))


def test_more_columns_than_memory_holds_are_refused_with_the_number():
    crystal = find_specimen("WSe2")
    with pytest.raises(InputError, match=r"must fit into memory, .* about [\d.e+]+ GB where [\d.]+ GB are"):
        lay_out(
            crystal,
            crystal.cell / 0.2,
            shape=(64, 64),
            pixel_size=0.2,
            margin=1e7,
            rng=np.random.default_rng(1),
        )
