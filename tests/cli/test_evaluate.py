import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from antisite.cli.evaluate import score_table, scores_as_json
from antisite.cli.main import app
from antisite.defects import defect_table
from antisite.evaluate.scores import evaluate_result
from antisite.image import Image
from antisite.io.results import write_result
from antisite.result import Result

run = CliRunner().invoke


@pytest.fixture
def folder(tmp_path):
    """A result of a square lattice, 20 px, with a right, a wrong and a missing flag."""
    y, x = (axis.ravel() for axis in np.meshgrid(np.arange(10.0, 200, 20), np.arange(10.0, 200, 20)))
    kind = np.full(100, "none", dtype=object)
    kind[[22, 44]] = "vacancy", "dim_site"
    score = np.where(kind == "none", 1.0, 9.0)
    sites = defect_table({"y": y, "x": x, "kind": kind, "score": score, "sublattice": "A"})
    summary = {
        "lattice_found": True,
        "reason": "",
        "grains": [{"nn": 20.0, "lattice": {"cell_area": 400.0}}],
        "shape": [200, 200],
        "pixel_size": 0.1,
        "image": "field.tif",
    }
    result = Result(
        image=Image(np.zeros((200, 200))),
        sites=sites,
        defects=sites[kind != "none"].reset_index(drop=True),
        summary=summary,
    )
    write_result(result, tmp_path / "result")
    return tmp_path / "result"


@pytest.fixture
def labels(tmp_path):
    objects = [
        {"y": 52, "x": 50, "label": "Se2_vacancy"},
        {"y": 130, "x": 70, "label": "Cr_on_W"},
        {"y": 170, "x": 170, "label": "uncertain_metal_site"},
    ]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"objects": objects}), encoding="utf-8")
    return path


def test_scores_are_printed_with_intervals_and_counts(folder, labels):
    outcome = run(app, ["evaluate", str(folder), "--truth", str(labels)], env={"COLUMNS": "120"})
    assert outcome.exit_code == 0
    for words in (
        "precision",
        "0.500",
        "95 % interval",
        "any defect",
        "Cr_on_W",
        "kind named",
        "position error, median, Å",
    ):
        assert words in outcome.stdout
    assert "63 sites scored: 1 defects found, 1 missed, 1 false." in outcome.stdout
    assert "36 near the frame, 1 uncertain" in outcome.stdout


def test_json_holds_the_same_numbers_as_python(folder, labels):
    outcome = run(app, ["evaluate", str(folder), "--truth", str(labels), "--json"])
    scores = json.loads(outcome.stdout)
    assert scores["detection"]["f1"]["value"] == 0.5
    assert scores["detection"]["f1"]["n"] == 3
    assert scores["confusion"]["Se2_vacancy"]["vacancy"] == 1
    assert scores["localisation"]["median"]["value"] == 2.0
    assert scores["localisation"]["p95"]["high"] is None
    assert scores["n_left_out"]["uncertain"] == 1


def test_numbers_that_are_unknown_become_null():
    truth = pd.DataFrame({"y": [], "x": [], "label": [], "kind": [], "path": [], "scored": []}).astype(
        {"label": "str", "kind": "str", "path": "str", "scored": bool}
    )
    scores = evaluate_result(defect_table(), defect_table(), truth, nn=1, a=1, shape=(9, 9))
    assert json.loads(json.dumps(scores_as_json(scores), allow_nan=False))["pixel_size"] is None
    assert "–" in list(score_table(scores).columns[1].cells)


def test_a_missing_folder_or_label_file_ends_with_status_1(folder, labels, tmp_path):
    no_folder = run(app, ["evaluate", str(tmp_path / "nowhere"), "--truth", str(labels)])
    no_labels = run(app, ["evaluate", str(folder), "--truth", str(tmp_path / "none.json")])
    assert (no_folder.exit_code, no_labels.exit_code) == (1, 1)
    assert "a label file must be readable, got none.json" in no_labels.stderr


def test_truth_is_required(folder):
    assert run(app, ["evaluate", str(folder)]).exit_code == 2


def test_a_result_without_a_lattice_ends_with_status_3(labels, tmp_path):
    result = Result(
        image=Image(np.zeros((9, 9))), summary={"lattice_found": False, "reason": "no periodicity"}
    )
    write_result(result, tmp_path / "empty")
    outcome = run(app, ["evaluate", str(tmp_path / "empty"), "--truth", str(labels)])
    assert outcome.exit_code == 3
    assert "got none in empty: no periodicity" in outcome.stderr


def test_a_result_that_lost_its_lattice_is_refused(folder, labels):
    path = folder / "result.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    del summary["grains"][0]["nn"]
    path.write_text(json.dumps(summary), encoding="utf-8")
    outcome = run(app, ["evaluate", str(folder), "--truth", str(labels)])
    assert outcome.exit_code == 1
    assert "a result must hold its lattice and shape to be scored" in outcome.stderr


def relabel(labels, **head):
    labels.write_text(json.dumps(json.loads(labels.read_text()) | head), encoding="utf-8")


@pytest.mark.parametrize("image", ["field.tif", ["other.tif", "field.dm4"], None])
def test_labels_of_the_same_image_need_no_warning(folder, labels, image):
    relabel(labels, image=image)
    assert run(app, ["evaluate", str(folder), "--truth", str(labels)]).stderr == ""


def test_labels_of_another_image_are_scored_with_a_warning(folder, labels):
    relabel(labels, image=["ADF1.dm4", "ADF2.dm4"])
    outcome = run(app, ["evaluate", str(folder), "--truth", str(labels), "--json"])
    assert outcome.exit_code == 0
    assert json.loads(outcome.stdout)["n_scored"] == 63
    assert outcome.stderr == (
        "antisite: warning: the labels in labels.json belong to ADF1.dm4, ADF2.dm4, "
        "and the result to field.tif\n"
    )


def test_labels_of_lines_alone_leave_nothing_to_score(folder, labels):
    relabel(labels, objects=[{"label": "twin_boundary", "points": [[0, 0], [9, 9]]}])
    outcome = run(app, ["evaluate", str(folder), "--truth", str(labels)])
    assert outcome.exit_code == 1
    assert "must hold points (x, y) to be scored, got only lines in labels.json" in outcome.stderr


def test_help_speaks_of_scores():
    told = run(app, ["evaluate", "--help"], env={"COLUMNS": "120"}).stdout
    assert "Print the scores as JSON" in told
    assert "all inputs" not in told
