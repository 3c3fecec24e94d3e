from dataclasses import replace

import numpy as np
import pytest

from antisite.image import Image
from antisite.run.cautions import cautions
from antisite.run.crystal_search import find_specimen
from antisite.run.lattice_search import MIN_CELLS_BESIDE, Dropped, find_lattices
from antisite.simulate.sketch.image import sketch_image

SHAPE = (200, 260)
SCALE = {"pixel_size": None, "pixel_size_recorded": None, "lattice_constant": None}


def crystal(rotation):
    image, _ = sketch_image("fe100", shape=SHAPE, pixel_size=0.25, rotation=rotation, dose=2e5, rng=3)
    return image.pixels


def boxes(*areas):
    """(y, x) of a finder: domain 0, and one more in each of the boxes."""
    domain = np.zeros(SHAPE, dtype=np.int8)
    for number, (top, bottom, left, right) in enumerate(areas, start=1):
        domain[top:bottom, left:right] = number
    return domain


@pytest.fixture(scope="module")
def scene():
    """A crystal, a grain of less than 20 cells, and an amorphous area."""
    domain = boxes((20, 60, 20, 60), (0, 200, 180, 260))
    pixels = np.where(domain == 1, crystal(0.6), crystal(0.1))
    noise = np.median(pixels) + np.random.default_rng(0).normal(0, pixels.std(), SHAPE)
    return np.where(domain == 2, noise, pixels).astype(np.float32), domain


def look(pixels, domain, mask=None):
    mask = np.zeros(SHAPE, dtype=bool) if mask is None else mask
    finder = lambda *_, **__: domain.copy()  # noqa: E731
    return find_specimen(pixels[None], mask, planar=False, finder=finder)


def said(pixels, specimen):
    return cautions(Image(pixels, mask=specimen.mask), specimen, SCALE, [], compared=False)


def test_what_holds_no_lattice_is_dropped_with_its_reason(scene):
    pixels, domain = scene
    finder = lambda *_, **__: domain.copy()  # noqa: E731
    found = find_lattices(
        (pixels - pixels.mean()) / pixels.std(), np.zeros(SHAPE, dtype=bool), finder=finder, seed=0
    )
    assert (len(found.lattices), found.domains.max()) == (1, 0)
    assert [one.reason for one in found.dropped] == [
        f"fewer than {MIN_CELLS_BESIDE} cells",
        "no repeat stands out",
    ]
    for number, one in enumerate(found.dropped, start=1):
        assert np.array_equal(one.where, domain == number)
        assert (found.domains[one.where] == -1).all()


def test_dropped_areas_are_told_with_their_number_size_and_reason(scene):
    pixels, domain = scene
    specimen = look(pixels, domain)
    (sentence,) = said(pixels, specimen)
    area = specimen.crystal.lattice.cell_area
    large, small = (f"{n / area:.0f}" for n in (80 * 200, 40 * 40))
    assert sentence == (
        f"2 areas (34% of the image, as large as {large} and {small} cells) hold no lattice that could be "
        "measured and are left out: fewer than 20 cells, or no repeat stands out"
    )


def test_one_area_is_told_as_one(scene):
    pixels, domain = scene
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 178:] = True
    sentence = said(pixels, look(pixels, domain, mask))[-1]
    assert sentence.startswith("1 area (3.1% of the image, as large as ")
    assert sentence.endswith(
        " cells) holds no lattice that could be measured and is left out: fewer than 20 cells"
    )


def test_what_another_grain_took_in_is_not_told(scene):
    pixels, domain = scene
    specimen = look(pixels, domain)
    whole = replace(specimen, domains=np.where(domain == 1, np.int8(0), specimen.domains))
    (sentence,) = said(pixels, whole)
    assert sentence.startswith("1 area (31% of the image")


def test_an_image_of_one_crystal_has_nothing_dropped():
    specimen = look(crystal(0.1).astype(np.float32), boxes())
    assert specimen.dropped == ()
    assert said(crystal(0.1), specimen) == []


def test_nothing_left_out_is_told_twice(scene):
    pixels, domain = scene
    specimen = look(pixels, domain)
    grain, patch = (np.zeros(SHAPE, dtype=bool) for _ in range(2))
    grain[100:140, :60] = patch[150:160, 20:40] = True
    domains = np.where(grain | patch, np.int8(-1), specimen.domains)
    with_both = replace(
        specimen,
        domains=domains,
        refused=(Dropped(where=grain, reason="its waves go astray"),),
        foreign=patch,
    )
    sentences = said(pixels, with_both)
    assert sentences[0] == "a grain of 4.6% of the image could not be analysed: its waves go astray"
    assert sentences[1].startswith(
        "a patch of 0.4% of the image shows something else than the lattice around"
    )
    assert sentences[2:] == said(pixels, specimen)
