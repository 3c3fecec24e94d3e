import json
import math

import numpy as np
import pytest
from scipy import stats

from antisite.crystal.lattice import Lattice
from antisite.image import Image
from antisite.run.grain_summary import repeat_length
from antisite.run.pipeline import find_defects, no_lattice_result
from antisite.run.settings import Settings
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image

FIELDS = {
    "schema",
    "image",
    "frame",
    "shape",
    "n_channels",
    "lattice_found",
    "reason",
    "fdr",
    "pixel_size",
    "pixel_size_from",
    "grains",
    "n_domains",
    "analysed_fraction",
    "area",
    "counts",
    "densities",
    "planar",
    "strain",
    "warnings",
}


def find(image, *, lattice_constant=math.nan, **options):
    """The search without its self-check."""
    settings = Settings(self_check=False, **options)
    return find_defects(image, settings=settings, lattice_constant=lattice_constant)


def scene(**options):
    given = {"shape": (256, 256), "pixel_size": 0.2, "rotation": 0.3, "dose": 1e6, "rng": 4} | options
    return sketch_image("wse2", **given)


@pytest.fixture(scope="module")
def image():
    return scene(vacancies=0.015, partial_vacancies=0.015)[0]


@pytest.fixture(scope="module")
def result(image):
    return find(image)


@pytest.fixture(scope="module")
def plain():
    return scene()[0].pixels


def test_summary_holds_every_field_and_survives_json(result):
    assert set(result.summary) >= FIELDS
    assert json.loads(json.dumps(result.summary, allow_nan=False)) == result.summary


def test_summary_without_a_lattice_has_the_same_fields(result):
    nothing = no_lattice_result(Image(np.zeros((40, 50))), "nothing repeats").summary
    assert set(nothing) == set(result.summary)
    assert json.loads(json.dumps(nothing, allow_nan=False)) == nothing


def test_lattice_is_that_of_the_crystal(result):
    lattice = result.grains[0]["lattice"]
    assert lattice["a_A"] == pytest.approx(3.32, rel=0.01)
    assert lattice["b_A"] == pytest.approx(3.32, rel=0.01)
    assert min(lattice["gamma"], math.pi - lattice["gamma"]) == pytest.approx(math.pi / 3, abs=0.02)
    assert lattice["cell_area"] == pytest.approx((3.32 / 0.2) ** 2 * math.sqrt(3) / 2, rel=0.01)
    assert abs(np.linalg.det(lattice["vectors"])) == pytest.approx(lattice["cell_area"])
    assert result.nearest * 0.2 == pytest.approx(3.32 / math.sqrt(3), rel=0.03)


def test_counts_are_those_of_the_table(result):
    assert result.summary["counts"] == result.defects["kind"].value_counts().to_dict()
    for item in result.grains[0]["sublattices"]:
        sites = result.sites[result.sites["sublattice"] == item["name"]]
        flagged = sites[sites["kind"] != "none"]
        assert item["n_sites"] == len(sites)
        assert item["n_tested"] == sites["z"].notna().sum()
        assert item["n_dark"] == (flagged["z"] < 0).sum()
        assert item["n_bright"] == (flagged["z"] > 0).sum()


def test_sublattices_have_their_letters_and_levels(result):
    assert [s["name"] for s in result.grains[0]["sublattices"]] == ["A", "B", "hollow"]
    assert [s["hollow"] for s in result.grains[0]["sublattices"]] == [False, False, True]
    assert [s["level"] for s in result.grains[0]["sublattices"]] == pytest.approx([1, 0.6, 0], abs=0.05)


def test_null_of_the_scores_is_standard(result):
    for item in result.grains[0]["sublattices"]:
        assert item["null_centre"] == pytest.approx(0, abs=1e-6)
        assert item["null_width"] == pytest.approx(1, abs=1e-6)


def test_no_flag_lies_within_the_thresholds(result):
    for item in result.grains[0]["sublattices"]:
        own = result.defects[result.defects["sublattice"] == item["name"]]
        dark, bright = own[own["z"] < 0]["z"], own[own["z"] > 0]["z"]
        assert not len(dark) or dark.max() <= item["z_dark"] * 0.9
        assert not len(bright) or bright.min() >= item["z_bright"] * 0.9


