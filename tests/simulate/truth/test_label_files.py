import json
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from antisite import read_image
from antisite.defects import KINDS
from antisite.errors import InputError, OutputError
from antisite.image import Image
from antisite.io.annotations import labelled_images, read_annotations
from antisite.simulate.extended_defects.boundaries import tilt_boundary
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.label_files import (
    LABEL_KINDS,
    coco_labels,
    write_coco,
    write_tiff_json,
    write_yolo,
    yolo_text,
)
from antisite.simulate.truth.oriented_boxes import box_corners, oriented_boxes

SHAPE = (160, 200)


@pytest.fixture(scope="module")
def labelled():
    """An image of a boundary, with point defects said to be on some sites."""
    laid = lay_sketch("fe100", shape=SHAPE, pixel_size=0.25, rotation=0.3, rng=1)
    image, truth = sketch_scene(tilt_boundary(laid, 0.3, direction=0.8), dose=1e4, rng=0)
    truth.sites.loc[::17, "kind"] = "vacancy"
    truth.sites.loc[5::17, "kind"] = "substitution"
    return image, truth


def random_boxes(n=50):
    rng = np.random.default_rng(0)
    boxes = pd.DataFrame(rng.uniform((60, 60), (900, 1900), (n, 2)), columns=["y", "x"])
    width = rng.uniform(3, 40, n)
    return boxes.assign(
        kind=rng.choice(LABEL_KINDS, n), length=width + 20, width=width, angle=rng.uniform(0, math.pi, n)
    )


def read_yolo(text, shape):
    values = np.array([line.split() for line in text.splitlines()], dtype=float).reshape(-1, 9)
    corners = values[:, 1:].reshape(-1, 4, 2) * shape[::-1] - 0.5
    return [LABEL_KINDS[int(i)] for i in values[:, 0]], corners[..., ::-1], values[:, 1:]


def test_corners_come_back_within_half_a_hundredth_of_a_pixel():
    boxes, shape = random_boxes(), (1024, 2048)
    kinds, corners, _ = read_yolo(yolo_text(boxes, shape=shape), shape)
    assert kinds == boxes["kind"].tolist()
    np.testing.assert_allclose(corners, box_corners(boxes), atol=0.005)


def test_the_first_pixel_lies_half_a_pixel_from_the_rim():
    box = pd.DataFrame(
        {"y": [0.0], "x": [4.0], "length": [1.0], "width": [1.0], "angle": [0.0], "kind": "hole"}
    )
    box["kind"] = "vacancy"
    assert yolo_text(box, shape=(10, 20)).split()[1:] == [
        f"{v:.6f}" for v in (0.2, 0, 0.25, 0, 0.25, 0.1, 0.2, 0.1)
    ]


def test_yolo_files_are_valid_and_have_a_label_for_each_defect(tmp_path, labelled):
    image, truth = labelled
    write_yolo([("a", image, truth), ("b", image, truth)], tmp_path)
    kinds, _, shares = read_yolo((tmp_path / "labels" / "b.txt").read_text(), SHAPE)
    assert kinds == oriented_boxes(truth)["kind"].tolist()
    assert {"vacancy", "substitution", "grain_boundary"} == set(kinds)
    assert (shares >= 0).all()
    assert (shares <= 1).all()
    with Picture.open(tmp_path / "images" / "b.png") as picture:
        assert (picture.size, picture.mode) == (SHAPE[::-1], "L")
        assert picture.getextrema() == (0, 255)
    names = (tmp_path / "kinds.txt").read_text().split()
    assert set(names) <= set(KINDS)
    text = (tmp_path / "dataset.yaml").read_text()
    assert [line.split(": ")[1] for line in text.splitlines() if line.startswith("  ")] == names


