import math
import re
from dataclasses import replace

import pytest

from antisite.defects import defect_table
from antisite.run.report import report_html
from antisite.run.report.densities import density_rows
from antisite.run.report.gallery import gallery_html
from antisite.run.report.image import image_html
from antisite.run.report.methods import methods_text
from antisite.run.report.overview import overview_html
from antisite.run.report.planar import density_words, how_dense, planar_html, planar_words
from antisite.run.report.planar_tables import boundaries_html, dislocations_html
from antisite.run.report.strain import strain_html, strain_words
from antisite.run.report.words import headline, measures, scope


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(n_each=1))


@pytest.fixture(scope="module")
def nothing(make_result, with_planar):
    return with_planar(make_result(n_each=0), found=False)


def plain(html):
    return re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ")


def without(result, **changes):
    return replace(result, summary=result.summary | changes)


def test_grains_lines_and_dislocations_are_counted(result, nothing):
    assert planar_words(result) == (
        "2 grains; 1 grain boundary and 1 stacking fault; 3 dislocations, 1 of them partial."
    )
    assert planar_words(nothing) == "One grain, no planar defect, no dislocation."


def test_a_crystal_without_any_of_it_has_words_and_limits_but_no_picture(nothing):
    html = planar_html(without(nothing, strain=None))
    assert "<img" not in html
    assert "no planar defect" in html
    assert "With 95 % intervals: " in plain(html)
    assert "dislocations per area 0 to 0.0046 nm⁻²." in plain(html)
    assert "<h3>" not in html
    assert "<table" not in html


def test_strain_is_folded_away_where_nothing_else_is(result, nothing):
    assert "<details>" in planar_html(nothing)
    assert "<details>" not in planar_html(result)


def test_what_was_not_looked_for_is_said(result):
    assert "--no-planar" in plain(planar_html(without(result, planar=None)))


def test_a_result_that_knows_nothing_of_it_has_no_such_part(make_result):
    assert planar_html(make_result(n_each=1)) == ""
    assert "#grains" not in report_html(make_result(n_each=1))


def test_tables_tell_numbers_with_their_uncertainty(result):
    text = plain(planar_html(result))
    assert "17.30 ± 0.05" in text
    assert "(0.33 ± 0.01, −0.01 ± 0.01)" in text
    assert "intrinsic stacking fault" in text
    assert "within 0" in text
    assert "0 | 1" in text
    assert "(3.50, 0.00)" in text
    assert "length [nm]" in text


def test_without_a_scale_lengths_are_in_px(make_result, with_planar):
    text = plain(planar_html(with_planar(make_result(n_each=0), pixel_size=math.nan)))
    assert "length [px]" in text
    assert "(14.00, 0.00)" in text
    assert "3,750 per 10⁶ px²" in text
    assert "0.0096 px⁻¹" in text
    assert "nm" not in text


def test_headings_say_what_stands_below_them_and_empty_columns_go(result):
    text = plain(boundaries_html(result.summary["planar"]["boundaries"]))
    for head in ("grains, left | right", "misorientation [°]", "displacement R [a, b]", "position [px]"):
        assert head in text
    fault = [one for one in result.summary["planar"]["boundaries"] if one["shift"]]
    assert "misorientation" not in plain(boundaries_html(fault))
    assert "± is one standard deviation" in text
    assert "the two sides are turned against each other" in text


def test_cores_without_a_burgers_vector_are_told_so_and_have_no_empty_columns(result):
    cores = [one for one in result.summary["planar"]["dislocations"] if one["burgers"] is None]
    text = plain(dislocations_html(cores))
    assert "No Burgers vector could be measured" in text
    assert "[a, b]" not in text
    assert "its length" not in text


def test_an_uncertainty_that_rounds_to_nothing_is_not_nothing(result):
    (core, *_) = result.summary["planar"]["dislocations"]
    assert "below ± 0.1" in plain(dislocations_html([core | {"sd": 0.01}]))
    assert "± 2.5" in plain(dislocations_html([core]))


def test_the_caption_of_the_map_tells_what_is_there(result, nothing):
    text = plain(planar_html(result))
    for words in ("Grains in colour.", "grain boundary and", "stacking fault.", "not analysed: masked"):
        assert words in text
    planar = result.summary["planar"] | {"boundaries": [], "dislocations": []}
    text = plain(planar_html(without(result, planar=planar)))
    assert "Burgers vectors, to scale" not in text


def test_grains_are_shown_where_lines_were_not_looked_for(result, nothing):
    assert planar_html(without(result, planar=None)).count("<img") == 1
    assert planar_html(without(nothing, planar=None)).count("<img") == 0


def test_lines_have_no_row_among_the_densities_of_points(result):
    kinds = {row["kind"] for row in density_rows(result)}
    assert kinds
    assert not kinds & {"grain_boundary", "stacking_fault", "dislocation"}


