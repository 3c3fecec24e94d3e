import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from antisite.conditions import Conditions
from antisite.defects import table_fields
from antisite.errors import InputError, NoLatticeError
from antisite.evaluate.lines import distance_to_path, score_lines
from antisite.image import Image
from antisite.run.pipeline import analysed_window, find_defects, inspect_crystal, no_lattice_result
from antisite.run.settings import Settings
from antisite.simulate.extended_defects.boundaries import lamella
from antisite.simulate.nulls import amorphous_film, phase_randomised, pink_noise, white_noise
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

OPTIONS = {"shape": (256, 256), "pixel_size": 0.2, "rotation": 0.3, "dose": 1e6, "rng": 4}


def find(image, *, lattice_constant=math.nan, **options):
    """The search without its self-check."""
    settings = Settings(self_check=False, **options)
    return find_defects(image, settings=settings, lattice_constant=lattice_constant)


def scene(name="wse2", **options):
    return sketch_image(name, **(OPTIONS | {"vacancies": 0.015, "partial_vacancies": 0.015} | options))


@pytest.fixture(scope="module")
def seen():
    image, truth = scene()
    return image, truth, find(image)


def places(table):
    return table[["y", "x"]].to_numpy()


def inside(table, margin, shape=(256, 256)):
    yx = places(table)
    return table[((yx > margin) & (yx < np.array(shape) - 1 - margin)).all(axis=1)]


def assert_same_defects(first, second, *, within):
    assert len(first) == len(second) > 0
    distance, match = cKDTree(places(second)).query(places(first))
    assert distance.max() < within
    assert sorted(match) == list(range(len(second)))
    assert second["kind"].iloc[match].tolist() == first["kind"].tolist()


def test_planted_defects_are_found_and_nothing_else(seen):
    _, truth, result = seen
    planted = inside(truth.defects, 12)
    assert_same_defects(inside(result.defects, 12).assign(kind=""), planted.assign(kind=""), within=1.5)


def test_kinds_follow_from_what_is_left(seen):
    _, truth, result = seen
    planted = inside(truth.defects, 12)
    _, match = cKDTree(places(result.defects)).query(places(planted))
    wanted = planted["kind"].map({"vacancy": "vacancy", "partial_vacancy": "dim_site"})
    assert result.defects["kind"].iloc[match].tolist() == wanted.tolist()


def test_tables_have_every_field(seen):
    image, _, result = seen
    assert list(result.sites.columns) == list(table_fields()) == list(result.defects.columns)
    assert result.sites["id"].is_unique
    assert set(result.sites["image"]) == {image.name}
    assert set(result.sites["method"]) == {"deviation"}
    pd.testing.assert_frame_equal(
        result.sites.set_index("id").loc[result.defects["id"]].reset_index()[["id", "z"]],
        result.defects[["id", "z"]],
    )


def test_defects_are_the_flagged_sites_the_strangest_first(seen):
    _, _, result = seen
    assert (result.defects["score"].diff().dropna() <= 0).all()
    assert (result.defects["kind"] != "none").all()
    assert (result.sites["kind"] != "none").sum() == len(result.defects)
    np.testing.assert_allclose(result.sites["score"], result.sites["z"].abs())


def test_position_is_the_predicted_site_plus_its_offset_and_that_of_a_gap_has_none(seen):
    image, _, result = seen
    gone = result.defects["kind"] == "vacancy"
    assert result.defects.loc[gone, ["dy", "dx"]].isna().all(axis=None)
    assert (
        inside(result.sites[result.sites["kind"] == "none"], 20)
        .query("sublattice == 'A'")[["dy", "dx"]]
        .notna()
        .all(axis=None)
    )
    np.testing.assert_allclose(result.sites["y_A"], result.sites["y"] * image.pixel_size)


def test_maps_cover_the_image_and_one_cell(seen):
    image, _, result = seen
    lattice = result.grains[0]["lattice"]
    assert result.maps["domain"].shape == image.shape
    assert result.maps["domain"].dtype == np.int8
    assert result.maps["motif"].shape == (round(3 * lattice["b"]), round(3 * lattice["a"]))
    assert result.maps["motif"].dtype == np.float32
    assert result.domains["area"].sum() == (result.maps["domain"] >= 0).sum()


def test_same_input_gives_the_same_output(seen):
    image, _, _ = seen
    result, again = find_defects(image), find_defects(image)
    pd.testing.assert_frame_equal(again.sites, result.sites, check_exact=True)
    pd.testing.assert_frame_equal(again.defects, result.defects, check_exact=True)
    assert again.summary == result.summary
    assert all(np.array_equal(again.maps[k], result.maps[k], equal_nan=True) for k in result.maps)


