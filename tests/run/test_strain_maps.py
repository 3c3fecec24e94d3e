import json
from dataclasses import replace

import numpy as np
import pytest

from antisite.crystal.strain import COMPONENTS
from antisite.io.results import read_maps, read_tables, write_result
from antisite.io.tables import to_json
from antisite.result import Result
from antisite.run.crystal_search import find_specimen
from antisite.run.strain_maps import map_strain
from antisite.simulate.sketch.image import sketch_image


@pytest.fixture(scope="module")
def specimen():
    image, _ = sketch_image("wse2", shape=(256, 256), pixel_size=0.28, dose=5000, rng=3)
    return find_specimen(image.channels, image.mask)


@pytest.fixture(scope="module")
def measured(specimen):
    return map_strain(specimen.channels[0], [specimen.crystal], origin=(10, 20))


def test_maps_and_numbers_of_a_perfect_crystal_agree(measured):
    told, maps = measured
    assert set(maps) == set(COMPONENTS)
    for name in ("exx", "eyy", "exy", "rotation"):
        assert np.nanstd(maps[name]) == pytest.approx(told["noise"][name], rel=0.4)
    assert told["resolution"] == pytest.approx(2.355 * told["window"], rel=1e-3)
    assert told["origin"] == [10, 20]
    assert told["noise"]["strain"] == max(told["noise"][name] for name in ("exx", "eyy", "exy"))


def test_each_grain_has_numbers_of_its_own_and_the_image_those_of_the_noisiest(specimen):
    left = np.zeros((256, 256), dtype=bool)
    left[:, 128:] = True
    halves = [replace(specimen.crystal, mask=mask) for mask in (left, ~left)]
    told, maps = map_strain(specimen.channels[0], halves)
    assert [one["grain"] for one in told["grains"]] == [0, 1]
    assert told["noise"]["exx"] == max(one["noise"]["exx"] for one in told["grains"])
    columns = np.isfinite(maps["exx"]).any(axis=0)
    x = np.arange(len(columns)) * told["step"][1]
    assert columns[(x > 30) & (x < 90)].all()
    assert columns[(x > 170) & (x < 220)].all()


def test_a_grain_too_small_for_the_window_has_no_numbers_and_harms_no_other(specimen):
    tiny = np.ones((256, 256), dtype=bool)
    tiny[100:112, 100:112] = False
    told, _ = map_strain(specimen.channels[0], [specimen.crystal, replace(specimen.crystal, mask=tiny)])
    text = json.loads(to_json(told))
    assert text["grains"][1]["noise"]["strain"] is None
    assert text["grains"][1]["rotation_mean"] is None
    assert text["noise"]["strain"] > 0


def test_maps_survive_a_file_and_make_calibrated_axes(measured, make_result, tmp_path):
    told, maps = measured
    base = make_result(n_each=0)
    result = Result(
        image=base.image, maps=maps | {"domain": base.maps["domain"]}, summary=base.summary | {"strain": told}
    )
    folder = write_result(result, tmp_path / "a")
    back, summary = read_maps(folder), read_tables(folder)[2]
    for name in COMPONENTS:
        assert back[name].dtype == np.float32
        np.testing.assert_array_equal(back[name], maps[name])
    scale = summary["pixel_size"]
    strain = summary["strain"]
    ends = [
        (first + (n - 1) * step) * scale
        for n, step, first in zip(back["exx"].shape, strain["step"], strain["origin"], strict=True)
    ]
    assert ends == pytest.approx([(10 + 255) * scale, (20 + 255) * scale], abs=1.01 * max(strain["step"]))
