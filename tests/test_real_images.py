"""What the main job must show on images of real microscopes; they are read where ANTISITE_DATA says."""

import math
import os
from pathlib import Path

import pytest

import antisite
from antisite.errors import NoLatticeError
from antisite.evaluate.scores import ANY_DEFECT, Scores, evaluate_result
from antisite.io.annotations import read_annotations

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
        nn=result.summary["nn"],
        a=math.sqrt(result.summary["lattice"]["cell_area"]),
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
def test_two_grains_are_said_to_be_more_than_one_lattice(name):
    result = antisite.find_defects(antisite.read_image(data(name)))
    assert result.summary["n_domains"] > 1
    assert any(w.startswith("more than one lattice: ") for w in result.summary["warnings"])
