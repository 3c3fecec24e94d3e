from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antisite.defects import defect_table
from antisite.image import Image
from antisite.plot.gallery import (
    SIDE,
    cut_windows,
    pair_defects,
    pair_picture,
    pick_defects,
    predicted,
)
from antisite.result import Result


def test_a_window_holds_the_pixels_around_its_centre():
    y, x = np.mgrid[:30, :40].astype(np.float32)
    window = cut_windows(np.stack([y, x]), np.array([[12.5, 20.25]]), half=4.0, side=9)[0]
    assert np.allclose(window[0][:, 0], np.linspace(8.5, 16.5, 9))
    assert np.allclose(window[1][0], np.linspace(16.25, 24.25, 9))


def test_a_window_is_empty_beyond_the_frame():
    window = cut_windows(np.ones((1, 10, 10), np.float32), np.array([[0.0, 5.0]]), half=3, side=7)[0, 0]
    assert np.isnan(window[:3]).all()
    assert np.isfinite(window[3:]).all()


def test_a_vacancy_stands_beside_a_bright_column(make_result):
    result = make_result()
    vacancies = result.defects[result.defects["kind"] == "vacancy"]
    middle = slice(SIDE // 2 - 3, SIDE // 2 + 3)
    for pair in pair_defects(result, vacancies):
        assert pair.perfect[0, middle, middle].mean() > 0.8
        assert pair.found[0, middle, middle].mean() < 0.3


def test_an_interstitial_stands_beside_a_hollow(make_result):
    result = make_result()
    found = result.defects[result.defects["kind"] == "interstitial"]
    middle = slice(SIDE // 2 - 3, SIDE // 2 + 3)
    for pair in pair_defects(result, found):
        assert pair.found[0, middle, middle].mean() > pair.perfect[0, middle, middle].mean() + 0.3


def test_every_defect_is_paired_once(make_result):
    result = make_result(n_each=4)
    pairs = list(pair_defects(result, result.defects))
    assert sorted(p.row["id"] for p in pairs) == sorted(result.defects["id"])


def test_without_perfect_sites_there_is_no_counterpart(make_result):
    result = replace(make_result(), sites=defect_table())
    pair = next(pair_defects(result, result.defects))
    assert pair.perfect is None
    assert pair_picture(pair).shape == (SIDE, SIDE)


def test_a_hole_is_shown_whole_and_alone():
    pixels = np.ones((200, 200), np.float32)
    pixels[70:130, 50:150] = 0.0
    columns = {"kind": "hole", "y": [100.0], "x": [100.0], "length": 100.0, "width": 60.0, "angle": 0.0}
    hole = defect_table({**columns, "score": 30.0})
    (pair,) = pair_defects(Result(image=Image(pixels), defects=hole, sites=hole), hole)
    assert pair.perfect is None
    picture = pair_picture(pair)
    assert picture.shape == (2 * SIDE, 2 * SIDE)
    dark = picture[SIDE] < 128
    assert dark.mean() == pytest.approx(1 / 1.3, abs=0.02)
    assert (picture[[0, -1]] == 255).all()


def test_a_measured_shift_does_not_move_the_window():
    table = defect_table({"y": [10.5, 7.0], "x": [4.0, 8.0], "dy": [0.5, np.nan], "dx": [-1.0, np.nan]})
    assert predicted(table).tolist() == [[10.0, 5.0], [7.0, 8.0]]


def test_few_defects_are_all_shown_strongest_first():
    strong, doubtful = pick_defects(defect_table({"score": [3.0, 9.0, 5.0]}), limit=4)
    assert strong["score"].tolist() == [9.0, 5.0, 3.0]
    assert len(doubtful) == 0


def test_of_many_defects_the_strongest_and_the_most_doubtful_are_shown():
    strong, doubtful = pick_defects(defect_table({"score": np.arange(100.0)}), limit=24)
    assert strong["score"].tolist() == list(np.arange(99.0, 83.0, -1))
    assert doubtful["score"].tolist() == list(np.arange(8.0))


def test_no_defects_make_no_pairs(make_result):
    result = make_result(n_each=0)
    strong, doubtful = pick_defects(result.defects)
    assert len(strong) == len(doubtful) == 0
    assert list(pair_defects(result, strong)) == []


@pytest.mark.parametrize("n", [1, 2])
def test_a_picture_has_a_row_for_each_detector(make_result, n):
    result = make_result(n_channels=n)
    picture = pair_picture(next(pair_defects(result, result.defects)), gap=3)
    assert picture.shape == (n * SIDE + (n - 1) * 3, 2 * SIDE + 3)