def test_densities_have_exact_poisson_limits(result):
    area = result.summary["area"]
    assert result.summary["densities"]
    for item in result.summary["densities"]:
        assert item["per"] == "nm2"
        assert item["density"] == pytest.approx(item["n"] / area)
        assert stats.poisson.cdf(item["n"], item["high"] * area) == pytest.approx(0.025, rel=1e-6)
        assert stats.poisson.sf(item["n"] - 1, item["low"] * area) == pytest.approx(0.025, rel=1e-6)
    totals = {d["kind"]: d["n"] for d in result.summary["densities"] if d["sublattice"] == "all"}
    assert {k: totals[k] for k in result.summary["counts"]} == result.summary["counts"]


def test_area_is_that_of_the_cells_tested(result):
    n_cells = result.sites.query("sublattice != 'hollow'")["z"].notna().sum() / 2
    assert result.summary["area"] == pytest.approx(n_cells * 3.32**2 * math.sqrt(3) / 2 / 100, rel=0.01)
    assert result.summary["area"] < (256 * 0.02) ** 2


def test_without_a_scale_densities_are_per_site(image):
    summary = find(Image(image.channels)).summary
    assert (summary["pixel_size"], summary["pixel_size_from"], summary["area"]) == (None, "unknown", None)
    (grain,) = summary["grains"]
    assert grain["lattice"]["a_A"] is None
    tested = sum(s["n_tested"] for s in grain["sublattices"] if not s["hollow"])
    for item in summary["densities"]:
        assert item["per"] == "site"
        if item["sublattice"] == "all" and item["kind"] != "interstitial":
            assert item["density"] == pytest.approx(item["n"] / tested)


def test_lattice_constant_gives_the_scale(plain):
    summary = find(Image(plain), lattice_constant=3.32).summary
    assert summary["pixel_size"] == pytest.approx(0.2, rel=0.005)
    assert summary["pixel_size_from"] == "lattice constant"
    assert not summary["warnings"]


@pytest.mark.parametrize(("source", "who"), [("file", "the file says"), ("given", "--pixel-size says")])
def test_two_scales_that_disagree_are_both_said(plain, source, who):
    image = Image(plain, pixel_size=0.25, pixel_size_from=source)
    summary = find(image, lattice_constant=3.32).summary
    assert summary["pixel_size"] == pytest.approx(0.2, rel=0.005)
    (sentence,) = summary["warnings"]
    assert sentence.startswith(f"{who} 0.25 Å/px, the lattice constant 3.32 Å implies 0.")
    assert sentence.endswith("% apart; the lattice constant is used")


def test_two_scales_that_agree_are_not_discussed(plain):
    summary = find(Image(plain, pixel_size=0.2005), lattice_constant=3.32).summary
    assert not summary["warnings"]
    assert summary["pixel_size_from"] == "lattice constant"


def test_scale_of_the_file_is_used_where_nothing_else_is_given(plain):
    summary = find(Image(plain, pixel_size=0.2, pixel_size_from="file")).summary
    assert (summary["pixel_size"], summary["pixel_size_from"]) == (pytest.approx(0.2), "file")


@pytest.mark.parametrize(("name", "constant"), [("wse2", 3.32), ("srtio3", 3.905), ("fe100", 2.866)])
def test_repeat_length_is_the_lattice_constant(name, constant):
    assert repeat_length(Lattice(vectors=SKETCHES[name].cell, coherence=1.0)) == pytest.approx(constant)


def test_repeat_length_of_a_sheared_hexagon_comes_from_its_area():
    shear = np.array([[1.02, 0.01], [0.02, 0.98]])
    sheared = Lattice(vectors=SKETCHES["wse2"].cell @ shear, coherence=1.0)
    assert repeat_length(sheared) == pytest.approx(3.32 * math.sqrt(np.linalg.det(shear)), rel=1e-9)


def test_repeat_length_of_another_cell_is_its_shorter_vector():
    oblong = Lattice(vectors=np.array([[0.0, 4.0], [7.0, 0.0]]), coherence=1.0)
    assert repeat_length(oblong) == 4


