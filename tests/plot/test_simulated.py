from __future__ import annotations

import numpy as np
import pandas as pd

from antisite.conditions import Conditions, Detector
from antisite.image import Image
from antisite.plot.simulated import plot_truth, simulated_png, true_defects, truth_handles
from antisite.simulate.truth.lines import TrueCore, TrueLine
from antisite.simulate.truth.truth import Truth

SITES = pd.DataFrame(
    {
        "y": [10.0, 20.0, 30.0, 40.0],
        "x": [15.0, 25.0, 35.0, 45.0],
        "kind": ["none", "substitution", "substitution", "partial_vacancy"],
        "species": ["W", "V", "Mo", ""],
        "sublattice": ["A", "A", "A", "B"],
    }
)
LINE = TrueLine(kind="twin_boundary", path=np.array([[5.0, 0.0], [5.0, 60.0]]))
TRUTH = Truth(
    SITES, spacing=9.0, lines=(LINE,), cores=(TrueCore(position=(7.0, 8.0), burgers=(1, 0), partial=False),)
)
IMAGE = Image(
    np.random.default_rng(1).random((2, 50, 64)),
    pixel_size=0.2,
    conditions=Conditions(detectors=(Detector(inner=70, outer=200), Detector(inner=40, outer=60))),
)


def test_every_true_defect_is_marked_where_it_is() -> None:
    ax = plot_truth(IMAGE, TRUTH)
    marks = {one.get_gid(): one for one in ax.collections if one.get_gid()}
    assert set(marks) == {"substitution", "partial_vacancy", "twin_boundary", "dislocation"}
    shapes = marks["substitution"].get_paths()
    centres = sorted(path.vertices[:-1].mean(axis=0).round(3).tolist() for path in shapes)
    assert centres == [[25.0, 20.0], [35.0, 30.0]]


def test_the_legend_names_kinds_elements_and_counts() -> None:
    labels = [handle.get_label() for handle in truth_handles(TRUTH)]
    assert labels == ["partial vacancy  1", "substitutions (V, Mo)  2", "twin boundary  1", "dislocation  1"]
    assert [handle.get_label() for handle in truth_handles(Truth(SITES[:1]))] == ["no defects"]


def test_of_many_elements_three_are_named() -> None:
    many = pd.concat([SITES[1:2]] * 4, ignore_index=True).assign(species=["V", "Cr", "Ti", "Mo"])
    assert [handle.get_label() for handle in truth_handles(Truth(many))] == [
        "substitutions (V, Cr, Ti, …)  4"
    ]


def test_points_lines_and_cores_are_rows_of_one_table() -> None:
    table = true_defects(TRUTH)
    assert table["id"].tolist() == list(range(5))
    assert table.loc[table["kind"] == "twin_boundary", "path"].tolist() == ["LINESTRING (0 5, 60 5)"]
    assert true_defects(Truth(SITES[:1])).empty


def test_the_picture_has_a_panel_for_each_detector_and_the_same_bytes_again() -> None:
    import io

    from PIL import Image as Picture

    content = simulated_png(IMAGE, TRUTH, longest=300)
    assert content == simulated_png(IMAGE, TRUTH, longest=300)
    one = Image(IMAGE.pixels, pixel_size=0.2)
    wide, narrow = (
        Picture.open(io.BytesIO(c)).width for c in (content, simulated_png(one, TRUTH, longest=300))
    )
    assert wide > 1.9 * narrow
    assert narrow == 300
