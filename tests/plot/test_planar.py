from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.plot.planar import (
    GRAINS,
    boundary_words,
    grain_places,
    grain_sheet,
    planar_png,
    plot_planar,
)


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(shape=(400, 480), n_each=1))


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_each_grain_has_its_colour_and_what_is_none_is_clear():
    sheet = grain_sheet(np.array([[0, 1], [-1, len(GRAINS)]]))
    assert (sheet[1, 0] == 0).all()
    assert (sheet[0, 0] == sheet[1, 1]).all()
    assert not (sheet[0, 0] == sheet[0, 1]).all()
    assert 0 < sheet[0, 0, 3] < 255


def test_a_grain_is_named_inside_itself():
    y, x = np.mgrid[:300, :300]
    domain = np.where(np.hypot(y - 150, x - 150) < 60, 1, 0)  # the middle of grain 0 lies in grain 1
    domain[y < 20] = -1
    places = grain_places(domain)
    assert set(places) == {0, 1}
    for grain, (gx, gy) in places.items():
        assert domain[round(gy), round(gx)] == grain


def test_grains_boundaries_and_vectors_are_named(result):
    ax = plot_planar(result)
    first = result.summary["planar"]["boundaries"][0]["id"]
    assert {"grain 0", "grain 1"} <= set(words(ax))
    assert f"#{first} grain boundary 17.3°" in words(ax)
    assert f"#{first + 1} intrinsic stacking fault R 0.33, −0.01" in words(ax)


def test_every_known_burgers_vector_is_an_arrow_along_it(result):
    (arrows,) = [one for one in plot_planar(result).collections if one.get_gid() == "burgers"]
    vectors = [
        one["burgers_px"] for one in result.summary["planar"]["dislocations"] if one["burgers_px"] is not None
    ]
    drawn = np.column_stack([arrows.U, arrows.V])
    share = np.hypot(*np.array(vectors).T) / np.hypot(*drawn.T)
    assert len(drawn) == len(vectors) == 2
    np.testing.assert_allclose(drawn * share[0], vectors, atol=1e-9)


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
