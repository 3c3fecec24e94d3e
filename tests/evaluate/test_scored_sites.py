"""A square lattice of 20 px on 201 × 201 px: sites at 10, 30, …, 190 px."""

import numpy as np
import pandas as pd
import pytest

from antisite.defects import defect_table
from antisite.evaluate.scored_sites import scored_sites
from antisite.evaluate.scores import evaluate_result

SHAPE = (201, 201)
NN = A = 20.0


def make_sites(flags=(), *, score=1.0, **columns):
    """All 100 sites with score 1; the flagged ones (y, x, kind) score 9."""
    y, x = (axis.ravel() for axis in np.meshgrid(np.arange(10.0, 200, 20), np.arange(10.0, 200, 20)))
    given = {"y": y, "x": x, "sublattice": "A", "score": np.full(100, score)} | columns
    sites = defect_table(given)
    for fy, fx, kind in flags:
        at = (sites["y"] == fy) & (sites["x"] == fx)
        sites.loc[at, ["kind", "score"]] = [kind, 9.0]
    return sites


def make_truth(*labels):
    rows = [
        {"y": y, "x": x, "label": word, "kind": kind, "path": "", "scored": kind != "other"}
        for y, x, word, kind in labels
    ]
    return pd.DataFrame(rows, columns=["y", "x", "label", "kind", "path", "scored"]).astype(
        {"y": float, "x": float, "label": str, "kind": str, "path": str, "scored": bool}
    )


def evaluate(sites, truth):
    defects = sites[sites["kind"] != "none"]
    return evaluate_result(sites, defects, truth, nn=NN, a=A, shape=SHAPE)


VACANCY = (50, 50, "Se2_vacancy", "vacancy")


def test_sites_within_one_lattice_spacing_of_the_frame_are_left_out_and_counted():
    scores = evaluate(make_sites(), make_truth())
    assert scores.n_scored == 64
    assert scores.n_left_out["near the frame"] == 36


def test_a_defect_near_the_frame_is_neither_missed_nor_found():
    scores = evaluate(make_sites([(10, 50, "vacancy")]), make_truth((10, 50, "Se2_vacancy", "vacancy")))
    assert (scores.detection.tp, scores.detection.fp, scores.detection.fn) == (0, 0, 0)
    assert scores.n_left_out["labelled defects near the frame"] == 1


def test_the_predicted_site_decides_whether_it_is_near_the_frame():
    sites = make_sites([(30, 50, "vacancy")])
    sites.loc[(sites["y"] == 30) & (sites["x"] == 50), ["dy", "dx"]] = [15.0, 0.0]
    assert evaluate(sites, make_truth()).detection.fp == 0


def test_flags_are_found_invented_or_missed():
    sites = make_sites([(50, 50, "vacancy"), (90, 90, "dim_site")])
    truth = make_truth((51, 52, "Se2_vacancy", "vacancy"), (110, 70, "Cr_on_W", "substitution"))
    scores = evaluate(sites, truth)
    assert (scores.detection.tp, scores.detection.fp, scores.detection.fn) == (1, 1, 1)
    assert scores.localisation.median.value == pytest.approx(np.hypot(1, 2))
    assert scores.confusion.loc["Cr_on_W", "none"] == 1
    assert scores.confusion.loc["", "dim_site"] == 1
    assert scores.kind_accuracy.value == 1


@pytest.mark.parametrize(("offset", "n_found"), [(6.6, 1), (6.7, 0)])
def test_a_label_reaches_a_third_of_the_nearest_neighbour_distance(offset, n_found):
    scores = evaluate(make_sites([(50, 50, "vacancy")]), make_truth((50 + offset, 50, "vacancy", "vacancy")))
    assert scores.detection.tp == n_found
    assert scores.detection.fn == scores.detection.fp == 1 - n_found


def test_where_only_defects_are_labelled_every_other_site_is_perfect():
    scores = evaluate(make_sites([(50, 50, "vacancy")]), make_truth(VACANCY))
    assert scores.roc["any defect"].n_negative == 63
    assert scores.n_left_out["without a label"] == 0


def test_where_perfect_columns_are_labelled_other_sites_do_not_count():
    sites = make_sites([(50, 50, "vacancy"), (90, 90, "dim_site"), (110, 110, "dim_site")])
    truth = make_truth(VACANCY, (70, 70, "W", "none"), (90, 90, "W", "none"))
    scores = evaluate(sites, truth)
    assert scores.n_scored == 3
    assert scores.n_left_out["without a label"] == 61
    assert scores.n_left_out["flags without a label"] == 1
    assert (scores.detection.tp, scores.detection.fp) == (1, 1)


