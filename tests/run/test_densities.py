import json
from types import SimpleNamespace

import numpy as np
import pytest

from antisite.evaluate.recall_curve import RecallCurve, fit_recall
from antisite.run.densities import Place, count_defects, count_places

AREA = 50.0  # nm²


NAMES = ("A", "B", "hollow")
PLACES = [Place(name=name, hollow=name == "hollow", checked=True) for name in NAMES]


def grain(number, kind, ratio, owner=None, *, hole=None):
    n = len(kind)
    crystal = SimpleNamespace(
        sites=SimpleNamespace(sublattice=np.zeros(n, dtype=int) if owner is None else np.array(owner)),
        sublattices=[SimpleNamespace(name=name, hollow=name == "hollow") for name in NAMES],
    )
    return SimpleNamespace(
        number=number,
        crystal=crystal,
        kind=np.array(kind),
        scores=SimpleNamespace(mean_ratio=np.array(ratio, dtype=float)),
        tested=np.ones(n, dtype=bool),
        hole=np.full(n, -1) if hole is None else np.array(hole),
    )


def always(recall, *, n=1000):
    """A curve that has this recall, exactly known, at every change worth the name."""
    one = np.ones(1)
    return RecallCurve(middle=-one, width=0.01 * one, lapse=(1 - recall) * one, weight=one, n=n)


def count(kind, ratio, curves=None, *, owner=None, area=AREA, n_holes=0):
    kind, ratio = np.array(kind), np.array(ratio, dtype=float)
    owner = np.zeros(len(kind), dtype=int) if owner is None else np.array(owner)
    tested = np.ones(len(kind), dtype=bool)
    return count_places(PLACES, owner, kind, ratio, tested, n_holes=n_holes, area=area, curves=curves)


def row(told, kind, sublattice="all"):
    (only,) = [d for d in told["densities"] if (d["kind"], d["sublattice"]) == (kind, sublattice)]
    return only


FOUR = ["vacancy"] * 4 + ["none"] * 96
FOUR_RATIO = [0.0] * 4 + [1.0] * 96


def test_of_defects_that_are_found_half_the_time_there_are_twice_as_many():
    vacancy = row(count(FOUR, FOUR_RATIO, {(0, "dark"): always(0.5)}), "vacancy")
    assert vacancy["density"] == pytest.approx(4 / AREA)
    assert vacancy["recall"] == pytest.approx(0.5)
    assert vacancy["corrected"] == pytest.approx(8 / AREA)


def test_what_is_always_found_needs_no_correction():
    vacancy = row(count(FOUR, FOUR_RATIO, {(0, "dark"): always(1.0)}), "vacancy")
    assert vacancy["corrected"] == pytest.approx(vacancy["density"])
    assert vacancy["corrected_low"] == pytest.approx(vacancy["low"])
    assert vacancy["corrected_high"] == pytest.approx(vacancy["high"])


def test_each_found_defect_stands_for_those_missed_of_its_own_strength():
    curve = fit_recall([0.1, 0.3, 0.5, 0.7, 1.0], [0, 500, 1000, 1000, 1000], [1000] * 5)
    told = count(["dim_site"] * 2 + ["none"] * 8, [0.7, 0.3] + [1.0] * 8, {(0, "dark"): curve})
    weak, strong = (curve(size).value for size in (0.3, 0.7))
    assert weak < 0.6 < 0.9 < strong
    assert row(told, "dim_site")["corrected"] == pytest.approx((1 / weak + 1 / strong) / AREA, rel=0.02)


def test_interval_holds_the_corrected_density_and_both_uncertainties():
    dark = fit_recall([0.2, 0.5, 1.0], [0, 12, 18], [20] * 3)
    known, open_ = (row(count(FOUR, FOUR_RATIO, {(0, "dark"): c}), "vacancy") for c in (always(0.9), dark))
    for vacancy in (known, open_):
        assert vacancy["corrected_low"] < vacancy["corrected"] < vacancy["corrected_high"]
        assert vacancy["corrected_low"] >= vacancy["low"]
        assert vacancy["corrected_high"] >= vacancy["high"]
    raised = [open_[f"corrected{end}"] / open_[end[1:] or "density"] for end in ("_low", "", "_high")]
    assert raised[0] < 0.97 * raised[1] < 0.94 * raised[2]
    widths = [v["corrected_high"] / v["corrected_low"] for v in (known, open_)]
    assert widths[1] > 1.02 * widths[0]


def test_sublattice_and_side_have_a_recall_of_their_own():
    curves = {(0, "dark"): always(0.5), (1, "dark"): always(0.8), (1, "bright"): always(0.25)}
    curves[0, "bright"] = always(0.9)
    kind = ["vacancy", "vacancy", "bright_site"] + ["none"] * 7
    told = count(kind, [0.0, 0.0, 1.6] + [1.0] * 7, curves, owner=[0, 1, 1] + [0] * 7)
    assert row(told, "vacancy", "A")["recall"] == pytest.approx(0.5)
    assert row(told, "vacancy", "B")["recall"] == pytest.approx(0.8)
    assert row(told, "vacancy")["corrected"] == pytest.approx((1 / 0.5 + 1 / 0.8) / AREA)
    assert row(told, "bright_site")["recall"] == pytest.approx(0.25)