def test_input_is_left_alone():
    image, _ = scene()
    mask = np.zeros(image.shape, dtype=bool)
    mask[:40] = True
    image = Image(image.channels, mask=mask)
    pixels = image.channels.copy()
    find(image)
    assert np.array_equal(image.channels, pixels)
    assert np.array_equal(image.mask, mask)


def test_region_gives_the_same_defects_at_the_same_place():
    image, _ = scene(shape=(320, 320))
    whole = find(image)
    part = find(image.restrict((slice(60, 300), slice(40, 290))))
    yx = places(whole.defects)
    deep = ((yx > (85, 65)) & (yx < (275, 265))).all(axis=1)
    yx = places(part.defects)
    also = ((yx > (85, 65)) & (yx < (275, 265))).all(axis=1)
    assert_same_defects(whole.defects[deep], part.defects[also], within=0.3)
    assert part.maps["domain"].shape == image.shape
    assert (part.maps["domain"][:60] == -1).all()


def test_window_is_the_box_around_what_is_not_masked():
    mask = np.ones((20, 30), dtype=bool)
    mask[4:9, 11:20] = False
    pixels = white_noise((20, 30), rng=0).pixels
    image = Image(pixels, mask=mask)
    assert analysed_window(image) == (slice(4, 9), slice(11, 20))
    assert analysed_window(Image(pixels)) == (slice(0, 20), slice(0, 30))


def test_nothing_is_reported_under_the_mask(seen):
    image, _, result = seen
    y, x = places(inside(result.defects, 40))[0].round().astype(int)
    mask = np.zeros(image.shape, dtype=bool)
    mask[y - 12 : y + 13, x - 12 : x + 13] = True
    masked = find(Image(image.channels, mask=mask))
    distance = np.hypot(*(places(masked.defects) - (y, x)).T)
    assert distance.min() > 12
    expected = result.defects[np.hypot(*(places(result.defects) - (y, x)).T) > 40]
    got = masked.defects[distance > 40]
    assert_same_defects(expected, got, within=0.3)
    assert any("masked" in sentence for sentence in masked.summary["warnings"])


def test_mask_within_a_perfect_crystal_makes_no_second_lattice():
    image, _ = sketch_image("srtio3", **OPTIONS)
    mask = np.zeros(image.shape, dtype=bool)
    mask[100:140, 100:140] = True
    assert find(Image(image.channels, mask=mask)).summary["n_domains"] == 1


def test_very_bright_column_makes_no_second_lattice_and_is_found():
    image, truth = sketch_image("wse2", **OPTIONS)
    own = places(truth.sites.query("sublattice == 'A'"))
    place = own[np.argmin(np.hypot(*(own - 128).T))]
    y, x = np.ogrid[:256, :256]
    sigma = math.hypot(0.45, 0.3) / 0.2
    peak = 2 * 0.45**2 / math.hypot(0.45, 0.3) ** 2
    spot = peak * np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / (2 * sigma**2))
    result = find(Image(image.pixels + spot.astype(np.float32)))
    assert result.summary["n_domains"] == 1
    assert result.defects["kind"].tolist() == ["bright_site"]
    np.testing.assert_allclose(places(result.defects)[0], place, atol=1)


def test_pixels_that_are_no_numbers_are_masked_and_said(seen):
    image, _, result = seen
    pixels = image.pixels.copy()
    pixels[120, 60:64] = np.nan
    spoilt = find(Image(pixels))
    assert "0.0% of the pixels are masked" in spoilt.summary["warnings"]
    far = result.defects[np.hypot(*(places(result.defects) - (120, 62)).T) > 30]
    got = spoilt.defects[np.hypot(*(places(spoilt.defects) - (120, 62)).T) > 30]
    assert_same_defects(far, got, within=0.3)


def test_two_detectors_give_two_ratios_and_their_mean():
    image, truth = scene(dose=2e5)
    other, _ = scene(dose=1e5)
    both = Image(np.stack([image.pixels, 40 - 0 * other.pixels + 7 * other.pixels]))
    result = find(both)
    assert list(result.sites.columns) == list(table_fields(2))
    mean = result.sites[["ratio_1", "ratio_2"]].mean(axis=1)
    np.testing.assert_allclose(result.sites["ratio"], mean)
    planted = inside(truth.defects, 12)
    assert_same_defects(inside(result.defects, 12).assign(kind=""), planted.assign(kind=""), within=1.5)


