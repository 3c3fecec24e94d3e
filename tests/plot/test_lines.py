import math

import numpy as np
import pytest

from antisite.defects import PLANAR_KINDS, defect_table
from antisite.plot.defects import legend_handles, look, plot_defects
from antisite.plot.figures import own_axes
from antisite.plot.lines import LINES, UPRIGHT, core_outline, draw_lines, has_path, line_points, stem_turns


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(shape=(400, 480), n_each=1))


def test_every_planar_kind_is_a_line():
    assert set(LINES) == set(PLANAR_KINDS)
    assert all(look(kind).colour == line.colour for kind, line in LINES.items())


@pytest.mark.parametrize(
    ("path", "points"),
    [
        ("LINESTRING (1 2, -3.5 4e1)", [[1, 2], [-3.5, 40]]),
        ("LINESTRING(0 0,1 1,2 0)", [[0, 0], [1, 1], [2, 0]]),
        ("", []),
        ("LINESTRING EMPTY", []),
    ],
)
def test_a_path_is_read_as_it_was_written(path, points):
    assert line_points(path).tolist() == points
    assert line_points(path).shape == (len(points), 2)


def test_a_planar_row_without_path_is_drawn_as_a_point():
    rows = defect_table({"kind": ["planar_defect", "planar_defect"], "path": ["", "LINESTRING (0 0, 5 5)"]})
    assert has_path(rows).tolist() == [False, True]
    assert len(draw_lines(own_axes(None), rows[:1]).collections) == 0


def test_lines_run_along_their_paths_in_the_colour_of_their_kind(result):
    from matplotlib.colors import to_rgba

    drawn = {one.get_gid(): one for one in plot_defects(result).collections if one.get_gid() in LINES}
    assert set(drawn) == {"grain_boundary", "stacking_fault"}
    for kind, line in drawn.items():
        (path,) = result.defects.loc[result.defects["kind"] == kind, "path"]
        np.testing.assert_allclose(line.get_segments()[0], line_points(path))
        assert tuple(line.get_colors()[0]) == to_rgba(LINES[kind].colour)


def test_the_stem_of_an_upright_mark_points_up_and_its_foot_lies_below_the_centre():
    points = core_outline(10.0)
    assert points[2] == pytest.approx((0, -11.5))  # y points down
    assert {tuple(np.round(points[i], 6)) for i in (0, 4)} == {(-10.0, 3.5), (10.0, 3.5)}


@pytest.mark.parametrize("sign", [1, -1])
def test_the_stem_points_to_where_there_is_a_plane_more(sign):
    spacing, turn = 10.0, np.linspace(0, 2 * np.pi, 401)  # from +x towards +y
    x, y = 100 * np.cos(turn), 100 * np.sin(turn)
    plane = x / spacing + sign * turn / (2 * np.pi)  # number of the plane that passes there
    below, above = plane[0] - plane[200], plane[400] - plane[200]  # from left to right; y points down
    burgers = np.diff(x - spacing * plane).sum()
    assert abs(burgers) == pytest.approx(spacing)
    stem = stem_turns([{"id": 0, "burgers_px": [burgers, 0.0]}])[0]
    assert math.sin(stem) == pytest.approx(np.sign(below - above))
    assert y[100] > 0


def test_the_mark_turns_with_its_burgers_vector(result):
    told = [{"id": 3, "burgers_px": [math.cos(a), math.sin(a)]} for a in (0.3,)]
    assert stem_turns(told)[3] == pytest.approx(0.3 + math.pi / 2)
    assert stem_turns([{"id": 1, "burgers_px": None}]) == {}
    (marks,) = [one for one in plot_defects(result).collections if one.get_gid() == "dislocation"]
    first, _, last = (path.vertices for path in marks.get_paths())
    assert first[2][1] > first[1][1]  # b along +x: the half plane is below
    assert last[2][1] < last[1][1]  # unknown: as printed
    assert -math.pi / 2 == UPRIGHT


def test_the_legend_names_lines_and_dislocations(result):
    labels = [handle.get_label() for handle in legend_handles(result)]
    assert labels[-4:] == ["stacking fault  1", "grain boundary  1", "dislocations  3", "not analysed"]
