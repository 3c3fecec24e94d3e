import math

import numpy as np
import pandas as pd
import pytest

from antisite.errors import InputError
from antisite.simulate.extended_defects.dislocations import faulted_pair
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.lines import TrueCore, TrueLine
from antisite.simulate.truth.oriented_boxes import box_corners, box_round, clip_polygon, oriented_boxes
from antisite.simulate.truth.truth import Truth, scene_truth

CELL = np.diag([10.0, 10.0])


def truth(*, lines=(), cores=(), kinds=(), spacing=8.0):
    sites = pd.DataFrame({"y": 5.0, "x": 7.0, "kind": list(kinds)}).astype({"kind": "str"})
    return Truth(sites, cell=CELL, spacing=spacing, lines=tuple(lines), cores=tuple(cores))


def straight(angle, *, length=60.0, at=(50.0, 50.0)):
    along = np.array([math.sin(angle), math.cos(angle)])
    return np.array(at) + np.linspace(-0.5, 0.5, 61)[:, None] * length * along


def test_the_box_of_a_point_is_a_square_of_one_spacing():
    boxes = oriented_boxes(truth(kinds=["vacancy", "none", "antisite"]))
    assert boxes["kind"].tolist() == ["vacancy", "antisite"]
    np.testing.assert_array_equal(boxes.iloc[0, 1:].astype(float), [5, 7, 8, 8, 0])


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.5, math.pi / 2, 2.8, 3.2])
def test_the_box_of_a_line_lies_along_it(angle):
    box = oriented_boxes(truth(lines=[TrueLine(kind="stacking_fault", path=straight(angle))])).iloc[0]
    assert 0 <= box["angle"] < math.pi
    assert math.sin(box["angle"] - angle) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(box[["y", "x", "length", "width"]].astype(float), [50, 50, 60, 40])


def test_a_line_shorter_than_its_box_is_wide_is_turned():
    box = oriented_boxes(truth(lines=[TrueLine(kind="stacking_fault", path=straight(0.0, length=20))])).iloc[
        0
    ]
    np.testing.assert_allclose(box[["length", "width", "angle"]].astype(float), [40, 20, math.pi / 2])


def test_a_curved_line_lies_within_its_box():
    turn = np.linspace(0, 1.0, 200)
    path = 80 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    y, x, length, width, angle = box_round(path, margin=4.0)
    assert angle == pytest.approx((0.5 + math.pi / 2), abs=1e-3)  # across the middle of the arc
    assert length == pytest.approx(2 * 80 * math.sin(0.5), rel=1e-3)
    assert width == pytest.approx(4 + 80 * (1 - math.cos(0.5)), rel=1e-3)
    off = path - (y, x)
    across = off @ [math.cos(angle), -math.sin(angle)]
    assert np.abs(across).max() <= (width - 4) / 2 + 1e-9


def test_the_box_does_not_depend_on_how_dense_the_path_is():
    path = np.array([[0.0, 0.0], [10.0, 30.0], [12.0, 80.0]])
    dense = np.vstack([np.linspace(path[0], path[1], 500), np.linspace(path[1], path[2], 11)[1:]])
    np.testing.assert_allclose(box_round(dense), box_round(path), atol=1e-6)


def test_corners_are_as_far_apart_as_the_box_is_long_and_wide():
    boxes = pd.DataFrame({"y": [5.0], "x": [9.0], "length": [6.0], "width": [2.0], "angle": [0.7]})
    corners = box_corners(boxes)[0]
    np.testing.assert_allclose(np.hypot(*np.diff(corners, axis=0).T), [6, 2, 6])
    np.testing.assert_allclose(corners.mean(axis=0), [5, 9])
    y, x = corners[1] - corners[0]
    assert math.atan2(y, x) == pytest.approx(0.7)


def test_what_is_clipped_lies_in_the_frame_and_loses_only_what_lay_outside():
    corners = box_corners(
        pd.DataFrame({"y": [5.0], "x": [2.0], "length": [30.0], "width": [10.0], "angle": [0.6]})
    )[0]
    part = clip_polygon(corners, shape=(40, 40))
    assert (part >= -0.5).all()
    assert len(part) == 5
    assert len(clip_polygon(corners + 100, shape=(40, 40))) == 0
    np.testing.assert_array_equal(
        np.sort(clip_polygon(corners + 20, shape=(400, 400)), axis=0), np.sort(corners + 20, axis=0)
    )


def test_boxes_of_a_scene_belong_to_what_is_in_it():
    laid = lay_sketch("au110", shape=(300, 300), px_per_cell=12.0, rotation=0.3, rng=1)
    seen = sketch_scene(faulted_pair(laid, (0, 1 / 3), (0, 1), length=110), rng=0)[1]
    boxes = oriented_boxes(seen)
    assert boxes["kind"].tolist() == ["stacking_fault", "dislocation", "dislocation"]
    fault = boxes.iloc[0]
    assert (fault["length"], fault["width"]) == pytest.approx((110, 48))
    run = np.array([0, 1]) @ laid.cell
    assert math.sin(fault["angle"] - math.atan2(*run)) == pytest.approx(0, abs=1e-6)
    assert boxes["length"].iloc[1] == pytest.approx(4.08 * math.sqrt(3 / 8) / laid.pixel_size)


def test_nothing_wrong_is_an_empty_table_of_the_usual_fields():
    boxes = oriented_boxes(scene_truth(lay_sketch("fe100", shape=(50, 50), rng=1)))
    assert len(boxes) == 0
    assert list(boxes) == ["kind", "y", "x", "length", "width", "angle"]
    assert boxes["y"].dtype == float
    assert box_corners(boxes).shape == (0, 4, 2)


def test_a_box_needs_to_know_how_far_apart_columns_are():
    with pytest.raises(InputError, match="needs the spacing"):
        oriented_boxes(truth(cores=[TrueCore(position=(1, 1), burgers=(1, 0))], spacing=math.nan))
