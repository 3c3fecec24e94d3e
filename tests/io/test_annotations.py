import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite.defects import KINDS
from antisite.errors import InputError
from antisite.io.annotations import KIND_OF_WORD, labelled_images, read_annotations, read_label_map

WORDS = {1: "W", 2: "V_on_W", 3: "Se2", 4: "Se_vacancy", 5: "Se2_vacancy"}


@pytest.fixture
def data():
    folder = os.environ.get("ANTISITE_DATA")
    if not folder:
        pytest.skip("ANTISITE_DATA is not set: the real label files are not read")
    return Path(folder)


@pytest.fixture
def write(tmp_path):
    def write_labels(content):
        path = tmp_path / "labels.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write_labels


def point(**given):
    return {"objects": [{"x": 3, "y": 4.5, "label": "Se_vacancy"} | given]}


def test_a_point_keeps_its_place_and_word_and_gets_a_kind(write):
    assert read_annotations(write(point())).to_dict("records") == [
        {"y": 4.5, "x": 3.0, "label": "Se_vacancy", "kind": "partial_vacancy", "path": "", "scored": True}
    ]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("W", "none"),
        ("Se2", "none"),
        ("Se_vacancy", "partial_vacancy"),
        ("Se2_vacancy", "vacancy"),
        ("Cr_on_W", "substitution"),
        ("Ti_on_W", "substitution"),
        ("dim_metal_site", "substitution"),
        ("grain_boundary_dislocation_core", "dislocation"),
        ("twin_boundary", "twin_boundary"),
    ],
)
def test_every_word_of_the_contract_has_its_kind(write, word, kind):
    assert read_annotations(write(point(label=word)))["kind"].tolist() == [kind]


def test_words_lead_only_to_kinds_of_the_closed_list():
    assert set(KIND_OF_WORD.values()) <= set(KINDS)


@given(st.sampled_from(KINDS))
def test_a_label_that_is_a_kind_is_that_kind(tmp_path_factory, kind):
    path = tmp_path_factory.mktemp("labels") / "truth.json"
    path.write_text(json.dumps(point(label=kind)), encoding="utf-8")
    assert read_annotations(path)["kind"].tolist() == [kind]


def test_uncertain_labels_are_not_scored(write):
    table = read_annotations(write(point(label="uncertain_metal_site")))
    assert table["scored"].tolist() == [False]


def test_a_line_becomes_wkt_and_lies_at_its_centre_of_mass(write):
    line = {"label": "grain_boundary", "kind": "polyline", "points": [[0, 10], [30, 10], [30, 20.5]]}
    row = read_annotations(write({"objects": [line]})).iloc[0]
    assert row["path"] == "LINESTRING (0 10, 30 10, 30 20.5)"
    assert row["x"] == pytest.approx((30 * 15 + 10.5 * 30) / 40.5)
    assert row["y"] == pytest.approx((30 * 10 + 10.5 * 15.25) / 40.5)


def test_a_line_without_length_lies_where_its_points_are(write):
    line = {"label": "grain_boundary", "points": [[7, 8], [7, 8]]}
    assert read_annotations(write({"objects": [line]}))[["y", "x"]].values.tolist() == [[8, 7]]


def test_no_objects_are_an_empty_table_of_the_usual_types(write):
    empty, full = read_annotations(write({"objects": []})), read_annotations(write(point()))
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("II*\x00", "a label file must be JSON, got labels.json"),
        ("", "a label file must be JSON"),
        ("[" * 100_000, "a label file must be JSON"),
        ([1, 2], 'must hold a list "objects", got none in labels.json'),
        ({"objects": {"x": 1}}, 'must hold a list "objects"'),
        ({"objects": [5]}, 'every object must have a "label", got none in object 0 of labels.json'),
        (point(label=None), 'every object must have a "label"'),
        (point(label="Se_vacany"), r"got 'Se_vacany' in object 0 of labels.json \(nearest: Se_vacancy\)"),
        (point(x="3"), "\"x\" must be a finite number .px., got '3'"),
        (point(y=None), '"y" must be a finite number .px., got None'),
        (point(y=True), '"y" must be a finite number'),
        (point(y=float("nan")), '"y" must be a finite number .px., got nan'),
        (point(points=[[1, 2]]), '"points" must be at least two pairs'),
        (point(points=[[1, 2], [3]]), r'"points" must be pairs \[x, y\], got \[3\] in object 0'),
        (point(points=[[1, 2], [3, float("inf")]]), '"y" must be a finite number'),
    ],
)
def test_a_bad_label_file_is_refused_in_one_sentence(write, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read_annotations(write(content))
    assert "\n" not in str(caught.value)


def test_a_missing_label_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must be readable, got none.json: No such file"):
        read_annotations(tmp_path / "none.json")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "labels.json"
    path.write_bytes(b"\xff\xfe\x80\x81")
    with pytest.raises(InputError, match="must be JSON"):
        read_annotations(path)


def test_patches_of_a_label_map_become_points_at_their_centres(tmp_path):
    values = np.zeros((40, 50), dtype=np.uint8)
    values[10:13, 20:25] = 1
    values[13:16, 20:25] = 4
    values[30:33, 3:6] = 4
    np.save(tmp_path / "truth.npy", values)
    table = read_label_map(tmp_path / "truth.npy", words=WORDS)
    assert table[["y", "x", "label"]].values.tolist() == [
        [11, 22, "W"],
        [14, 22, "Se_vacancy"],
        [31, 4, "Se_vacancy"],
    ]


def test_a_value_without_a_word_is_refused(tmp_path):
    np.save(tmp_path / "truth.npy", np.eye(16) * 7)
    with pytest.raises(InputError, match=r"got 7 in truth.npy \(known: 1, 2, 3, 4, 5\)"):
        read_label_map(tmp_path / "truth.npy", words=WORDS)


def test_the_labels_of_the_real_images_are_all_read(data):
    n = {path.parent.name: len(read_annotations(path)) for path in sorted(data.glob("*/labels.json"))}
    assert (n["wse2_ti_25"], n["wse2_cr_9"], n["wse2_v_7795"], n["au_grain_boundary"]) == (7821, 3478, 131, 8)


def test_the_painted_truth_of_the_simulated_image_holds_its_columns(data):
    table = read_label_map(data / "wse2_v_sim0" / "truth.tif", words=WORDS)
    assert table["label"].value_counts().to_dict() == {
        "W": 833,
        "Se2": 746,
        "Se_vacancy": 168,
        "V_on_W": 91,
        "Se2_vacancy": 10,
    }


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({}, ()),
        ({"image": "a.tif"}, ("a.tif",)),
        ({"image": ["a.tif", "b.tif"]}, ("a.tif", "b.tif")),
        ({"image": {"file": 1}}, ()),
        ({"image": ""}, ()),
    ],
)
def test_a_label_file_says_which_images_it_belongs_to(write, said, names):
    assert labelled_images(write(point() | said)) == names
