"""A result of two grains, in the report and in the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from antisite.cli.show import area_line, check_lines, lattice_lines, sites_line
from antisite.cli.show_lattice import drift_lines, sublattice_lines
from antisite.plot.inspect import inspect_png
from antisite.result import Result
from antisite.run.report.crystal import crystal_html
from antisite.run.report.defect_table import table_html
from antisite.run.report.methods import methods_text
from antisite.run.report.recall import missed_words
from antisite.run.report.scores import scores_html
from antisite.run.report.self_check import self_check_html
from antisite.run.report.words import coverage, place_words


@pytest.fixture
def pair(make_result: Callable[..., Result], checked: Callable[..., Result]) -> Result:
    """The usual result, its right half a grain of its own."""
    one = checked(make_result())
    middle = one.image.shape[1] / 2
    (grain,) = one.grains
    turned = grain["lattice"] | {"angle": 0.9, "vectors": np.roll(grain["lattice"]["vectors"], 1, 0).tolist()}
    told = [grain | {"area_fraction": 0.5}, grain | {"grain": 1, "lattice": turned, "area_fraction": 0.4}]
    check = one.summary["self_check"]
    check |= {"recall": [{**entry, "grain": k} for k in (0, 1) for entry in check["recall"]]}
    return replace(
        one,
        sites=one.sites.assign(grain=(one.sites["x"] > middle).astype(int)),
        defects=one.defects.assign(grain=(one.defects["x"] > middle).astype(int)),
        maps=one.maps | {"motif_1": one.maps["motif"]},
        summary=one.summary | {"grains": told, "n_domains": 2, "self_check": check},
    )


def test_each_grain_has_its_lattice_and_mean_cell(pair: Result) -> None:
    html = crystal_html(pair)
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["grain 0, the largest", "grain 1"]
    assert html.count('class="motif"') == 2
    assert html.count("<dt>coherence</dt>") == 2
    assert html.count("<dt>pixel size</dt>") == 1


def test_one_grain_needs_no_heading(make_result: Callable[..., Result]) -> None:
    assert "<h3>" not in crystal_html(make_result())


def test_scores_are_shown_by_grain_and_sublattice(pair: Result) -> None:
    titles = re.findall(r"<h3>(.*?)</h3>", scores_html(pair))
    assert titles == [
        f"{place} in grain {k}" for k in (0, 1) for place in ("sublattice A", "sublattice B", "hollow site")
    ]


def test_recall_is_told_by_grain(pair: Result) -> None:
    titles = re.findall(r"<h3>(.*?)</h3>", self_check_html(pair))
    assert len(titles) == len(set(titles)) == 6
    assert any("grain\u00a01" in words for words in missed_words(pair))
    assert re.search(r"grain 0 · A [\d.]+, grain 0 · B [\d.]+, grain 1 · A", check_lines(pair.summary)[0])


def test_table_of_defects_names_the_grain(pair: Result, make_result: Callable[..., Result]) -> None:
    assert "<th>grain</th>" in table_html(pair)
    assert "<th>grain</th>" not in table_html(make_result())


def test_words_name_the_number_of_grains(pair: Result) -> None:
    assert "2 grains" in coverage(pair)
    assert "The image shows 2 grains" in methods_text(pair)


def test_place_in_a_grain_is_said_in_words() -> None:
    assert place_words("grain 3 · hollow 2") == "hollow site 2 in grain 3"


def test_terminal_has_a_line_for_each_grain(pair: Result) -> None:
    s = pair.summary
    lines = lattice_lines(s)
    assert [text.split("  ")[0] for text in lines] == ["grain 0", "grain 1", "scale"]
    assert lines[0].endswith("50 % of the image")
    assert "direction 51.6°" in lines[1]
    assert area_line(s).endswith("2 grains")
    assert "grain 0: A " in sites_line(s)
    assert "grain 1: A " in sites_line(s)
    assert drift_lines(s)[0].endswith("0.50, 0.50 px rms")
    assert [text.split(" at ")[0].split()[1:] for text in sublattice_lines(s)] == [
        ["grain", str(k), "·", name] for k in (0, 1) for name in "AB"
    ]


def test_picture_of_inspect_shows_all_lattices(pair: Result, make_result: Callable[..., Result]) -> None:
    assert inspect_png(pair) != inspect_png(replace(pair, summary=make_result().summary))
