from __future__ import annotations

import math
import re
import tomllib
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from antisite.conditions import Conditions, Detector
from antisite.defects import defect_table
from antisite.image import Image
from antisite.plot.defects import look
from antisite.run.report import report_html
from antisite.run.report.crystal import crystal_html
from antisite.run.report.defect_table import table_html
from antisite.run.report.densities import densities_html
from antisite.run.report.gallery import gallery_html
from antisite.run.report.image import image_html
from antisite.run.report.overview import overview_html
from antisite.run.report.scores import scores_html
from antisite.run.report.self_check import self_check_html
from antisite.run.report.settings import settings_html


class _Tags(HTMLParser):
    VOID = frozenset({"meta", "img", "br", "input", "link", "polygon", "rect", "use", "image"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, **attrs):
        return [a for t, a in self.tags if t == tag and all(a.get(k) == v for k, v in attrs.items())]


@pytest.fixture(scope="module")
def result(make_result):
    return make_result(n_each=2, warnings=["--region left little"])


@pytest.fixture(scope="module")
def html(result):
    return report_html(result)


@pytest.fixture(scope="module")
def page(html):
    return _Tags(html)


def test_every_tag_is_closed(page):
    assert page.open == []


def test_the_report_asks_for_nothing_from_outside(html, page):
    assert not re.search(r"https?:|@import|url\(", html)
    sources = [a["src"] for _, a in page.tags if "src" in a] + [a["href"] for a in page.all("image")]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert all(a["href"].startswith(("#", "data:")) for _, a in page.tags if "href" in a)


def test_the_same_result_gives_the_same_bytes(make_result, html):
    again = make_result(n_each=2, warnings=["--region left little"])
    assert report_html(again) == html


def test_time_place_and_folders_are_not_told(result, html):
    settings = {"detect": {"fdr": 0.05}, "read": {"mask": "/home/someone/secret/mask.png"}}
    provenance = {"time": "2026-01-02T03:04:05", "input": "/home/someone/x.tif", "settings": settings}
    told = report_html(replace(result, provenance=provenance))
    (saved,) = (a["href"] for a in _Tags(told).all("a") if "download" in a)
    for text in (told, b64decode(saved.split(",")[1]).decode()):
        assert "someone" not in text
        assert "2026-01-02" not in text
        assert 'mask = "mask.png"' in text.replace("&quot;", '"')


def test_the_headline_counts_the_defects_by_kind(page):
    assert (
        "10 defects among 353 tested sites: 2 vacancies, 2 interstitials, 2 bright sites and 4 dim sites."
        in page.text
    )


def test_densities_are_told_with_interval_and_unit(page):
    assert "density [per nm²]" in page.text
    assert "0.0267 to 0.322" in page.text


def test_without_pixel_size_densities_are_per_site(make_result):
    result = make_result(pixel_size=math.nan)
    text = _Tags(overview_html(result) + densities_html(result) + image_html(result)).text
    assert "density [per site]" in text
    assert "pixel size is unknown" in text
    assert "nm²]" not in text


def test_rate_coverage_and_warnings_are_told(page):
    assert "5\N{NO-BREAK SPACE}% of the flagged sites" in page.text
    assert "90 % of the image was analysed. 171 predicted sites were left untested" in page.text
    assert "--region left little" in page.text


def test_every_defect_has_a_mark_in_the_coordinates_of_the_image(result, page):
    marks = [a for a in page.all("use") if a["href"].startswith("#mark-")]
    assert len(marks) == len(result.defects)
    spots = {(round(row.x, 2), round(row.y, 2)) for row in result.defects.itertuples()}
    assert {(float(m["x"]), float(m["y"])) for m in marks} == spots
    ny, nx = result.image.shape
    assert page.all("svg", viewbox=f"-0.5 -0.5 {nx} {ny}")


def test_every_layer_has_a_switch(page):
    switches = {a["data-toggle"] for _, a in page.tags if "data-toggle" in a}
    layers = {a["data-layer"] for _, a in page.tags if "data-layer" in a}
    assert switches == layers == {"vacancy", "interstitial", "bright_site", "dim_site", "veil"}


def test_a_kind_has_its_colour_in_the_overlay(page):
    groups = {a["data-layer"]: a["stroke"] for a in page.all("g") if "data-layer" in a}
    assert groups == {kind: look(kind).colour for kind in groups}


def test_the_scale_bar_is_as_long_as_it_says(page):
    (bar,) = page.all("rect")
    assert float(bar["width"]) * 0.25 / 10 == pytest.approx(1.0)
    assert "1 nm" in page.text
    (scale,) = (a for a in page.all("g") if a.get("class") == "scale")
    assert float(scale["data-unit"]) * 0.25 / 10 == pytest.approx(1.0)


def test_lattice_and_distortion_are_told(page):
    for words in ("14 px = 3.5 Å", "60.0°", "0.5 px rms"):
        assert words in page.text


def test_the_gallery_and_the_table_show_every_defect(result, page):
    assert {a["alt"] for a in page.all("img") if a.get("alt", "").startswith("defect ")} == {
        f"defect {i}" for i in result.defects["id"]
    }


def test_mark_row_and_picture_of_a_defect_lead_to_each_other(result, page):
    marks = {a["id"]: a["href"] for a in page.all("a") if a.get("class") == "mark"}
    assert marks == {f"m{i}": f"#r{i}" for i in result.defects["id"]}
    rows = {a["id"] for a in page.all("tr") if "id" in a}
    assert rows == {f"r{i}" for i in result.defects["id"]}
    links = [a["href"] for a in page.all("a") if a["href"].startswith("#m") and "class" not in a]
    assert sorted(set(links)) == [*sorted(f"#{mark}" for mark in marks), "#methods"]
    assert all(links.count(f"#{mark}") == 2 for mark in marks)


def test_a_row_goes_with_the_layer_of_its_kind(result, page):
    layers = {a["id"]: a["data-layer"] for a in page.all("tr") if "id" in a}
    assert layers == {f"r{row.id}": row.kind for row in result.defects.itertuples()}


def test_rows_beyond_the_first_hundreds_are_counted(make_result, monkeypatch):
    monkeypatch.setattr("antisite.run.report.defect_table.MAX_ROWS", 4)
    html = table_html(make_result(n_each=2))
    assert html.count('<tr id="r') == 4
    assert "6 more rows are in defects.csv" in html


def test_what_is_not_known_of_any_defect_has_no_column(make_result):
    result = make_result(n_each=1, pixel_size=math.nan)
    heads = table_html(replace(result, defects=result.defects.assign(z=np.nan, p_value=np.nan)))
    assert "<th>score</th>" in heads
    for name in ("z", "p", "x [Å]"):
        assert f"<th>{name}</th>" not in heads


def test_what_is_not_shown_is_counted(make_result):
    text = _Tags(gallery_html(make_result(shape=(420, 420), n_each=70))).text
    assert "46 more are in defects.csv" in text
    assert "most doubtful" in text


@pytest.mark.parametrize("name", ["<b>.tif", '"x" & y.tif', "$title.tif", "</script>.png"])
def test_a_file_name_is_text_and_nothing_else(make_result, name):
    result = make_result(n_each=0, name=name)
    html = report_html(result)
    page = _Tags(html)
    assert page.all("b") == []
    assert name in page.text
    assert html.count("</script>") == 1


def test_words_of_warnings_and_reasons_are_escaped(make_result, no_lattice):
    odd = "<i>odd</i>"
    assert odd not in overview_html(make_result(n_each=0, warnings=[odd]))
    assert odd not in report_html(replace(no_lattice, summary={**no_lattice.summary, "reason": odd}))


def test_no_lattice_is_said_first_and_nothing_is_invented(no_lattice):
    page = _Tags(report_html(no_lattice))
    assert "No lattice was found\n" in page.text
    assert page.text.count("Nothing could be judged: no period stands out of the noise.") == 1
    assert page.text.count("no period stands out") == 1
    assert "densities per site" not in page.text
    assert page.all("use") == []
    assert page.all("table") == []
    assert "planted" not in page.text
    assert "false-discovery" not in page.text


def test_no_defects_is_a_result(make_result):
    page = _Tags(report_html(make_result(n_each=0)))
    assert "No defects were found among 353 tested sites." in page.text
    assert page.all("use") == []


def test_a_lattice_without_sites_is_still_reported(make_result):
    bare = make_result(n_each=0)
    (grain,) = bare.grains
    summary = {**bare.summary, "grains": [{**grain, "sublattices": []}]}
    page = _Tags(report_html(replace(bare, sites=defect_table(), defects=defect_table(), summary=summary)))
    assert "No defects were found among 0 tested sites." in page.text


def test_two_detectors_can_be_switched(make_result):
    result = make_result(n_channels=2, n_each=1)
    page = _Tags(image_html(result) + table_html(result))
    assert [a["value"] for a in page.all("input", name="channel")] == ["0", "1"]
    images = [a for a in page.all("image") if "data-channel" in a]
    assert ["style" in a for a in images] == [False, True]
    assert "ratio 2" in page.text


def test_conditions_are_told_where_known(result):
    known = Conditions(beam_energy=80e3, convergence=30, detectors=(Detector(inner=70, outer=200),))
    text = _Tags(crystal_html(replace(result, image=replace(result.image, conditions=known)))).text
    assert "80 keV" in text
    assert "70 to 200 mrad" in text


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_large_noisy_image_stays_below_ten_megabytes(no_lattice, n_channels):
    pixels = np.random.default_rng(0).random((n_channels, 2048, 2048))
    html = report_html(replace(no_lattice, image=Image(pixels, name="large.tif")))
    assert len(html.encode()) < 10e6
    assert ("Shown at 1/2" in html) == (n_channels == 2)


def test_a_scale_from_the_lattice_constant_reaches_the_scale_bar(make_result):
    bare = make_result(pixel_size=math.nan)
    result = replace(bare, summary={**bare.summary, "pixel_size": 0.25})
    (bar,) = _Tags(image_html(result)).all("rect")
    assert float(bar["width"]) * 0.25 / 10 == pytest.approx(1.0)
    assert "0.25 Å/px" in crystal_html(result)


def _with_hole(result):
    """The same with two vacancies more that count as one hole of 40 × 20 px."""
    columns = {"id": [99], "kind": "hole", "y": 60.0, "x": 70.0, "length": 40.0, "width": 20.0, "angle": 0.4}
    hole = defect_table({**columns, "score": 30.0, "ratio": 0.15})
    return replace(
        result,
        defects=pd.concat([result.defects, hole], ignore_index=True),
        summary={**result.summary, "counts": {**result.summary["counts"], "hole": 1}},
    )


def test_a_hole_is_told_drawn_and_explained(make_result):
    result = _with_hole(make_result(n_each=1))
    page = _Tags("".join(part(result) for part in (densities_html, image_html, table_html, gallery_html)))
    told = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "ten or more missing columns side by side" in told
    assert "#99 hole: size 40 × 20 px" in told
    assert "A hole is shown alone." in told
    assert "sublattice :" not in told
    assert "sublattice ·" not in told
    assert "hole" in {a["data-layer"] for a in page.all("g") if "data-layer" in a}


def _flagged(result, n):
    (grain,) = result.grains
    ones = [{**one, "n_dark": n, "n_bright": 0} for one in grain["sublattices"]]
    told = {**result.summary, "grains": [{**grain, "sublattices": ones}]}
    return _Tags(scores_html(replace(result, summary=told)))


def test_modes_are_told_where_there_are_flags_enough(make_result):
    result = make_result(n_each=1)
    assert "flagged sites around ratio" not in _flagged(result, 29).text
    many = _flagged(result, 30).text
    assert "flagged sites around ratio" in many
    assert "<\N{NO-BREAK SPACE}0.001" in many


def test_a_flag_must_pass_the_limits_of_both_charts(page):
    assert "A flag must pass both dashed limits: that of z (left chart)" in page.text
    assert "that of the ratio (right chart)" in page.text


def test_the_greys_of_the_image_do_not_depend_on_what_is_masked(make_result):
    result = make_result(n_each=0)
    mask = np.zeros(result.image.shape, bool)
    mask[:, :20] = True

    def source(left):
        image = Image(np.where(mask, left, result.image.channels[0]), mask=mask)
        (layer,) = (
            a for a in _Tags(image_html(replace(result, image=image))).all("image") if "data-channel" in a
        )
        src = layer["href"]
        return np.asarray(Picture.open(BytesIO(b64decode(src.split(",")[1]))))[:, 20:]

    assert np.array_equal(source(0.0), source(1e6))


def test_the_self_check_is_drawn_and_told_for_every_sublattice_and_side(make_result, checked):
    page = _Tags(self_check_html(checked(make_result(n_each=1))))
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert [a["alt"] for a in page.all("img") if a["alt"].startswith("recall")] == [
        "recall on sublattice A",
        "recall on sublattice B",
        "recall on hollow site",
    ]
    for words in (
        "1,234 in 8 rounds, on 4 % of the sites of each sublattice at a time",
        "12 sites flagged before anything was planted are left out of this count",
        "0.50 (0.45 to 0.55)",
        "detection limit (0.90)",
        "hollow site, added light",
    ):
        assert words in text


def test_a_skipped_self_check_is_said_where_it_would_stand(page):
    assert page.text.count("the self-check was left out") == 2
    assert page.all("section", id="what-would-have-been-missed")


def test_the_saved_settings_are_those_of_the_run(result):
    settings = {"seed": 3, "detect": {"method": "deviation", "fdr": 0.01}, "self_check": {"run": False}}
    page = _Tags(settings_html(replace(result, provenance={"settings": settings, "seed": 3})))
    (saved,) = (a["href"] for a in page.all("a") if "download" in a)
    told = tomllib.loads(b64decode(saved.split(",")[1]).decode())
    assert {name: value for name, value in told.items() if value != {}} == settings
    assert "[detect]\nmethod" in page.text
    assert "[read]" not in page.text


def test_the_words_fit_the_method(make_result):
    result = make_result(n_each=1)
    text = scores_html(replace(result, sites=result.sites.assign(method="patterson")))
    assert "Patterson function" in text
    assert "unless the column is displaced" in text
    assert "both dashed limits" not in text


def test_thousands_of_defects_stay_below_ten_megabytes(make_result):
    result = make_result(n_each=1)
    n = 20_000
    many = pd.concat([result.defects] * (n // len(result.defects)), ignore_index=True).assign(id=np.arange(n))
    html = image_html(replace(result, defects=many)) + table_html(replace(result, defects=many))
    assert html.count('class="mark"') == n
    assert len(html.encode()) < 4.4e6  # what an image of 4 million pixels leaves of ten million bytes