def test_masked_share_is_said(plain):
    mask = np.zeros(plain.shape, dtype=bool)
    mask[:64] = True
    summary = find(Image(plain, mask=mask)).summary
    assert "25.0% of the pixels are masked" in summary["warnings"]
    assert summary["analysed_fraction"] == pytest.approx(0.75, abs=0.02)


def test_few_columns_are_said():
    image, _ = scene(shape=(96, 96), pixel_size=0.25)
    summary = find(image).summary
    tested = sum(s["n_tested"] for s in summary["grains"][0]["sublattices"] if not s["hollow"])
    assert tested < 100
    assert (
        f"only {tested} columns could be compared with each other: rare defects need more"
        in summary["warnings"]
    )


def test_weak_part_of_the_image_is_said(plain):
    pixels = plain.copy()
    pixels[:, 190:] = np.median(plain) + np.random.default_rng(0).normal(0, 0.02, (256, 66))
    summary = find(Image(pixels)).summary
    assert summary["analysed_fraction"] == pytest.approx(190 / 256, abs=0.13)
    said = " ".join(summary["warnings"])
    assert (
        "of the image shows no lattice, or too weak a one, and was not analysed" in said
        or "more than one lattice" in said
    )


def two_grains(rotations=(0.1, 0.6), sizes=(0.2, 0.2), **options):
    """Two crystals side by side, the larger on the left."""
    sides = [
        scene(rotation=r, pixel_size=size, shape=(256, 400), **options)[0].pixels
        for r, size in zip(rotations, sizes, strict=True)
    ]
    return Image(np.where(np.arange(400)[None] >= 220, sides[1], sides[0]))


@pytest.fixture(scope="module")
def pair():
    return find(two_grains(vacancies=0.02), lattice_constant=3.32)


def test_each_grain_has_its_own_lattice_and_sublattices(pair):
    first, second = pair.grains
    assert (first["grain"], second["grain"], pair.summary["n_domains"]) == (0, 1, 2)
    turn = abs(first["lattice"]["angle"] - second["lattice"]["angle"]) % (math.pi / 3)
    assert min(turn, math.pi / 3 - turn) == pytest.approx(0.5, abs=0.01)
    assert first["area_fraction"] > second["area_fraction"] > 0.3
    assert pair.summary["analysed_fraction"] == pytest.approx(
        first["area_fraction"] + second["area_fraction"]
    )
    for grain in pair.grains:
        own = pair.sites[(pair.sites["grain"] == grain["grain"]) & pair.sites["z"].notna()]
        assert [s["n_tested"] for s in grain["sublattices"]] == [
            (own["sublattice"] == s["name"]).sum() for s in grain["sublattices"]
        ]
    assert pair.summary["n_sites"] == first["n_sites"] + second["n_sites"]
    assert json.loads(json.dumps(pair.summary, allow_nan=False)) == pair.summary


def test_domains_table_has_the_lattice_of_each(pair):
    vectors = pair.domains[["ay", "ax", "by", "bx"]].to_numpy().reshape(-1, 2, 2)
    assert np.array_equal(vectors, [grain["lattice"]["vectors"] for grain in pair.grains])
    assert pair.domains["n_sites"].tolist() == pair.sites.groupby("grain").size().tolist()
    assert pair.domains["area"].tolist() == [(pair.maps["domain"] == k).sum() for k in (0, 1)]


def test_grains_of_one_crystal_share_its_scale_without_a_word(pair):
    assert pair.summary["pixel_size"] == pytest.approx(0.2, rel=0.005)
    assert not pair.summary["warnings"]


def test_grain_that_the_lattice_constant_does_not_fit_is_said():
    summary = find(two_grains(sizes=(0.2, 0.17)), lattice_constant=3.32).summary
    assert summary["pixel_size"] == pytest.approx(0.2, rel=0.01)
    (sentence,) = summary["warnings"]
    assert sentence == (
        "the lattice constant is taken for that of grain 0; the shortest repeat of grain 1 is 18% longer"
    )
