from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.plot.strain import STRAINS, colour_limit, has_strain, plot_strain, shown_values, strain_png


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(n_each=0))


def test_strain_is_shown_in_per_cent_and_rotation_in_degrees(result):
    np.testing.assert_allclose(shown_values(result, "exx"), 100 * result.maps["exx"])
    np.testing.assert_allclose(
        shown_values(result, "rotation"), np.degrees(result.maps["rotation"]), rtol=1e-5
    )


def test_a_value_lies_where_it_was_measured(result):
    picture = plot_strain(result, "eyy").images[0]
    left, right, foot, top = picture.get_extent()
    ny, nx = result.maps["eyy"].shape
    step = result.summary["strain"]["step"]
    assert (right - left) / nx == pytest.approx(step[1])
    assert (foot - top) / ny == pytest.approx(step[0])
    assert left + step[1] / 2 == pytest.approx(0)  # the middle of the first value
    assert top + step[0] / 2 == pytest.approx(0)


def test_an_origin_moves_the_values(result):
    moved = {**result.summary["strain"], "origin": [30.0, 50.0]}
    there = replace(result, summary=result.summary | {"strain": moved})
    before, after = (plot_strain(one, "exx").images[0].get_extent() for one in (result, there))
    np.testing.assert_allclose(np.subtract(after, before), [50, 50, 30, 30])


def test_colours_are_balanced_and_shared_by_the_strains(result):
    limits = {name: plot_strain(result, name).images[0].get_clim() for name in (*STRAINS, "rotation")}
    assert all(low == -high for low, high in limits.values())
    assert len({limits[name] for name in STRAINS}) == 1
    assert limits["rotation"] != limits["exx"]


def test_noise_alone_looks_pale(result):
    noise = result.summary["strain"]["noise"]["strain"]
    quiet = {name: (0.01 * result.maps[name]).astype(np.float32) for name in STRAINS}
    calm = replace(result, maps=result.maps | quiet)
    assert colour_limit(calm, STRAINS) == pytest.approx(100 * 4 * noise)


def test_one_wild_value_does_not_set_the_colours(result):
    wild = result.maps["exx"].copy()
    wild[10, 10] = 3.0
    assert colour_limit(replace(result, maps=result.maps | {"exx": wild}), STRAINS) < 2


def test_bars_name_the_map_and_its_unit(result):
    words = {name: [t.get_text() for t in plot_strain(result, name).texts] for name in ("exy", "rotation")}
    assert "ε$_{xy}$ [%]" in words["exy"]
    assert "rotation [°]" in words["rotation"]


def test_boundaries_are_drawn_over_the_map(result):
    lines = [line for line in plot_strain(result, "exx").lines if line.get_gid() == "boundary"]
    assert len(lines) == 2


def test_maps_that_know_nothing_are_drawn_all_the_same(result):
    nothing = {name: np.full_like(result.maps[name], np.nan) for name in (*STRAINS, "rotation")}
    unknown = {"strain": None, "rotation": None, "displacement": None}
    told = {**result.summary["strain"], "noise": unknown}
    blank = replace(result, maps=result.maps | nothing, summary=result.summary | {"strain": told})
    assert Picture.open(BytesIO(strain_png(blank, "exx"))).format == "PNG"


def test_without_maps_or_summary_there_is_no_strain(result, make_result):
    assert has_strain(result)
    assert not has_strain(make_result(n_each=0))
    assert not has_strain(replace(result, summary=result.summary | {"strain": None}))


@pytest.mark.parametrize("shape", [(40, 10), (10, 40)])
def test_tall_and_wide_images_have_room_for_their_bar(result, shape):
    image = result.image.crop((slice(0, shape[0] * 5), slice(0, shape[1] * 5)))
    wide, high = Picture.open(BytesIO(strain_png(replace(result, image=image), "exx"))).size
    assert max(wide, high) < 900
    assert wide > 400
