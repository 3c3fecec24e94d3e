import json

import numpy as np
import pandas as pd

from antisite.defects import KINDS
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.truth import CONVENTION, Truth, write_truth


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
