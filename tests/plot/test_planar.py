from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.plot.planar import boundary_words, planar_png, plot_planar


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(shape=(400, 480), n_each=1))


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_grains_boundaries_and_vectors_are_named(result):
    ax = plot_planar(result)
    first = result.summary["planar"]["boundaries"][0]["id"]
    assert {"grain 0", "grain 1"} <= set(words(ax))
    assert f"#{first} grain boundary 17.3°" in words(ax)
    assert f"#{first + 1} intrinsic stacking fault R (0.33, −0.01)" in words(ax)


def test_every_known_burgers_vector_is_an_arrow_along_it(result):
    (arrows,) = [one for one in plot_planar(result).collections if one.get_gid() == "burgers"]
    vectors = [
        one["burgers_px"] for one in result.summary["planar"]["dislocations"] if one["burgers_px"] is not None
    ]
    drawn = np.column_stack([arrows.U, arrows.V])
    share = np.hypot(*np.array(vectors).T) / np.hypot(*drawn.T)
    assert len(drawn) == len(vectors) == 2
    np.testing.assert_allclose(drawn * share[0], vectors, atol=1e-9)


def test_arrows_of_cores_side_by_side_do_not_run_into_each_other(result):
    planar = result.summary["planar"]
    known = next(one for one in planar["dislocations"] if one["burgers_px"] is not None)
    longest = []
    for apart in (24.0, 300.0):
        row = [{**known, "id": known["id"] + i, "x": 60.0 + apart * i} for i in (0, 1)]
        (arrows,) = [
            one
            for one in plot_planar(
                replace(result, summary=result.summary | {"planar": {**planar, "dislocations": row}})
            ).collections
            if one.get_gid() == "burgers"
        ]
        longest.append(float(np.hypot(arrows.U, arrows.V).max()))
    assert longest[0] < 24 < longest[1] < 0.1 * max(result.image.shape)


def test_the_scale_bar_does_not_cover_a_line(result):
    ax = plot_planar(result)
    (bar,) = [one for one in ax.patches if one.get_gid() == "scale-bar"]
    for path in (one["path"] for one in result.summary["planar"]["boundaries"]):
        for (x0, y0), (x1, y1) in pairwise(path):
            share = np.linspace(0, 1, 200)
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            inside = (x > bar.get_x()) & (x < bar.get_x() + bar.get_width())
            assert not (inside & (y > bar.get_y()) & (y < bar.get_y() + bar.get_height())).any()


def test_names_stay_inside_the_picture(result):
    ax = plot_planar(result)
    figure = ax.get_figure()
    figure.draw_without_rendering()
    frame = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x0 > frame.x0 - 2
        assert box.x1 < frame.x1 + 2


def test_one_grain_with_nothing_in_it_is_the_image_alone(make_result, with_planar):
    ax = plot_planar(with_planar(make_result(n_each=0), found=False))
    assert [text for text in words(ax) if "nm" not in text] == []
    assert [one for one in ax.collections if one.get_gid()] == []


def test_many_boundaries_show_their_numbers_only(result):
    planar = result.summary["planar"]
    many = {**planar, "boundaries": planar["boundaries"] * 8}
    told = words(plot_planar(replace(result, summary=result.summary | {"planar": many})))
    assert f"#{planar['boundaries'][0]['id']}" in told
    assert not any("17.3" in text for text in told)


def test_a_boundary_without_numbers_has_words_all_the_same():
    bare = {"kind": "planar_defect", "name": "", "misorientation": None, "shift": None}
    assert boundary_words(bare) == "planar defect"


def test_a_hyphen_in_a_name_is_no_minus():
    low = {"kind": "grain_boundary", "name": "low-angle grain boundary", "misorientation": 0.1}
    assert boundary_words(low) == "low-angle grain boundary 5.7°"


@pytest.mark.parametrize("shape", [(37, 400), (333, 31), (101, 103)])
def test_an_image_of_any_shape_has_a_picture(make_result, with_planar, shape):
    result = with_planar(make_result(n_each=0), found=False)
    crop = tuple(slice(0, n) for n in shape)
    cut = replace(result, image=result.image.crop(crop), maps={"domain": result.maps["domain"][crop]})
    assert max(Picture.open(BytesIO(planar_png(cut))).size) in (999, 1000)


@pytest.mark.parametrize("pixel_size", [0.25, float("nan")])
def test_the_picture_is_a_thousand_px_at_most_and_the_same_again(make_result, with_planar, pixel_size):
    result = with_planar(make_result(n_each=0), pixel_size=pixel_size)
    png = planar_png(result)
    assert Picture.open(BytesIO(png)).size == (1000, 833)
    assert planar_png(result) == png
