from dataclasses import replace

import numpy as np
import pytest

from antisite.plot.grains import GRAINS, grain_colours, grain_places, grain_sheet, shown_grains


@pytest.fixture(scope="module")
def result(make_result, with_planar):
    return with_planar(make_result(shape=(400, 480), n_each=1))


def test_each_grain_has_its_colour_and_what_is_none_is_clear():
    sheet = grain_sheet(np.array([[0, 1], [-1, 2]]))
    assert (sheet[1, 0] == 0).all()
    assert len({tuple(colour) for colour in sheet.reshape(-1, 4)}) == 4
    assert 0 < sheet[0, 0, 3] < 255


def test_of_many_grains_no_two_neighbours_share_a_colour():
    domain = np.kron(np.random.default_rng(0).permutation(24).reshape(4, 6), np.ones((20, 20), dtype=int))
    colours = grain_colours(domain)
    assert len(colours) == 24
    assert len(set(colours)) == len(GRAINS)
    for first, second in ((domain[1:], domain[:-1]), (domain[:, 1:], domain[:, :-1])):
        for i, k in zip(first.ravel(), second.ravel(), strict=True):
            assert i == k or colours[i] != colours[k]


def test_seams_between_grains_are_coloured_and_areas_without_a_crystal_are_not(result):
    domain = result.maps["domain"].copy()
    at = np.flatnonzero(np.diff(domain[200]))[0]
    domain[190:210, at - 4 : at + 4] = -1
    shown = shown_grains(replace(result, maps=result.maps | {"domain": domain}))
    assert (shown[190:210, at - 4 : at + 4] >= 0).all()
    assert (shown[:20, :140] == -1).all()


def test_a_grain_is_named_inside_itself():
    y, x = np.mgrid[:300, :300]
    domain = np.where(np.hypot(y - 150, x - 150) < 60, 1, 0)  # the middle of grain 0 lies in grain 1
    domain[y < 20] = -1
    places = grain_places(domain)
    assert set(places) == {0, 1}
    for grain, (gx, gy) in places.items():
        assert domain[round(gy), round(gx)] == grain