def test_without_a_self_check_nothing_is_corrected():
    for curves in (None, {}):
        vacancy = row(count(FOUR, FOUR_RATIO, curves), "vacancy")
        assert vacancy["density"] == pytest.approx(4 / AREA)
        for key in ("recall", "corrected", "corrected_low", "corrected_high"):
            assert vacancy[key] is None


def test_where_one_sublattice_was_not_checked_the_whole_is_unknown():
    told = count(["vacancy"] * 2 + ["none"], [0.0, 0.0, 1.0], {(0, "dark"): always(0.5)}, owner=[0, 1, 0])
    assert row(told, "vacancy", "A")["recall"] == pytest.approx(0.5)
    assert row(told, "vacancy", "B")["recall"] is None
    assert row(told, "vacancy")["recall"] is None


def test_what_one_sublattice_hides_is_not_corrected_by_another():
    curves = {(0, "dark"): always(0.9), (1, "dark"): always(0.1)}
    told = count(FOUR, FOUR_RATIO, curves, owner=[0] * 50 + [1] * 50)
    assert row(told, "vacancy")["recall"] == pytest.approx(0.1)
    assert row(told, "vacancy")["corrected"] is None


def test_never_more_defects_than_sites():
    told = count(["vacancy"] * 3 + ["none"], [0.0] * 3 + [1.0], {(0, "dark"): always(0.5)})
    assert row(told, "vacancy")["recall"] == pytest.approx(0.5)
    assert row(told, "vacancy")["corrected"] is None


def test_nothing_is_known_of_the_recall_of_holes():
    told = count(["hole"] * 4 + ["none"], [0.0] * 4 + [1.0], {(0, "dark"): always(0.5)}, n_holes=1)
    assert told["counts"] == {"hole": 1}
    assert row(told, "hole")["recall"] is None
    assert row(told, "hole")["corrected"] is None


def test_nothing_is_known_of_the_recall_of_columns_that_only_moved():
    both = {(0, "dark"): always(0.5), (0, "bright"): always(0.5)}
    told = count(["other", "other", "none"], [0.95, 1.02, 1.0], both)
    assert told["counts"] == {"other": 2}
    assert row(told, "other")["recall"] is None


def test_rare_find_does_not_stand_for_those_that_were_missed():
    curve = fit_recall([0.5, 1.0], [0, 0], [500] * 2)
    vacancy = row(count(FOUR, FOUR_RATIO, {(0, "dark"): curve}), "vacancy")
    assert vacancy["recall"] < 0.1
    assert vacancy["density"] == pytest.approx(4 / AREA)
    for key in ("corrected", "corrected_low", "corrected_high"):
        assert vacancy[key] is None


def test_density_is_per_tested_site_without_a_scale():
    vacancy = row(count(FOUR, FOUR_RATIO, {(0, "dark"): always(0.5)}, area=None), "vacancy")
    assert (vacancy["per"], vacancy["density"]) == ("site", pytest.approx(0.04))
    assert vacancy["corrected"] == pytest.approx(0.08)


def test_all_of_it_fits_into_json():
    told = count(
        ["vacancy", "interstitial", "hole", "none"],
        [0.0, 1.7, 0.0, np.nan],
        {(0, "dark"): always(0.5), (2, "bright"): fit_recall([0.5], [3], [4])},
        owner=[0, 2, 1, 1],
        n_holes=1,
    )
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_grains_are_pooled_and_each_defect_stands_for_those_of_its_own_grain():
    grains = [grain(0, FOUR, FOUR_RATIO), grain(1, FOUR, FOUR_RATIO)]
    curves = [{(0, "dark"): always(1.0)}, {(0, "dark"): always(0.5)}]
    told = count_defects(grains, area=AREA, curves=curves)
    assert told["counts"] == {"vacancy": 8}
    assert row(told, "vacancy")["corrected"] == pytest.approx((4 + 8) / AREA)
    assert row(told, "vacancy", "grain 0 · A")["recall"] == pytest.approx(1.0)
    assert row(told, "vacancy", "grain 1 · A")["corrected"] == pytest.approx(8 / AREA)


def test_sublattices_of_one_grain_are_named_without_it():
    told = count_defects([grain(0, ["vacancy", "vacancy", "none"], [0, 0, 1], [0, 1, 0])], area=AREA)
    assert {d["sublattice"] for d in told["densities"]} == {"all", "A", "B"}


def test_grain_that_was_not_planted_hides_nothing_of_the_others():
    quiet, dim = ["none"] * 50, ["vacancy"] + ["none"] * 49
    curves = [{(0, "dark"): always(0.5)}, {}]
    found, ones = grain(0, FOUR, FOUR_RATIO), [1.0] * 50
    known = row(count_defects([found, grain(1, quiet, ones)], area=AREA, curves=curves), "vacancy")
    open_ = row(count_defects([found, grain(1, dim, [0.0, *ones[1:]])], area=AREA, curves=curves), "vacancy")
    assert known["recall"] == pytest.approx(0.5)
    assert (open_["n"], open_["recall"]) == (5, None)


def test_holes_of_all_grains_are_counted():
    grains = [grain(0, ["hole"] * 2, [0, 0], hole=[0, 0]), grain(1, ["hole"] * 2, [0, 0], hole=[1, 1])]
    assert count_defects(grains, area=AREA)["counts"] == {"hole": 2}
