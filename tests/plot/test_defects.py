from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.defects import KINDS, PLANAR_KINDS, defect_table
from antisite.plot.defects import (
    LOOKS,
    count_kinds,
    kind_words,
    legend_handles,
    look,
    mark_radius,
    marks_of,
    outline,
    overlay_png,
    plot_defects,
)
from antisite.plot.lines import LINES

CLOSED = {kind: look for kind, look in LOOKS.items() if kind not in (*PLANAR_KINDS, "dislocation")}


def _marks(ax):
    return {c.get_gid(): c for c in ax.collections if c.get_gid() in KINDS}


def test_every_defect_has_one_mark_at_its_place(make_result):
    result = make_result(n_each=3)
    marks = _marks(plot_defects(result))
    assert {kind: len(m.get_paths()) for kind, m in marks.items()} == result.summary["counts"]
    spots = result.defects.loc[result.defects["kind"] == "dim_site", ["x", "y"]].to_numpy()
    drawn = [path.vertices[:-1].mean(axis=0) for path in marks["dim_site"].get_paths()]
    assert np.allclose(drawn, spots, atol=1e-6)


def test_marks_are_open_and_in_the_colour_of_their_kind(make_result):
    from matplotlib.colors import to_rgba

    for kind, mark in _marks(plot_defects(make_result())).items():
        assert len(mark.get_facecolor()) == 0
        assert tuple(mark.get_edgecolor()[0]) == to_rgba(look(kind).colour)


def test_marks_leave_their_column_free_and_do_not_reach_the_next(make_result):
    result = make_result()
    spacing = result.nearest
    for kind in count_kinds(result.defects):
        x, y = outline(kind, mark_radius(result)).T
        middle = np.hypot((x + np.roll(x, 1)) / 2, (y + np.roll(y, 1)) / 2)
        assert middle.min() > 0.45 * spacing
        assert np.hypot(x, y).max() < 0.9 * spacing


def test_all_closed_shapes_enclose_the_same_area():
    for kind in CLOSED:
        x, y = outline(kind, 2.0).T
        area = 0.5 * abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1)))
        assert area == pytest.approx(np.pi * 4, rel=1e-6)


def test_no_two_kinds_look_alike():
    assert len({look.colour for look in LOOKS.values()}) == len(LOOKS)
    assert len({(look.corners, round(look.turn, 3)) for look in CLOSED.values()}) == len(CLOSED)
    assert len({line.dash for line in LINES.values()}) == len(LINES) - 1  # two are unbroken


def test_every_kind_of_the_table_can_be_drawn():
    assert all(outline(kind, 1.0).shape[1] == 2 for kind in KINDS)


def test_the_legend_counts_every_kind(make_result):
    labels = [handle.get_label() for handle in legend_handles(make_result(n_each=1))]
    assert labels == ["vacancy  1", "interstitial  1", "bright site  1", "dim sites  2", "not analysed"]


def test_the_legend_explains_the_veil_where_there_is_one(make_result):
    result = make_result()
    assert legend_handles(result)[-1].get_label() == "not analysed"
    whole = replace(result, maps={"domain": np.zeros(result.image.shape, np.int8)})
    assert legend_handles(whole)[-1].get_label() == "dim sites  4"


@pytest.mark.parametrize("shape", [(300, 60), (160, 200), (60, 420)])
def test_the_legend_fits_the_width_of_the_overlay(make_result, monkeypatch, shape):
    from antisite.plot import defects

    drawn = []
    monkeypatch.setattr(defects, "figure_png", lambda figure, dpi: drawn.append(figure) or b"")
    overlay_png(make_result(shape=shape))
    (figure,) = drawn
    figure.draw_without_rendering()
    (ax,) = [ax for ax in figure.axes if ax.get_legend()]
    for box in (ax.get_legend().get_window_extent(), ax.texts[0].get_window_extent()):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y0 >= 0


def test_the_bar_below_the_overlay_is_as_long_as_it_says(make_result, monkeypatch):
    from antisite.plot import defects

    drawn = []
    monkeypatch.setattr(defects, "figure_png", lambda figure, dpi: drawn.append(figure) or b"")
    overlay_png(make_result())
    image, below = drawn[0].axes
    (bar,) = [patch for patch in below.patches if patch.get_gid() == "scale-bar"]
    assert below.texts[0].get_text() == "1 nm"
    assert bar.get_window_extent().width / image.get_window_extent().width == pytest.approx(40 / 200)


def test_counts_follow_the_order_of_the_kinds():
    table = defect_table({"kind": np.array(["dim_site", "vacancy", "dim_site"])})
    assert count_kinds(table) == {"vacancy": 1, "dim_site": 2}
    assert list(count_kinds(table)) == ["vacancy", "dim_site"]


def test_without_defects_the_legend_says_so(make_result, no_lattice):
    clean = make_result(n_each=0)
    assert [h.get_label() for h in legend_handles(clean)] == ["no defects found", "not analysed"]
    assert [h.get_label() for h in legend_handles(no_lattice)] == ["no lattice found"]
    assert _marks(plot_defects(clean)) == {}


@pytest.mark.parametrize("shape", [(160, 200), (300, 90), (60, 420)])
def test_an_overlay_is_at_most_1600_px_wide_and_high(make_result, shape):
    wide, high = Picture.open(BytesIO(overlay_png(make_result(shape=shape, n_each=0)))).size
    assert 600 <= wide <= 1600
    assert high <= 1600 + 200


def test_an_overlay_gives_the_same_bytes_again(make_result):
    assert overlay_png(make_result()) == overlay_png(make_result())


def test_an_overlay_shows_the_colours_of_its_kinds(make_result):
    pixels = np.asarray(Picture.open(BytesIO(overlay_png(make_result()))).convert("RGB")).astype(int)
    for kind in ("vacancy", "dim_site", "bright_site", "interstitial"):
        colour = [int(look(kind).colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - colour).max(axis=-1) < 12).sum() > 200


@pytest.mark.parametrize("case", ["no lattice", "no pixel size", "two channels", "no sites"])
def test_an_overlay_of_a_sparse_result_is_a_picture(make_result, no_lattice, case):
    result = {
        "no lattice": no_lattice,
        "no pixel size": make_result(pixel_size=math.nan),
        "two channels": make_result(n_channels=2),
        "no sites": replace(make_result(), sites=defect_table(), defects=defect_table(), maps={}),
    }[case]
    assert Picture.open(BytesIO(overlay_png(result))).format == "PNG"


def test_kinds_are_said_in_words():
    assert kind_words("partial_vacancy", 2) == "partial vacancies"
    assert kind_words("complex", 2) == "complexes"
    assert kind_words("bright_site") == "bright site"


def test_hole_is_drawn_as_the_ellipse_of_its_box():
    hole = defect_table(
        {"kind": ["hole"], "x": [50.0], "y": [30.0], "length": 40.0, "width": 10.0, "angle": 0.5}
    )
    (shape,) = marks_of(hole, 3.0)
    away = (shape - (50.0, 30.0)) @ np.array(
        [[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]]
    )
    assert np.ptp(away, axis=0) == pytest.approx([40, 10], rel=0.05)