def test_warnings_are_told(result):
    planar = {**result.summary["planar"], "warnings": ["a grain smaller than the window"]}
    assert "a grain smaller than the window" in planar_html(without(result, planar=planar))


def test_densities_carry_their_interval_and_unit():
    told = density_words({"value": 0.0048, "low": 0.0006, "high": 0.0173, "unit": "1/nm"})
    assert told.replace("\N{NO-BREAK SPACE}", " ") == "0.0048 nm⁻¹ (95 %: 0.0006 to 0.0173 nm⁻¹)"


def test_the_overview_tells_how_dense_lines_and_dislocations_lie(result, nothing):
    told = how_dense(result).replace("\N{NO-BREAK SPACE}", " ")
    assert told.startswith("Length of boundaries and faults per area 0.0096 nm⁻¹ (95 %: ")
    assert " and dislocations per area 0.00375 nm⁻² (95 %: " in told
    assert plain(overview_html(result)).replace("\N{NO-BREAK SPACE}", " ").count(told) == 1
    assert how_dense(nothing) == how_dense(without(result, planar=None)) == ""


def test_strain_is_told_with_resolution_and_noise(result, nothing):
    words = strain_words(result).replace("\N{NO-BREAK SPACE}", " ")
    assert "each grain against its own mean lattice" in words
    assert "Resolution 42 px (1.1 nm)" in words
    assert "0.11 % of strain and 0.046° of rotation" in words
    assert "each grain" not in strain_words(nothing)
    assert strain_html(result).count("<img") == 4


def test_unknown_noise_is_said_to_be_unknown(result):
    told = {**result.summary["strain"], "noise": {"strain": None, "rotation": None, "displacement": None}}
    assert strain_words(without(result, strain=told)).count("an unknown amount") == 2


def test_rows_of_the_tables_lead_to_marks_of_the_image(result):
    marks = set(re.findall(r'id="m(\d+)"', image_html(result)))
    leads = set(re.findall(r'href="#m(\d+)"', planar_html(result)))
    assert leads
    assert leads <= marks


def test_each_line_is_drawn_along_its_path_and_each_core_at_its_place(result):
    html = image_html(result)
    assert html.count("<polyline") == 3 * 2  # what is hit, its rim, the line
    assert 'points="20.0,230.0 185.0,230.0"' in html
    cores = re.findall(
        r'<use href="#mark-dislocation" x="([\d.]+)" y="([\d.]+)" transform="rotate\((-?\d+) ', html
    )
    assert cores == [("185.00", "230.00", "180"), ("120.00", "90.00", "180"), ("205.00", "330.00", "0")]


def test_grains_are_a_layer_with_a_switch_of_its_own(result, nothing):
    for html, there in ((image_html(result), True), (image_html(nothing), False)):
        assert ('data-layer="grains"' in html) == there
        assert ('data-toggle="grains"' in html) == there


def test_headline_tells_points_from_lines(result):
    lines = "1 stacking fault, 1 grain boundary and 3 dislocations."
    assert headline(result).startswith("5 point defects among ")
    assert headline(result).endswith(f"; {lines}")
    alone = replace(result, defects=result.defects[result.defects["method"] == "planar"])
    assert headline(alone) == f"No point defects were found among 353 tested sites; {lines}"


def test_scope_says_that_lines_were_looked_for(result):
    assert scope(result) == "Brightness names no element."
    assert "were not looked for" in scope(without(result, planar=None))


def test_lines_are_measured_by_their_own_numbers():
    rows = defect_table(
        {
            "kind": ["twin_boundary", "stacking_fault", "dislocation"],
            "path": ["LINESTRING (0 0, 9 9)", "LINESTRING (0 0, 9 9)", ""],
            "length": [123.0, 45.0, math.nan],
            "misorientation": [math.radians(70.53), math.nan, math.nan],
            "rx": [math.nan, 1 / 3, 1.0],
            "ry": [math.nan, 0.0, 0.0],
            "bx": [math.nan, math.nan, 3.0],
            "by": [math.nan, math.nan, 4.0],
        }
    )
    told = [measures(row).replace("\N{NO-BREAK SPACE}", " ") for _, row in rows.iterrows()]
    assert told == [
        "length 123 px · misorientation 70.5°",
        "length 45 px · R (0.33, 0)",
        "Burgers vector (1, 0) · 5 Å",
    ]


def test_lines_have_no_place_in_the_gallery(result):
    html = gallery_html(result)
    assert "dislocations" in html
    assert "boundary" not in html
    lines = replace(result, defects=result.defects[result.defects["path"] != ""])
    assert gallery_html(lines) == ""


def test_methods_cite_the_phases(result, make_result):
    text = methods_text(result)
    assert "Hÿtch et al. 1998" in text
    assert "2 grains; 1 grain boundary" in text
    assert "Hÿtch" not in methods_text(make_result(n_each=1))


def test_the_whole_report_stays_small_and_the_same(result):
    html = report_html(result)
    assert len(html) < 5e6
    assert report_html(result) == html
