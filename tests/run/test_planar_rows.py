import math

import numpy as np
import pytest

from antisite.image import Image
from antisite.run.crystal_search import find_specimen
from antisite.run.pipeline import find_defects
from antisite.run.planar_rows import BELONGS, planar_rows, sites_of_lines
from antisite.run.settings import Settings
from antisite.simulate.extended_defects.boundaries import fault
from antisite.simulate.extended_defects.dislocations import Dislocation, add_dislocations
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

CORES = ((70.0, 80.0), (190.0, 90.0))


def scene():
    """A fault across the crystal, and a pair of dislocations to its left."""
    perfect = lay_sketch("fe100", shape=(256, 288), px_per_cell=12.0, rotation=0.3, rng=1)
    pair = [Dislocation(position=at, burgers=(b, 0.0)) for at, b in zip(CORES, (1.0, -1.0), strict=True)]
    return fault(add_dislocations(perfect, pair), (0.0, 0.5), (0, 1), at=(128.0, 200.0))


@pytest.fixture(scope="module")
def rendered():
    return sketch_scene(scene(), dose=3e5, rng=2)


@pytest.fixture(scope="module")
def result(rendered):
    return find_defects(rendered[0], settings=Settings(self_check=False))


@pytest.fixture(scope="module")
def specimen(rendered):
    return find_specimen(rendered[0].channels, rendered[0].mask)


def rows_of(result):
    return result.defects[result.defects["method"] == "planar"]


def test_every_line_and_core_is_one_row_before_the_points(result):
    rows = rows_of(result)
    assert rows["kind"].tolist() == ["antiphase_boundary", "dislocation", "dislocation"]
    assert rows.index.tolist() == [0, 1, 2]
    assert rows["id"].tolist() == [len(result.sites) + i for i in range(3)]
    assert result.defects["id"].is_unique


def test_a_line_has_a_path_a_box_and_its_displacement(result, rendered):
    row = rows_of(result).iloc[0]
    points = np.array([p.split() for p in row["path"][12:-1].split(", ")], dtype=float)
    true = rendered[1].lines[0].path
    assert row["length"] == pytest.approx(np.hypot(*(true[-1] - true[0])), abs=6)
    assert row["width"] == pytest.approx(4 * 12, abs=3)
    assert row["length"] >= row["width"]
    run = points[-1] - points[0]
    assert math.sin(row["angle"] - math.atan2(run[1], run[0])) == pytest.approx(0, abs=0.01)
    assert np.hypot(*(row[["x", "y"]].to_numpy(float) - points.mean(axis=0))) < 12
    assert sorted(np.abs([row["rx"], row["ry"]])) == pytest.approx([0, 0.5], abs=0.03)
    assert math.isnan(row["bx"])
    assert row["misorientation"] == 0


def test_a_dislocation_has_its_burgers_vector_in_cell_vectors_and_angstrom(result, rendered):
    image, truth = rendered
    for row, true in zip(rows_of(result).iloc[1:].itertuples(), truth.cores, strict=True):
        vector = np.array(true.burgers) @ truth.cell * image.pixel_size
        np.testing.assert_allclose([row.by, row.bx], vector, atol=0.05)
        assert np.hypot(row.y - true.position[0], row.x - true.position[1]) < 5
        cell = np.array(result.grains[0]["lattice"]["vectors"])
        np.testing.assert_allclose(np.array([row.rx, row.ry]) @ cell * image.pixel_size, vector, atol=0.05)
        assert row.y_A == pytest.approx(row.y * image.pixel_size)
        assert row.path == ""


def test_without_a_scale_nothing_is_told_in_angstrom(rendered, specimen):
    image = Image(rendered[0].pixels)
    like = find_defects(image, settings=Settings(self_check=False, planar=False)).defects
    rows = planar_rows(image, specimen, corner=np.zeros(2, int), pixel_size=None, first_id=7, like=like)
    assert rows["id"].tolist() == [7, 8, 9]
    assert rows[["bx", "by", "y_A", "x_A"]].isna().all(axis=None)
    assert rows["rx"].notna().all()
    assert rows.dtypes.equals(like.dtypes)


def test_rows_are_told_in_the_coordinates_of_the_whole_image(rendered, specimen):
    image = rendered[0]
    told = [
        planar_rows(image, specimen, corner=np.array(at), pixel_size=None, first_id=0, like=None)
        for at in ((0, 0), (5, 9))
    ]
    np.testing.assert_allclose(told[1]["y"] - told[0]["y"], 5)
    np.testing.assert_allclose(told[1]["x"] - told[0]["x"], 9)


def test_sites_beside_a_line_or_core_belong_to_it_and_are_not_compared(result, rendered):
    sites, truth = result.sites, rendered[1]
    places = sites[["y", "x"]].to_numpy()
    line = truth.lines[0].path
    away = np.min(np.hypot(*(places[:, None] - line[None, ::4]).transpose(2, 0, 1)), axis=1)
    inner = (np.minimum(places, np.array([255, 287]) - places) > 24).all(axis=1)
    near = inner & (away < (BELONGS - 0.3) * 12)
    assert near.sum() > 20
    assert set(sites.loc[near, "kind"]) == {"antiphase_boundary"}
    assert sites.loc[near, "z"].isna().all()
    for core in CORES:
        beside = np.hypot(*(places - core).T) < 12
        assert set(sites.loc[beside, "kind"]) == {"dislocation"}
        assert sites.loc[beside, "z"].isna().all()
    assert not (result.defects["method"] != "planar").any()


def test_a_site_that_is_already_a_defect_keeps_its_kind(specimen, result):
    sites = result.sites.assign(kind="vacancy")
    assert set(sites_of_lines(sites, specimen, corner=np.zeros(2, int))["kind"]) == {"vacancy"}


def test_nothing_found_is_no_row():
    image = sketch_scene(lay_sketch("fe100", shape=(200, 200), px_per_cell=12.0, rng=1), dose=1e6, rng=2)[0]
    found = find_specimen(image.channels, image.mask)
    like = find_defects(image, settings=Settings(self_check=False)).defects
    rows = planar_rows(image, found, corner=np.zeros(2, int), pixel_size=None, first_id=0, like=like)
    assert len(rows) == 0
    assert list(rows.columns) == list(like.columns)


def test_paths_are_written_to_hundredths_of_a_pixel(result):
    numbers = rows_of(result)["path"].iloc[0][12:-1].replace(",", "").split()
    assert max(len(number.partition(".")[2]) for number in numbers) == 2