def test_two_detectors_together_see_more_clearly_than_one():
    image, _ = scene(dose=4e4, rng=2)
    noise = np.random.default_rng(0).normal(0, 0.15, (2, *image.shape))
    one = find(Image(image.pixels + noise[0]))
    two = find(Image(image.pixels + noise))
    z = [r.defects.query("kind == 'vacancy'")["score"].median() for r in (one, two)]
    assert z[1] > 1.2 * z[0]


@pytest.mark.parametrize(
    "image",
    [white_noise(rng=0), pink_noise(rng=1), amorphous_film(rng=2), pink_noise(exponent=2, rng=3)],
    ids=["white noise", "1/f noise", "amorphous", "1/f² noise"],
)
def test_image_without_a_lattice_is_refused(image):
    with pytest.raises(NoLatticeError, match=r"^no lattice found: "):
        find(image)


def test_constant_image_is_refused():
    with pytest.raises(NoLatticeError, match=r"^no lattice found: every pixel has the same value$"):
        find(Image(np.full((64, 64), 7)))


def test_wholly_masked_image_is_refused():
    with pytest.raises(NoLatticeError, match=r"^no lattice found: every pixel has the same value$"):
        find(Image(white_noise((64, 64), rng=0).pixels, mask=np.ones((64, 64), bool)))


@pytest.mark.parametrize("shape", [(8, 8), (31, 200), (1, 1)])
def test_image_too_small_is_refused(shape):
    message = (
        rf"^an image must be at least 32 × 32 px, got {shape[0]} × {shape[1]} px: "
        r"too few columns to compare with each other$"
    )
    with pytest.raises(InputError, match=message):
        find(Image(np.random.default_rng(0).normal(size=shape)))


def test_cells_of_few_pixels_are_refused():
    image, _ = sketch_image("fe100", shape=(192, 192), pixel_size=0.55, rotation=0.2, blur=0.0, rng=0)
    message = r"^a unit cell must be at least 6 px across, got 5\.2 px: record at a higher magnification$"
    with pytest.raises(InputError, match=message):
        find(image)


def test_pictures_with_the_spectrum_of_a_crystal_but_random_phases_have_hardly_any_defect():
    # a twentieth may be flagged by chance: at most 2 of 24 here, for the table see benchmarks/
    names = ["wse2", "mos2", "graphene", "srtio3", "au100", "au110", "fe100", "cdte110"]
    flagged = 0
    for name, seed in itertools.product(names, range(3)):
        image, _ = sketch_image(name, **(OPTIONS | {"rng": seed, "rotation": 0.3 + seed}))
        try:
            flagged += len(find(phase_randomised(image, rng=seed)).defects) > 0
        except NoLatticeError:
            continue
    assert flagged <= 2


@pytest.mark.parametrize(
    "name", ["wse2", "mos2", "graphene", "srtio3", "au100", "au110", "fe100", "cdte110", "monoclinic"]
)
@pytest.mark.parametrize("rotation", [0.0, 0.5])
def test_perfect_crystal_has_no_defect(name, rotation):
    image, _ = sketch_image(name, **(OPTIONS | {"rotation": rotation}))
    assert not len(find(image).defects)


def test_inspection_sees_the_same_crystal_and_scores_nothing(seen):
    image, _, result = seen
    looked = inspect_crystal(image)
    own, same = (np.array(one.grains[0]["lattice"]["vectors"]) for one in (looked, result))
    np.testing.assert_allclose(own, same, atol=1e-3 * result.nearest)  # it has seen no lines that sharpen it
    assert len(looked.sites) == pytest.approx(len(result.sites), abs=2)
    assert looked.summary["planar"] is None
    assert looked.sites["z"].isna().all()
    assert not len(looked.defects)
    assert np.corrcoef(looked.maps["motif"].ravel(), result.maps["motif"].ravel())[0, 1] > 0.99


def test_settings_change_what_counts_as_large(seen):
    image, _, result = seen
    strict = find(image, min_dark=0.75)
    assert set(strict.defects["kind"]) == {"vacancy"}
    assert len(strict.defects) < len(result.defects)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"fdr": 0.0}, r"^fdr must lie between 0 and 1, got 0 \(5 % is 0\.05\)$"),
        ({"fdr": math.nan}, r"^fdr must lie between 0 and 1, got nan"),
        ({"min_dark": -1.0}, r"^min_dark must be 0 to 1, got -1 \(30 % is 0\.3\)$"),
        ({"min_bright": math.nan}, r"^min_bright must be 0 to 5, got nan"),
        ({"seed": -1}, r"^seed must be 0 or more, got -1$"),
    ],
)
def test_nonsense_settings_are_refused(option, message):
    with pytest.raises(InputError, match=message):
        Settings(**option)