def test_a_site_with_an_uncertain_label_leaves_the_scoring():
    sites = make_sites([(50, 50, "vacancy"), (90, 90, "dim_site")])
    scores = evaluate(sites, make_truth(VACANCY, (90, 90, "uncertain_metal_site", "other")))
    assert scores.detection.fp == 0
    assert scores.n_scored == 63
    assert scores.n_left_out["uncertain"] == 1


def test_a_labelled_defect_without_a_site_is_missed_with_the_lowest_score():
    sites = make_sites()
    sites = sites[(sites["y"] != 50) | (sites["x"] != 50)]
    scores = evaluate(sites, make_truth(VACANCY))
    assert scores.detection.fn == 1
    assert scores.roc["any defect"].value == 0


def test_a_labelled_defect_on_a_site_that_was_not_tested_is_missed():
    scores = evaluate(make_sites(score=np.nan), make_truth(VACANCY))
    assert scores.detection.fn == scores.n_scored == 1
    assert scores.n_left_out["not tested"] == 63


def test_hollow_sites_count_only_when_flagged_or_labelled():
    sites = make_sites([(50, 50, "interstitial"), (90, 90, "interstitial")], sublattice="hollow")
    truth = make_truth((50, 50, "interstitial", "interstitial"), (130, 130, "interstitial", "interstitial"))
    scores = evaluate(sites, truth)
    assert scores.n_scored == 3
    assert (scores.detection.tp, scores.detection.fp, scores.detection.fn) == (1, 1, 1)


def test_a_flagged_hollow_site_is_false_even_where_columns_are_labelled():
    sites = make_sites([(90, 90, "interstitial")], sublattice="hollow")
    assert evaluate(sites, make_truth((57, 57, "W", "none"))).detection.fp == 1


def test_each_label_has_its_own_area_against_all_perfect_sites():
    sites = make_sites([(50, 50, "vacancy")])
    scores = evaluate(sites, make_truth(VACANCY, (90, 90, "Cr_on_W", "substitution")))
    assert scores.roc["Se2_vacancy"].value == 1
    assert scores.roc["Cr_on_W"].value == 0.5
    assert scores.roc["any defect"].value == 0.75
    assert {area.n_negative for area in scores.roc.values()} == {62}


def test_lines_are_counted_and_not_scored():
    truth = make_truth(VACANCY).assign(path="LINESTRING (0 0, 9 9)", kind="grain_boundary")
    scores = evaluate(make_sites(), truth)
    assert scores.detection.fn == 0
    assert scores.n_left_out["lines"] == 1


def test_planar_defects_are_no_false_points():
    sites = make_sites()
    planar = defect_table(
        {"y": [90.0], "x": [90.0], "kind": "twin_boundary", "path": "LINESTRING (0 0, 9 9)"}
    )
    assert evaluate_result(sites, planar, make_truth(), nn=NN, a=A, shape=SHAPE).detection.fp == 0


def test_flags_come_from_the_table_of_defects():
    sites = make_sites([(50, 50, "vacancy")])
    extra = defect_table({"y": [90.0], "x": [90.0], "kind": "vacancy", "score": 5.0})
    assert evaluate_result(sites, extra, make_truth(), nn=NN, a=A, shape=SHAPE).detection.fp == 1


def test_empty_tables_have_scores_without_values():
    scores = evaluate(defect_table(), make_truth())
    assert scores.n_scored == 0
    assert np.isnan(scores.roc["any defect"].value)


def test_inputs_are_left_as_they_were():
    sites, truth = make_sites([(50, 50, "vacancy")]), make_truth(VACANCY)
    before = sites.copy(), truth.copy()
    scored_sites(sites, sites[sites["kind"] != "none"], truth, nn=NN, a=A, shape=SHAPE)
    pd.testing.assert_frame_equal(sites, before[0])
    pd.testing.assert_frame_equal(truth, before[1])


@pytest.mark.parametrize("name", ["hollow", "hollow 1", "hollow 2"])
def test_quiet_hollow_site_is_not_scored_whatever_its_number(name):
    sites = defect_table({"y": [50.0, 60.0], "x": [50.0, 60.0], "sublattice": ["A", name], "score": 1.0})
    truth = pd.DataFrame(
        {"y": [20.0], "x": [20.0], "label": ["vacancy"], "kind": ["vacancy"], "path": [""], "scored": [True]}
    )
    scored = scored_sites(sites, defect_table(), truth, nn=9.0, a=10.0, shape=(100, 100))
    assert scored.table["score"].tolist() == [1.0, 0.0]
