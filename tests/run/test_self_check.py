import functools
import json
import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.detect.point_defects import PointDefectFinder
from antisite.detect.site_scores import SiteEvidence, SiteScores
from antisite.image import Image
from antisite.run.crystal_search import find_specimen
from antisite.run.pipeline import find_defects
from antisite.run.self_check import check_detection
from antisite.run.settings import Settings
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.image import sketch_image

SHAPE = (160, 160)
PIXEL = 0.2
FINDER = PointDefectFinder(fdr=0.05, min_dark=0.2, min_bright=0.3)


def look(pixels):
    return find_specimen(pixels[None].astype(np.float32), np.zeros(pixels.shape, dtype=bool))


@functools.cache
def specimen_of(dose, name="au100", shape=SHAPE, seed=2):
    image, _ = sketch_image(name, shape=shape, pixel_size=PIXEL, rotation=0.3, dose=dose, rng=seed)
    return look(image.pixels)


def check(specimen, finder=FINDER, *, seed=0):
    return check_detection(
        specimen, finder, [finder.measure(specimen.channels, c) for c in specimen.crystals], seed=seed
    )


@functools.cache
def checked(dose):
    return check(specimen_of(dose))


def told_of(check, sublattice, side):
    (one,) = [r for r in check.told["recall"] if (r["sublattice"], r["side"]) == (sublattice, side)]
    return one


def recall_at(check, change, sublattice="A"):
    (point,) = [p for p in told_of(check, sublattice, "dark")["points"] if p["change"] == change]
    return point["recall"]


def test_in_a_clear_image_every_dark_column_is_found():
    for change in (-0.5, -1.0):
        assert recall_at(checked(1e7), change) > 0.97
    assert checked(1e7).curves[0][0, "dark"](0.5).value > 0.95
    assert abs(told_of(checked(1e7), "A", "dark")["limit"]["change"]) < 0.45


def test_fewer_electrons_show_fewer_defects():
    recalls = [
        [checked(dose).curves[0][0, "dark"](size).value for size in (0.3, 0.5)] for dose in (1e7, 1.5e4, 3e3)
    ]
    assert np.all(np.diff(recalls, axis=0) <= 0.01)
    assert recalls[2][0] < recalls[0][0] - 0.3


def test_same_seed_gives_the_same_check_and_another_seed_another():
    first, second = checked(1.5e4), check(specimen_of(1.5e4))
    assert first.told == second.told
    assert np.array_equal(first.scores[0].flagged, second.scores[0].flagged)
    assert check(specimen_of(1.5e4), seed=1).told["recall"] != first.told["recall"]


SCHEMA = {
    "n_rounds",
    "n_planted",
    "share",
    "fdr_nominal",
    "fdr_used",
    "n_already",
    "realised",
    "realised_nominal",
    "full_run",
    "recall",
}


def test_outcome_has_every_field_and_fits_into_json():
    told = checked(1.5e4).told
    assert set(told) >= SCHEMA
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for rate in (told["realised"], told["realised_nominal"]):
        assert set(rate) >= {"n_false", "n_discoveries", "rate", "low", "high"}
        assert rate["low"] <= rate["rate"] <= rate["high"]
    assert set(told["full_run"]) >= {"n_planted", "n_found", "n_scored"}
    assert sum(p["n"] for r in told["recall"] for p in r["points"]) == told["n_planted"]


def test_curves_are_told_by_sublattice_and_side_from_weak_to_strong():
    recall = checked(1.5e4).told["recall"]
    assert {(r["sublattice"], r["side"]) for r in recall} == {
        ("A", "dark"),
        ("A", "bright"),
        ("hollow", "bright"),
    }
    for one in recall:
        sign = -1 if one["side"] == "dark" else 1
        assert one["hollow"] == (one["sublattice"] == "hollow")
        for name in ("points", "curve"):
            sizes = [sign * item["change"] for item in one[name]]
            assert sizes == sorted(sizes)
            assert all(0 <= item["low"] <= item["high"] <= 1 for item in one[name])
        assert (abs(one["curve"][0]["change"]), one["curve"][-1]["change"]) == (0, sign)
        if one["limit"]:
            weakest, strongest = sorted((abs(one["limit"]["low"]), abs(one["limit"]["high"])))
            assert weakest <= abs(one["limit"]["change"]) <= strongest <= 1


