import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from antisite.conditions import Detector
from antisite.defects import KINDS
from antisite.errors import InputError
from antisite.simulate.dataset.cases import Case, condition_names
from antisite.simulate.dataset.field_layout import lay_out_field
from antisite.simulate.dataset.stream import REACH, PatchStream
from antisite.simulate.image import image_scene
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Recording, Scan
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.truth.label_files import LAYOUTS

OPTICS = Optics(beam_energy=60e3, static=True)
DEFECTS = PointDefects(vacancies={"C": 0.1}, substitutions={"Si": 0.1})
DOPED = Case(specimen="graphene", defects=DEFECTS, optics=OPTICS, doses=(1e4, 1e6))
PERFECT = Case(
    specimen="graphene", optics=OPTICS, recording=Recording(dose=1e5, scan=Scan(drift=1, jitter=0.3))
)
NOISELESS = replace(DOPED, doses=None, recording=Recording())
TWO = replace(OPTICS, detectors=(Detector(inner=50, outer=120), Detector(inner=70, outer=200)))


def open_stream(cache, *cases, **settings):
    return PatchStream(cases=cases, **{"size": 16, "shape": (64, 72), "seed": 5, "cache": cache} | settings)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def stream(cache):
    return open_stream(cache, DOPED, PERFECT)


def assert_same(one, other):
    for name in ("patches", "kind", "species", "sublattice", "offset", "conditions", "field", "case"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_field_follows_from_seed_and_number_alone(stream, cache):
    again = open_stream(cache, DOPED, PERFECT)
    for number in (7, 0, 3):
        assert_same(stream.patches_of(number), again.patches_of(number))


def test_threads_give_the_same_fields_in_the_same_order(stream):
    for one, other in zip(stream.patches(2, 12), stream.patches(2, 12, workers=3), strict=True):
        assert_same(one, other)


def test_never_ends_and_takes_the_cases_by_turns(stream):
    first = list(itertools.islice(stream, 5))
    assert [(batch.field, batch.case) for batch in first] == [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)]


def test_seeds_and_numbers_give_independent_noise(stream, cache):
    other = open_stream(cache, DOPED, PERFECT, seed=6)
    images = [stream.image_of(1), stream.image_of(3), other.image_of(1)]
    pixels = [image.channels.ravel() for _, image, _ in images]
    for one, two in itertools.combinations(pixels, 2):
        assert abs(np.corrcoef(one, two)[0, 1]) < 0.35  # lattices in other directions overlap a little


def test_patches_are_the_windows_around_the_sites_of_the_image(stream):
    for number in (0, 1):
        batch = stream.patches_of(number)
        _, image, truth = stream.image_of(number)
        places = truth.sites[["y", "x"]].to_numpy()
        nearest = np.floor(places + 0.5).astype(int)
        inside = ((nearest >= 8) & (nearest + 8 <= image.shape)).all(axis=1)
        windows = [image.channels[:, y - 8 : y + 8, x - 8 : x + 8] for y, x in nearest[inside]]
        np.testing.assert_array_equal(batch.patches, windows)
        np.testing.assert_allclose(batch.offset, (places - nearest)[inside], atol=1e-6)
        assert [KINDS[kind] for kind in batch.kind] == list(truth.sites["kind"][inside])
        numbers = {"C": 6, "Si": 14, "": 0}
        assert batch.species.tolist() == [numbers[name] for name in truth.sites["species"][inside]]
        assert [chr(ord("A") + i) for i in batch.sublattice] == list(truth.sites["sublattice"][inside])


def test_places_moved_by_the_scan_lie_on_a_grid_that_no_processor_rounds_otherwise(stream):
    moved, still = (stream.field_of(number)[0].positions * 2**12 for number in (1, 0))
    np.testing.assert_array_equal(moved, np.round(moved))
    assert (still != np.round(still)).any()


def test_image_is_that_of_the_scene(cache):
    stream = open_stream(cache, NOISELESS, reach=None)
    scene, pixels, dose = stream.field_of(0)
    image, _ = image_scene(scene, optics=OPTICS, recording=Recording(), cache=cache)
    assert math.isinf(dose)
    np.testing.assert_allclose(pixels, image.channels, atol=1.5e-3 * image.channels.max())


@pytest.mark.parametrize("changed", [{}, {"defocus": 150.0}, {"source_size": 0.8}])
def test_ends_of_columns_do_not_show(cache, changed):
    case = replace(NOISELESS, optics=replace(OPTICS, **changed))
    wide, near = (open_stream(cache, case, reach=reach).tables[0] for reach in (None, REACH))
    scene = lay_out_field(
        wide.crystal, shape=(96, 96), pixel_size=0.2, margin=80, rng=np.random.default_rng(1)
    )
    rows = scene.sites["index"].to_numpy()
    whole, cut = (one.render(scene.positions, rows, shape=scene.shape) for one in (wide, near))
    difference = np.abs(cut - whole)
    assert difference.max() < 2e-3 * whole.max()
    assert difference.max() < 0.02 * np.sqrt(whole.mean() / (1e4 * 0.2**2))


