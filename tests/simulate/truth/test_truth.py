import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from antisite.defects import KINDS
from antisite.io.annotations import read_annotations
from antisite.simulate.crystals.column_atoms import ColumnAtoms
from antisite.simulate.extended_defects.dislocations import faulted_pair
from antisite.simulate.point_defects.planting import PointDefects, plant_defects
from antisite.simulate.recording.scan_distortion import drift_path, drift_positions
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.truth import (
    CONVENTION,
    Truth,
    crop_truth,
    scene_truth,
    thinned,
    write_truth,
)


def test_every_site_lies_within_the_frame():
    _, truth = sketch_image("wse2", shape=(64, 96), drift=2.0, rng=0)
    assert truth.sites["y"].between(-0.5, 63.5).all()
    assert truth.sites["x"].between(-0.5, 95.5).all()


def test_defects_are_the_sites_that_are_not_perfect():
    _, truth = sketch_image("wse2", shape=(128, 128), vacancies=0.1, rng=0)
    assert set(truth.defects["kind"]) == {"vacancy"}
    assert len(truth.defects) == (truth.sites["brightness"] == 0).sum() > 5


def test_label_file_holds_every_site_in_the_known_layout(tmp_path):
    _, truth = sketch_image("wse2", shape=(128, 128), partial_vacancies=0.1, interstitials=0.1, rng=0)
    write_truth(truth, tmp_path / "labels.json", image="a.tif")
    labels = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert (labels["image"], labels["convention"]) == ("a.tif", CONVENTION)
    objects = pd.DataFrame(labels["objects"])
    assert set(objects["label"]) == {"none", "partial_vacancy", "interstitial"} <= set(KINDS)
    expected = truth.sites.sort_values(["y", "x"])[["y", "x"]]
    np.testing.assert_allclose(objects[["y", "x"]], expected, atol=0.0051)


def test_truth_without_sites_is_still_a_label_file(tmp_path):
    _, truth = sketch_image("wse2", shape=(64, 64), rng=0)
    write_truth(Truth(truth.sites.iloc[:0]), tmp_path / "labels.json")
    assert json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))["objects"] == []


def faulted(**options):
    laid = lay_sketch("au110", shape=(200, 200), px_per_cell=12.0, rotation=0.3, rng=1)
    return sketch_scene(faulted_pair(laid, (0, 1 / 3), (0, 1), length=80), rng=0, **options)[1]


def test_lines_and_dislocations_are_in_the_label_file(tmp_path):
    truth = faulted(drift=2.0)
    write_truth(truth, tmp_path / "labels.json")
    table = read_annotations(tmp_path / "labels.json")
    assert table["kind"].value_counts()[["stacking_fault", "dislocation"]].tolist() == [1, 2]
    cores = table.loc[table["kind"] == "dislocation", ["y", "x"]]
    np.testing.assert_allclose(cores, [core.position for core in truth.cores], atol=0.0051)
    objects = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))["objects"]
    line = next(item for item in objects if item["label"] == "stacking_fault")
    assert 2 < len(line["points"]) < len(truth.lines[0].path) / 2  # bent, but not told point by point
    points, path = np.array(line["points"])[:, ::-1], truth.lines[0].path
    np.testing.assert_allclose(points[[0, -1]], path[[0, -1]], atol=0.0051)
    assert line["shift"] == [0.0, 0.333333333]


def test_what_is_true_inside_a_margin_is_moved_and_clipped():
    whole = faulted(drift=2.0)
    shape = tuple(int(n) - 39 for n in whole.sites[["y", "x"]].max())
    inner = crop_truth(whole, 20, shape=shape)
    places = whole.sites[["y", "x"]].to_numpy() - 20
    shown = whole.sites[((places >= -0.5) & (places <= np.array(shape) - 0.5)).all(axis=1)]
    assert len(whole.lines) == len(inner.lines) == 1
    assert np.allclose(inner.sites[["y", "x"]], shown[["y", "x"]] - 20)
    assert inner.sites["sublattice"].tolist() == shown["sublattice"].tolist()
    assert {tuple(point) for point in inner.lines[0].path + 20} <= {tuple(p) for p in whole.lines[0].path}
    assert np.allclose(
        [core.position for core in inner.cores], np.array([core.position for core in whole.cores]) - 20
    )


def test_a_thinned_path_stays_within_its_tolerance():
    turn = np.linspace(0, 1, 300)
    path = 90 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    few = thinned(path)
    assert len(few) < 30
    middles = (few[1:] + few[:-1]) / 2
    assert np.abs(np.hypot(*middles.T) - 90).max() < 0.06


def test_the_truth_of_a_scene_tells_its_defects_where_the_drift_put_them():
    laid = lay_sketch("wse2", shape=(120, 150), rng=1)
    atoms = (ColumnAtoms(("W",), (1.67,)), ColumnAtoms(("Se", "Se"), (0.0, 3.34)))
    scene = plant_defects(
        replace(laid, atoms=atoms),
        PointDefects(substitutions={"V": 0.1}, interstitials={"Se": 0.1}),
        rng=1,
    )
    drift = drift_path(120, 3.0, np.random.default_rng(0))
    truth = scene_truth(scene, drift=drift)
    kinds = scene.sites["kind"].to_numpy()
    moved = drift_positions(scene.positions, drift)
    inside = ((moved >= -0.5) & (moved <= (119.5, 149.5))).all(axis=1)
    np.testing.assert_allclose(truth.defects[["y", "x"]], moved[inside & (kinds != "none")])
    assert set(truth.defects["species"]) == {"V", "Se"}
    assert list(truth.sites) == ["y", "x", "grain", "kind", "species", "sublattice"]
    assert truth.spacing == pytest.approx(laid.crystal.a[1] / math.sqrt(3) / laid.pixel_size)


def test_a_scene_without_defects_is_told_by_its_columns():
    truth = scene_truth(lay_sketch("wse2", shape=(60, 60), rng=1))
    assert set(truth.sites["kind"]) == {"none"}
    assert dict(zip(truth.sites["species"], truth.sites["sublattice"], strict=True)) == {"W": "A", "Se": "B"}
    assert len(truth.defects) == 0