def test_full_run_finds_what_scoring_alone_finds():
    full = checked(1e7).told["full_run"]
    assert full["n_planted"] >= 3
    assert full["n_scored"] <= full["n_planted"]
    assert abs(full["n_found"] - full["n_scored"]) <= 1


@pytest.mark.parametrize(
    ("settings", "not_asked_for"),
    [
        (Settings(planar=False), "antisite.run.crystal_search.find_structure"),
        (Settings(method="patterson"), "antisite.crystal.domains.SpectrumDomainFinder.group"),
    ],
)
def test_full_run_searches_as_the_run_itself_did(monkeypatch, settings, not_asked_for):
    def refuse(*_, **__):
        raise AssertionError(f"{not_asked_for} was not asked for")

    monkeypatch.setattr(not_asked_for, refuse)
    image, _ = sketch_image("au100", shape=(128, 128), pixel_size=0.3, rotation=0.3, dose=1e6, rng=2)
    full = find_defects(image, settings=settings).summary["self_check"]["full_run"]
    assert full["n_found"] > 0


def test_predicted_recall_is_that_of_defects_that_are_really_there():
    """A third of the light of 1 column in 25 is taken from the crystal itself, then it is recorded."""
    shape, change, dose = (256, 256), -0.3, 1e4
    image, truth = sketch_image("au100", shape=shape, pixel_size=PIXEL, rotation=0.3, rng=1)
    columns = truth.sites[["y", "x"]].to_numpy()
    inner = np.flatnonzero(((columns > 12) & (columns < 243)).all(axis=1))
    sigma = math.hypot(0.4, 0.3)
    found, predicted = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        places = columns[rng.choice(inner, len(columns) // 25, replace=False)]
        peaks = np.full(len(places), change * (0.4 / sigma) ** 2)
        pixels = image.pixels + draw_columns(places, peaks, shape=shape, sigma=sigma / PIXEL)
        specimen = look(add_dose_noise(pixels, dose=dose, pixel_size=PIXEL, rng=rng))
        if seed < 2:
            scan = check(specimen)
            predicted.append(scan.curves[0][0, "dark"](-change).value)
        flagged = FINDER(specimen.channels, specimen.crystal).flagged
        found.append(flagged[cKDTree(specimen.crystal.sites.positions).query(places)[1]])
    assert sum(map(len, found)) > 70
    assert 0.15 < np.mean(predicted) < 0.98
    assert np.mean(predicted) == pytest.approx(np.concatenate(found).mean(), abs=0.15)


@dataclass(frozen=True, kw_only=True)
class FakeFinder:
    """Sees planted light as it is; invents `n_false` sites an image while its rate is above `holds_at`."""

    original: np.ndarray
    column: float
    fdr: float = 0.05
    n_false: int = 0
    n_before: int = 0
    holds_at: float = 0.0
    least: float = 0.1
    blind: bool = False
    effort: ClassVar[int] = 1
    share: ClassVar[float] = 0.04

    def at_rate(self, fdr):
        return replace(self, fdr=fdr)

    def measure(self, channels, crystal, *, references=()):
        last = np.array(self.original.shape) - 1
        y, x = np.clip(np.round(crystal.sites.positions).astype(int), 0, last).T
        z = (channels[0] - self.original)[y, x] / self.column
        z[crystal.mask[y, x]] = np.nan
        return SiteEvidence(z=z, ratio=1 + z[None], score=np.abs(z), tests=())

    def decide(self, evidence, crystal, *, p_limit=None):
        flagged = np.abs(evidence.z) > self.least
        untouched = np.abs(evidence.z) <= 0.1
        if np.nan_to_num(evidence.z).any() and self.fdr > self.holds_at:
            flagged[np.flatnonzero(untouched)[self.n_before :][: self.n_false]] = True
        flagged[: self.n_before] = True
        empty = SiteScores.empty(len(flagged), n_channels=1, n_sublattices=len(crystal.sublattices))
        called = np.stack([flagged & ~self.blind, np.zeros_like(flagged)])
        return replace(empty, z=evidence.z, ratio=evidence.ratio, score=evidence.score, called=called)


def fake(**options):
    specimen = specimen_of(math.inf)
    column = float(np.ptp(specimen.channels[0]))
    return specimen, FakeFinder(original=specimen.channels[0], column=column, **options)


def test_false_discoveries_are_those_neither_planted_nor_flagged_before():
    told = check(*fake(n_false=1, n_before=5)).told
    n, realised = told["n_rounds"], told["realised_nominal"]
    assert n > 1
    assert realised["n_false"] == n
    assert told["n_already"] == 5
    assert realised["n_discoveries"] == told["n_planted"] + n
    assert realised["rate"] == pytest.approx(n / (told["n_planted"] + n))


def test_sites_that_were_flagged_before_are_not_planted():
    specimen, finder = fake(n_before=60)
    told = check(specimen, finder).told
    assert told["realised"]["n_discoveries"] == told["n_planted"]  # each planted one is new


def test_curves_count_what_the_finder_finds():
    outcome = check(*fake(least=0.45))
    for point in told_of(outcome, "A", "dark")["points"]:
        if abs(point["change"]) <= 0.4:
            assert point["n_found"] == 0
        if abs(point["change"]) >= 0.7:
            assert point["n_found"] == point["n"] > 0
    assert outcome.curves[0][0, "dark"](0.3).value < 0.1
    assert outcome.curves[0][0, "dark"](1.0).value > 0.9


def test_rate_that_holds_is_left_as_it_is():
    told = check(*fake()).told
    assert told["fdr_used"] == told["fdr_nominal"] == 0.05
    assert told["realised"] == told["realised_nominal"]
    assert told["realised"]["n_false"] == 0


def test_rate_is_lowered_until_it_holds_and_both_are_told():
    outcome = check(*fake(n_false=9, holds_at=0.01))
    told = outcome.told
    assert told["realised_nominal"]["rate"] > 0.05
    assert told["fdr_nominal"] == 0.05
    assert 0.001 < told["fdr_used"] <= 0.01
    assert told["realised"]["n_false"] == 0


def test_limits_are_tightened_no_further_than_needed():
    told = check(*fake(n_false=9, holds_at=0.03)).told
    assert 0.01 < told["fdr_used"] <= 0.03


def test_rate_that_never_holds_is_told_as_it_is():
    told = check(*fake(n_false=9)).told
    assert told["fdr_used"] < 0.001
    assert told["realised"]["rate"] > told["fdr_nominal"]


def test_finder_that_finds_nothing_has_no_limit():
    told = check(*fake(blind=True)).told
    assert told["realised"]["n_discoveries"] == 0
    assert all(r["limit"] is None for r in told["recall"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_image_in_which_every_site_is_flagged_is_not_planted():
    outcome = check(*fake(n_before=10**6))
    assert (outcome.told["n_rounds"], outcome.told["n_planted"]) == (0, 0)
    assert outcome.told["recall"] == []
    assert outcome.told["full_run"] is None
    assert json.loads(json.dumps(outcome.told, allow_nan=False)) == outcome.told


@pytest.fixture(scope="module")
def scene():
    options = {"shape": SHAPE, "pixel_size": PIXEL, "rotation": 0.3, "dose": 1e6, "rng": 4}
    return sketch_image("au100", vacancies=0.04, **options)[0]


def test_search_tells_its_self_check_and_corrects_its_densities(scene):
    summary = find_defects(scene).summary
    assert set(summary["self_check"]) >= SCHEMA
    (vacancies,) = [d for d in summary["densities"] if d["kind"] == "vacancy"]
    assert vacancies["recall"] > 0.9
    assert vacancies["corrected"] == pytest.approx(vacancies["density"] / vacancies["recall"])
    assert vacancies["corrected_low"] < vacancies["corrected"] < vacancies["corrected_high"]


def test_search_without_a_self_check_says_so_and_finds_the_same(scene):
    pixels = scene.channels.copy()
    checked, plain = (find_defects(scene, settings=Settings(self_check=on)) for on in (True, False))
    assert plain.summary["self_check"] is None
    assert all(d["recall"] is None and d["corrected"] is None for d in plain.summary["densities"])
    assert len(plain.defects) > 3
    assert plain.defects["id"].tolist() == checked.defects["id"].tolist()
    assert np.array_equal(scene.channels, pixels)


def test_two_detectors_are_checked_together(scene):
    both = Image(np.stack([scene.pixels, np.sqrt(scene.pixels + 0.1)]))
    told = find_defects(both).summary["self_check"]
    strong = [
        p for r in told["recall"] if r["sublattice"] == "A" for p in r["points"] if abs(p["change"]) == 1
    ]
    assert all(p["recall"] > 0.95 for p in strong)


def test_a_sublattice_that_hides_missing_columns_is_warned_of():
    dim, _ = sketch_image("mos2", shape=(224, 224), pixel_size=0.25, dose=2e3, rng=3)
    bright, _ = sketch_image("mos2", shape=(224, 224), pixel_size=0.25, dose=1e6, rng=3)
    assert any("of missing columns on sublattice B only" in w for w in find_defects(dim).summary["warnings"])
    assert not any("missing columns" in w for w in find_defects(bright).summary["warnings"])


@pytest.fixture
def few_rounds(monkeypatch):
    monkeypatch.setattr("antisite.run.self_check._MOST_ROUNDS", 6)


@functools.cache
def two_grains(width=230, shape=(230, 440)):
    """Two crystals side by side, the left one as wide as asked for."""
    options = {"shape": shape, "pixel_size": PIXEL, "dose": 1e6, "rng": 2}
    left, right = (sketch_image("au100", rotation=r, **options)[0].pixels for r in (0.1, 0.6))
    return look(np.where(np.arange(shape[1])[None] < width, left, right))


def test_every_grain_is_planted_and_told_by_itself(few_rounds):
    specimen = two_grains()
    outcome = check(specimen)
    told = outcome.told
    assert {(r["grain"], r["sublattice"]) for r in told["recall"]} == {
        (k, s.name) for k, one in enumerate(specimen.crystals) for s in one.sublattices
    }
    assert len(outcome.scores) == len(outcome.curves) == specimen.n_domains == 2
    assert sum(p["n"] for r in told["recall"] for p in r["points"]) == told["n_planted"]
    for curves in outcome.curves:
        assert curves[0, "dark"](1.0).value > 0.9
    full = told["full_run"]
    assert full["n_planted"] > 10
    assert abs(full["n_found"] - full["n_scored"]) <= 1


def test_small_grain_beside_a_large_one_is_not_planted(few_rounds):
    specimen = two_grains(width=300)
    outcome = check(specimen)
    assert specimen.n_domains == 2
    assert {r["grain"] for r in outcome.told["recall"]} == {0}
    assert outcome.curves[1] == {}
    assert np.isfinite(outcome.scores[1].z).any()


def test_one_rate_is_held_for_all_grains(few_rounds):
    specimen = two_grains()
    column = float(np.ptp(specimen.channels[0]))
    finder = FakeFinder(original=specimen.channels[0], column=column, n_false=9, holds_at=0.01)
    told = check(specimen, finder).told
    assert told["realised_nominal"]["n_false"] == 18 * told["n_rounds"]
    assert 0.001 < told["fdr_used"] <= 0.01