def test_conditions_name_the_heaviest_elements(cache):
    foreign = PointDefects(substitutions=dict.fromkeys(("N", "B", "Si", "P", "S"), 0.02))
    stream = open_stream(cache, replace(DOPED, defects=foreign))
    said = dict(zip(stream.condition_names, stream.patches_of(0).conditions, strict=True))
    assert [said[f"foreign_{i}"] for i in (1, 2, 3, 4)] == [16, 15, 14, 7]


def test_centre_is_dark_at_vacancies_and_bright_at_heavier_atoms(cache):
    batches = [open_stream(cache, NOISELESS).patches_of(number) for number in range(4)]
    centre = np.concatenate([batch.patches[:, 0, 7:10, 7:10].mean(axis=(1, 2)) for batch in batches])
    kind = np.concatenate([batch.kind for batch in batches])
    perfect, empty, heavy = (
        centre[kind == KINDS.index(k)].mean() for k in ("none", "vacancy", "substitution")
    )
    assert empty < 0.3 * perfect
    assert heavy > 2 * perfect


def test_two_detectors_see_the_same_field(cache):
    both = open_stream(cache, replace(NOISELESS, optics=TWO)).patches_of(0)
    for i, ring in enumerate(TWO.detectors):
        optics = replace(OPTICS, detectors=(ring,))
        alone = open_stream(cache, replace(NOISELESS, optics=optics)).patches_of(0)
        np.testing.assert_allclose(both.patches[:, i], alone.patches[:, 0], atol=2e-3 * alone.patches.max())
        said = dict(zip(condition_names(2), both.conditions, strict=True))
        assert (said[f"inner_{i + 1}"], said[f"outer_{i + 1}"]) == (ring.inner, ring.outer)


def test_conditions_say_what_was_simulated(stream):
    said = [dict(zip(stream.condition_names, stream.patches_of(n).conditions, strict=True)) for n in range(8)]
    assert {one["beam_energy"] for one in said} == {60e3}
    assert (said[0]["inner_1"], said[0]["outer_1"], said[0]["pixel_size"]) == (70, 200, np.float32(0.2))
    assert (said[0]["host_1"], said[0]["host_2"], said[0]["foreign_1"]) == (6, 0, 14)
    assert said[1]["foreign_1"] == 0
    doses = [one["dose"] for one in said[::2]]
    assert len(set(doses)) == 4
    assert 1e4 <= min(doses) < max(doses) <= 1e6
    assert {one["dose"] for one in said[1::2]} == {1e5}


def test_counts_follow_the_dose_of_the_field(stream):
    per_dose = []
    for number in (0, 2, 4, 6):
        _, image, _ = stream.image_of(number)
        per_dose.append(image.channels.mean() / image.conditions.dose)
    assert np.std(per_dose) < 0.1 * np.mean(per_dose)  # fields differ in their defects


def test_hollows_are_sites_where_they_hold_an_atom(cache):
    case = replace(DOPED, defects=PointDefects(interstitials={"C": 0.2}))
    batch = open_stream(cache, case).patches_of(0)
    assert set(batch.sublattice[batch.kind == KINDS.index("interstitial")].tolist()) == {-1}
    assert set(batch.sublattice[batch.kind == 0].tolist()) == {0, 1}


def test_field_without_room_for_a_patch_gives_none(cache):
    batch = open_stream(cache, replace(PERFECT, recording=Recording(dose=1e4)), size=32, shape=(32, 32))
    sizes = [len(batch.patches_of(number)) for number in range(6)]
    assert 0 in sizes
    assert batch.patches_of(sizes.index(0)).patches.shape == (0, 1, 32, 32)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_are_written_in_every_layout(stream, layout, tmp_path):
    LAYOUTS[layout](stream.images(0, 2, workers=2), tmp_path)
    names = {path.stem.removesuffix(".truth") for path in tmp_path.rglob("graphene*")}
    assert names == {"graphene_00000000", "graphene_00000001"}


@pytest.mark.parametrize(
    ("cases", "settings", "message"),
    [
        ((), {}, "got no case"),
        ((DOPED, replace(DOPED, optics=TWO)), {}, r"equally many detectors, got \[1, 2\]"),
        ((DOPED,), {"size": 65}, "size of patches must be 1 px to the 64 px"),
        ((DOPED,), {"seed": -1}, "seed must be 0 or more"),
        ((DOPED,), {"pixel_size": 0.0}, "pixel_size must be positive"),
        (
            (DOPED,),
            {"shape": (10**6, 10**6)},
            r"must fit into memory, .* which takes about [\d.e+]{4,} GB where .* \(simulate several smaller",
        ),
        ((replace(DOPED, specimen="graphen"),), {}, "nearest: graphene"),
    ],
)
def test_bad_settings_are_refused_in_a_sentence(cases, settings, message, cache):
    with pytest.raises(InputError, match=message):
        open_stream(cache, *cases, **settings)


def test_doses_must_be_in_order():
    with pytest.raises(InputError, match="the lowest first"):
        replace(DOPED, doses=(1e5, 1e4))