def test_coco_keeps_box_polygon_and_angle(tmp_path, labelled):
    image, truth = labelled
    write_coco([("a", image, truth), ("b", image, truth)], tmp_path)
    labels = json.loads((tmp_path / "annotations.json").read_text())
    boxes = oriented_boxes(truth)
    assert [head["file_name"] for head in labels["images"]] == ["a.png", "b.png"]
    assert len({item["id"] for item in labels["annotations"]}) == 2 * len(boxes)
    own = [item for item in labels["annotations"] if item["image_id"] == 2]
    names = {kind["id"]: kind["name"] for kind in labels["categories"]}
    assert [names[item["category_id"]] for item in own] == boxes["kind"].tolist()
    np.testing.assert_allclose([item["angle"] for item in own], boxes["angle"], atol=1e-5)
    np.testing.assert_allclose(
        [item["box"] for item in own], boxes[["x", "y", "length", "width"]] + [0.5, 0.5, 0, 0], atol=0.002
    )
    for item in own:
        polygon = np.reshape(item["segmentation"][0], (-1, 2))
        assert (polygon >= 0).all()
        assert (polygon <= SHAPE[::-1]).all()
        np.testing.assert_allclose(item["bbox"], [*polygon.min(axis=0), *np.ptp(polygon, axis=0)], atol=0.002)


def test_the_area_of_a_whole_box_is_length_times_width():
    boxes = random_boxes()
    labels = coco_labels([("a.png", (1024, 2048), boxes)])["annotations"]
    np.testing.assert_allclose([item["area"] for item in labels], boxes["length"] * boxes["width"], atol=0.01)


def test_tiff_and_json_are_read_by_antisite(tmp_path, labelled):
    image, truth = labelled
    write_tiff_json([("a", image, truth)], tmp_path)
    seen = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(seen.pixels, image.pixels)
    assert seen.pixel_size == pytest.approx(0.25, rel=1e-4)
    table = read_annotations(tmp_path / "a.truth.json")
    assert len(table) == len(truth.sites) + 1
    line = table[table["path"] != ""].iloc[0]
    ends = truth.lines[0].path[[0, -1]]
    assert line["kind"] == "grain_boundary"
    np.testing.assert_allclose(line[["y", "x"]].astype(float), ends.mean(axis=0), atol=0.02)
    assert labelled_images(tmp_path / "a.truth.json") == ("a.tif",)


def test_two_detectors_are_two_files_of_one_truth(tmp_path, labelled):
    image, truth = labelled
    both = Image(np.stack([image.pixels, -image.pixels]), pixel_size=0.25)
    write_tiff_json([("a", both, truth)], tmp_path)
    assert labelled_images(tmp_path / "a.truth.json") == ("a_1.tif", "a_2.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a_2.tif").pixels, -image.pixels)


@pytest.mark.parametrize("write", [write_yolo, write_coco, write_tiff_json])
def test_the_same_images_make_the_same_bytes(tmp_path, labelled, write):
    for folder in ("one", "two"):
        write([("a", *labelled)], tmp_path / folder)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) >= 2
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_an_interrupted_run_leaves_whole_files_and_no_list_of_them(tmp_path, labelled):
    def broken():
        yield ("a", *labelled)
        raise KeyboardInterrupt

    for write, last in ((write_yolo, "dataset.yaml"), (write_coco, "annotations.json")):
        with pytest.raises(KeyboardInterrupt):
            write(broken(), tmp_path / last)
        assert (tmp_path / last / "images" / "a.png").exists()
        assert not (tmp_path / last / last).exists()
        assert not list((tmp_path / last).rglob("*.partial"))


def test_what_cannot_be_written_is_refused(tmp_path, labelled):
    with pytest.raises(InputError, match="a file name of its own"):
        write_yolo([("a", *labelled), ("a", *labelled)], tmp_path)
    with pytest.raises(InputError, match="without folders"):
        write_coco([("../a", *labelled)], tmp_path)
    with pytest.raises(InputError, match="kind in a label file must be one of"):
        yolo_text(random_boxes(1).assign(kind="hole"), shape=(9, 9))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_tiff_json([("a", *labelled)], tmp_path / "file")