def test_no_lattice_is_a_result_with_empty_tables():
    image = Image(np.zeros((2, 40, 50)), name="carbon.tif", conditions=Conditions(dose=3.0), frame=4)
    result = no_lattice_result(image, "nothing repeats")
    assert list(result.defects.columns) == list(table_fields(2)) == list(result.sites.columns)
    assert not len(result.sites)
    assert result.summary["lattice_found"] is False
    assert result.summary["reason"] == "nothing repeats"
    assert (result.summary["shape"], result.summary["frame"]) == ([40, 50], 4)


@pytest.fixture(scope="module")
def two_grains():
    options = {"shape": (288, 400), "pixel_size": 0.25, "dose": 1e6, "vacancies": 0.03, "rng": 7}
    left, right = (sketch_image("wse2", rotation=r, **options) for r in (0.1, 0.6))
    image = Image(np.where(np.arange(400)[None] < 220, left[0].pixels, right[0].pixels))
    return image, (left[1], right[1]), find(image)


def test_vacancies_of_every_grain_are_found(two_grains):
    _, truths, result = two_grains
    for grain, truth in enumerate(truths):
        there = truth.defects[["y", "x"]].to_numpy()
        far = there[:, 1] < 180 if grain == 0 else there[:, 1] > 260
        inner = ((there > 16) & (there < np.array([271, 383]))).all(axis=1)
        own = result.defects[result.defects["grain"] == grain]
        distance, _ = cKDTree(own[["y", "x"]]).query(there[far & inner])
        assert len(distance) > 5
        assert (distance < 3).all()


def test_tables_of_several_grains_have_one_row_a_site(two_grains):
    _, _, result = two_grains
    assert result.sites["id"].tolist() == list(range(len(result.sites)))
    assert result.defects["id"].is_unique
    assert set(result.sites["grain"]) == set(result.defects["grain"]) == {0, 1}
    points = result.defects[result.defects["method"] != "planar"]
    again = result.sites.loc[points["id"], ["grain", "sublattice", "score"]]
    assert again.to_numpy().tolist() == points[["grain", "sublattice", "score"]].to_numpy().tolist()
    assert {"motif", "motif_1", "domain", "exx", "rotation"} <= set(result.maps)


def test_holes_are_grouped_in_each_grain(two_grains):
    image, _, _ = two_grains
    y, x = np.mgrid[:288, :400]
    holed = image.pixels.copy()
    for centre in (100, 310):
        holed[np.hypot(y - 140, x - centre) < 26] = np.quantile(image.pixels, 0.02)
    result = find(Image(holed))
    holes = result.defects[result.defects["kind"] == "hole"]
    assert sorted(holes["grain"]) == [0, 1]
    assert result.summary["counts"]["hole"] == 2
    for row in holes.itertuples():
        assert row.y == pytest.approx(140, abs=6)
        assert row.x == pytest.approx(310 if row.grain else 100, abs=6)


@pytest.fixture(scope="module")
def five_layers():
    laid = lamella(lay_sketch("au110", shape=(288, 288), px_per_cell=8.0, rotation=0.3, rng=1), 5, (0, 1))
    image, truth = sketch_scene(laid, dose=1e6, rng=2)
    return find(image), truth


def test_a_twin_lamella_is_two_twin_boundaries_with_its_layers_as_their_name(five_layers):
    result, truth = five_layers
    assert result.defects["kind"].tolist().count("twin_boundary") == 2
    told = result.summary["planar"]["boundaries"]
    assert [(line["kind"], line["name"]) for line in told] == [
        ("twin_boundary", "twin lamella of 5 layers")
    ] * 2
    paths = [np.array(line["path"])[:, ::-1] for line in told]
    scores = score_lines(paths, [line.path for line in truth.lines], within=8.0)
    assert (scores.covered > 0.95).all()
    assert not len(scores.false)


def test_away_from_the_boundaries_of_a_lamella_columns_are_as_they_should_be(five_layers):
    result, truth = five_layers
    points = places(result.defects[result.defects["method"] != "planar"])
    away = np.min([distance_to_path(points, line.path) for line in truth.lines], axis=0) > 2 * 8.0
    assert away.sum() <= 2
    assert result.domains["area"].sum() > 0.8 * 288**2  # all but the lamella itself
