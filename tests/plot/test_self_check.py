from __future__ import annotations

import numpy as np
import pytest

from antisite.plot.self_check import COLOURS, plot_recall


def _entry(side="dark", *, hollow=False, limit=-0.4):
    sign = -1 if side == "dark" else 1
    curve = [
        {"change": sign * c, "recall": c, "low": max(c - 0.1, 0), "high": min(c + 0.1, 1)}
        for c in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    points = [{**point, "n": 40, "n_found": round(40 * point["recall"])} for point in curve[1:]]
    points.append({"change": sign * 0.9, "n": 0, "n_found": 0, "recall": None, "low": 0.0, "high": 1.0})
    told = {"recall": 0.9, "change": limit, "low": 1.1 * limit, "high": 0.9 * limit} if limit else None
    own = {"sublattice": "hollow" if hollow else "A", "hollow": hollow, "side": side}
    return {**own, "points": points, "curve": curve, "limit": told}


def _lines(ax, name):
    return [line for line in ax.lines if line.get_gid() == name]


def test_curve_and_points_stand_where_they_were_measured():
    ax = plot_recall([_entry()])
    for name, first in (("curve", 0), ("points", 1)):
        (line,) = _lines(ax, name)
        x, y = line.get_data()
        assert np.allclose(x, -100 * y)
        assert len(x) == 5 - first


def test_a_strength_that_was_never_planted_has_no_point():
    (points,) = _lines(plot_recall([_entry()]), "points")
    assert -90 not in points.get_xdata()


def test_each_side_has_its_colour_and_dark_lies_on_the_left():
    ax = plot_recall([_entry(), _entry("bright", limit=0.5)])
    curves = _lines(ax, "curve")
    assert [line.get_color() for line in curves] == [COLOURS["dark"], COLOURS["bright"]]
    assert curves[0].get_xdata().min() == -100
    assert curves[1].get_xdata().max() == 100


def test_the_limit_is_marked_and_named_only_where_it_exists():
    ax = plot_recall([_entry(), _entry("bright", limit=None)])
    (line,) = _lines(ax, "limit")
    assert set(line.get_xdata()) == {-40.0}
    assert [text.get_text() for text in ax.texts] == ["0.90 at −40 %"]


def test_what_is_left_out_by_choice_is_shaded():
    (shade,) = (p for p in plot_recall([_entry()], gates=(0.25, 0.3)).patches if p.get_gid() == "gates")
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((-25, 30))


def test_a_hollow_has_nothing_to_lose():
    ax = plot_recall([_entry("bright", hollow=True, limit=0.5)], gates=(0.25, 0.3))
    (shade,) = (p for p in ax.patches if p.get_gid() == "gates")
    assert shade.get_x() == 0
    assert ax.get_xlim()[0] > -10
    assert "added light" in ax.get_xlabel()


def test_no_entries_make_an_empty_plot():
    assert plot_recall([]).lines[:] == []


@pytest.mark.parametrize(
    ("limit", "side"), [(-0.95, "left"), (-0.3, "right"), (0.95, "right"), (0.3, "left")]
)
def test_the_words_of_a_limit_stay_inside_the_axes(limit, side):
    (words,) = plot_recall([_entry("dark" if limit < 0 else "bright", limit=limit)]).texts
    assert words.get_ha() == side
