import json
import math
from dataclasses import replace

import numpy as np
import pytest

from antisite.detect.planar_defects import PlanarDefect
from antisite.detect.planar_kinds import PlanarKind
from antisite.run.crystal_search import find_specimen
from antisite.run.planar_summary import summarise_planar
from antisite.simulate.extended_defects.boundaries import fault
from antisite.simulate.extended_defects.dislocations import Dislocation, add_dislocations
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (256, 288)
SIZE = 0.25  # Å/px


@pytest.fixture(scope="module")
def specimen():
    perfect = lay_sketch("fe100", shape=SHAPE, px_per_cell=12.0, rotation=0.3, rng=1)
    core = Dislocation(position=(128.0, 80.0), burgers=(1.0, 0.0))
    laid = fault(add_dislocations(perfect, [core]), (0.0, 0.5), (0, 1), at=(128.0, 200.0))
    image = sketch_scene(laid, dose=3e5, rng=2)[0]
    return find_specimen(image.channels, image.mask)


@pytest.fixture(scope="module")
def perfect(specimen):
    return replace(specimen, lines=(), dislocations=())


def tell(specimen, *, corner=(0, 0), pixel_size=SIZE, first_id=50):
    return summarise_planar(specimen, corner=np.array(corner), pixel_size=pixel_size, first_id=first_id)


def test_it_fits_into_json(specimen):
    told = tell(specimen)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_ids_are_those_of_the_table(specimen):
    told = tell(specimen)
    assert [one["id"] for one in told["boundaries"]] == [50]
    assert [one["id"] for one in told["dislocations"]] == [51]
    assert told["dislocations"][0]["boundary"] is None


def test_a_fault_has_its_displacement_and_no_misorientation_error(specimen):
    (line,) = tell(specimen)["boundaries"]
    assert line["kind"] == "antiphase_boundary"
    assert line["misorientation"] == 0
    assert line["misorientation_sd"] is None
    assert sorted(np.abs(line["shift"])) == pytest.approx([0, 0.5], abs=0.03)
    assert sorted(line["grains"]) == [0, 1]
    assert line["length_nm"] == pytest.approx(line["length"] * SIZE / 10)


def test_paths_are_x_y_in_the_whole_image(specimen):
    here, there = (tell(specimen, corner=at) for at in ((0, 0), (7, 3)))
    first, second = (np.array(told["boundaries"][0]["path"]) for told in (here, there))
    np.testing.assert_allclose(second - first, [[3, 7]] * len(first))
    np.testing.assert_allclose(first[:, ::-1], specimen.lines[0].path)
    assert there["dislocations"][0]["x"] == here["dislocations"][0]["x"] + 3


def test_a_burgers_vector_is_told_in_three_units_that_agree(specimen):
    (core,) = tell(specimen)["dislocations"]
    vector = np.array(core["burgers"]) @ specimen.crystals[core["grain"]].lattice.vectors
    np.testing.assert_allclose(vector, core["burgers_px"][::-1], rtol=0.02, atol=0.1)
    np.testing.assert_allclose(core["burgers_A"], np.multiply(core["burgers_px"], SIZE))
    assert not core["partial"]


def test_densities_are_numbers_over_the_area_of_the_crystal(specimen):
    told = tell(specimen)
    area = (specimen.domains >= 0).sum() * (SIZE / 10) ** 2
    assert told["dislocation_density"]["n"] == told["fault_density"]["n"] == 1
    assert told["dislocation_density"]["value"] == pytest.approx(1 / area)
    assert told["length_density"]["value"] == pytest.approx(told["boundaries"][0]["length_nm"] / area)
    assert (told["length_density"]["unit"], told["dislocation_density"]["unit"]) == ("1/nm", "1/nm2")


def test_intervals_are_those_of_a_poisson_count(specimen):
    density = tell(specimen)["dislocation_density"]
    assert density["low"] == pytest.approx(0.0253 * density["value"], rel=0.01)  # of a count of 1
    assert density["high"] == pytest.approx(5.572 * density["value"], rel=0.01)


def test_where_nothing_was_found_the_most_there_may_be_is_told(perfect):
    told = tell(perfect)
    assert told["boundaries"] == told["dislocations"] == told["warnings"] == []
    for name in ("length_density", "dislocation_density", "fault_density"):
        assert told[name]["value"] == told[name]["low"] == 0
        assert told[name]["high"] > 0


def test_without_a_scale_lengths_are_in_pixels(specimen):
    told = tell(specimen, pixel_size=None)
    assert told["boundaries"][0]["length_nm"] is None
    assert told["dislocations"][0]["burgers_A"] is None
    assert told["dislocations"][0]["burgers_px"] is not None
    assert told["length_density"]["unit"] == "1/px"


def straight(angle, *, turned=0.0, shift=(0.3, 0.0)):
    path = np.array([[128.0, 0.0], [128.0 + 287 * math.tan(angle), 287.0]])
    kind = PlanarKind(kind="planar_defect", misorientation=turned)
    return PlanarDefect(kind=kind, path=path, sd=0.5, cell=12.0, shift=np.array(shift))


def test_a_line_along_a_row_of_pixels_may_be_the_scan_and_this_is_said(perfect):
    row, tilted = (tell(replace(perfect, lines=(straight(a),)))["warnings"] for a in (0.0, 0.1))
    assert "the line with id 50 follows a row of pixels" in row[0]
    assert tilted == []
    between_grains = straight(0.0, turned=0.2, shift=(math.nan, math.nan))
    assert tell(replace(perfect, lines=(between_grains,)))["warnings"] == []


def test_what_no_turn_explains_is_null(perfect):
    (line,) = tell(replace(perfect, lines=(straight(0.1, turned=math.nan, shift=(math.nan, math.nan)),)))[
        "boundaries"
    ]
    assert line["misorientation"] is None
    assert line["shift"] is None
