"""What the main job must show on images of real microscopes; they are read where ANTISITE_DATA says."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

import antisite
from antisite.errors import NoLatticeError
from antisite.evaluate.lines import score_cores, score_lines
from antisite.evaluate.scores import ANY_DEFECT, Scores, evaluate_result
from antisite.io.annotations import read_annotations
from antisite.result import Result
from antisite.run.settings import Settings

pytestmark = pytest.mark.skipif(
    "ANTISITE_DATA" not in os.environ, reason="ANTISITE_DATA names no folder of real images"
)


def data(name: str) -> Path:
    return Path(os.environ["ANTISITE_DATA"]) / name


def scores(folder: str, first: str, second: str = "") -> Scores:
    image = antisite.read_image(data(folder) / first, also=data(folder) / second if second else None)
    result = antisite.find_defects(image)
    return evaluate_result(
        result.sites,
        result.defects,
        read_annotations(data(folder) / "labels.json"),
        nn=result.nearest,
        a=math.sqrt(result.grains[0]["lattice"]["cell_area"]),
        shape=image.shape,
    )


@pytest.mark.parametrize("name", ["srtio3.ser", "batio3.dm4"])
def test_perfect_crystal_has_at_most_one_flag(name):
    result = antisite.find_defects(antisite.read_image(data("perfect") / name))
    assert len(result.sites) > 100
    assert len(result.defects) <= 1


def test_atoms_on_carbon_are_no_crystal():
    image = antisite.read_image(data("not_a_crystal") / "pt_on_carbon.tif")
    with pytest.raises(NoLatticeError, match=r"^no lattice found: "):
        antisite.find_defects(image)


def test_defects_of_vanadium_doped_wse2_are_found():
    found = scores("wse2_v_7795", "ADF.tif")
    assert found.roc[ANY_DEFECT].value >= 0.9995
    assert found.detection.f1.value >= 0.995


def test_defects_of_titanium_doped_wse2_are_found_by_two_detectors():
    assert scores("wse2_ti_25", "ADF1.dm4", "ADF2.dm4").roc[ANY_DEFECT].value >= 0.9995


def test_defects_of_chromium_doped_wse2_are_found():
    found = scores("wse2_cr_9", "ADF2.npy")
    assert found.roc[ANY_DEFECT].value >= 0.998
    assert found.detection.f1.value >= 0.95


@pytest.mark.parametrize(
    "name", ["fe_grain_boundary/HAADF.npy", "au_grain_boundary/HAADF.png", "cdte_lower_half/HAADF.tif"]
)
def test_each_of_two_grains_has_its_own_sites_and_hardly_a_flag(name):
    result = antisite.find_defects(antisite.read_image(data(name)))
    assert result.summary["n_domains"] == 2
    assert set(result.sites.loc[result.sites["z"].notna(), "grain"]) == {0, 1}
    assert (result.defects["method"] != "planar").sum() <= 3


def look(*names: str) -> Result:
    """The search for lines, without the self-check."""
    first, *also = (data(name) for name in names)
    image = antisite.read_image(first, also=also[0] if also else None)
    return antisite.find_defects(image, settings=Settings(self_check=False))


def labelled(folder: str, kind: str) -> list[np.ndarray]:
    """Points (y, x) px of each polyline or point."""
    objects = json.loads((data(folder) / "labels.json").read_text(encoding="utf-8"))["objects"]
    found = [one.get("points", [[one.get("x"), one.get("y")]]) for one in objects if one["kind"] == kind]
    return [np.array(points, dtype=float)[:, ::-1] for points in found]


@pytest.mark.parametrize(
    ("folder", "file", "kind", "near"),
    [
        ("au_grain_boundary", "HAADF.png", "grain_boundary", 0.15),
        ("fe_grain_boundary", "HAADF.npy", "grain_boundary", 0.4),
        ("cdte_lower_half", "HAADF.tif", "twin_boundary", 0.4),
    ],
)
def test_the_boundary_is_found_where_it_was_annotated_and_no_other(folder, file, kind, near):
    result = look(f"{folder}/{file}")
    (line,) = result.summary["planar"]["boundaries"]
    a = math.sqrt(result.grains[0]["lattice"]["cell_area"])
    found = score_lines([np.array(line["path"])[:, ::-1]], labelled(folder, "polyline"), within=1.5 * a)
    assert line["kind"] == kind
    assert found.covered >= 0.95
    assert found.median <= near * a


def test_the_seven_cores_of_the_gold_boundary_are_found():
    result = look("au_grain_boundary/HAADF.png")
    cores = result.summary["planar"]["dislocations"]
    true = np.concatenate(labelled("au_grain_boundary", "point"))
    found = score_cores([[core["y"], core["x"]] for core in cores], true, within=10)
    assert len(found.pairs) == len(true) == 7
    assert found.n_false <= 2


@pytest.mark.parametrize(
    "names",
    [
        ("perfect/srtio3.ser",),
        ("perfect/batio3.dm4",),
        ("wse2_cr_9/ADF2.npy",),
        ("wse2_ti_25/ADF1.dm4", "wse2_ti_25/ADF2.dm4"),
        ("wse2_v_7795/ADF.tif",),
        ("unlabelled/mos2_contaminated.npy",),
        ("unlabelled/mos2_se_implanted.dm3",),
    ],
    ids=lambda names: names[0].split("/")[-2 if names[0].startswith("wse2") else -1],
)
def test_dirt_holes_and_doped_sheets_hold_no_line_and_no_dislocation(names):
    result = look(*names)
    planar = result.summary["planar"]
    assert result.summary["n_domains"] == 1
    assert (planar["boundaries"], planar["dislocations"]) == ([], [])
