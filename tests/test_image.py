from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antisite.conditions import Conditions, Detector
from antisite.defects import defect_table
from antisite.errors import InputError
from antisite.image import Image, combine
from antisite.result import Result

SHAPES = hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6)
PIXELS = hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32))


def has_an_image(pixels: np.ndarray) -> bool:
    channels = pixels[None] if pixels.ndim == 2 else pixels
    return bool(np.isfinite(channels).any(axis=(1, 2)).all())


@given(PIXELS.filter(has_an_image))
@example(np.array([[np.inf, 1.7014118e38, 3e38]], np.float32))  # whose sum overflows
def test_what_is_not_finite_is_masked_and_the_rest_is_kept(pixels: np.ndarray) -> None:
    before = pixels.copy()
    image = Image(pixels)
    channels = pixels[None] if pixels.ndim == 2 else pixels
    finite = np.isfinite(channels)
    assert np.isfinite(image.channels).all()
    assert np.array_equal(image.mask, ~finite.all(axis=0))
    assert np.array_equal(image.channels[finite], channels[finite])
    assert np.array_equal(pixels, before, equal_nan=True)


@given(PIXELS, st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_channel_without_a_finite_pixel_is_refused(pixels: np.ndarray, value: float) -> None:
    channels = pixels[None] if pixels.ndim == 2 else pixels
    channels[-1] = value
    with pytest.raises(InputError, match="an image must hold finite pixels, got none"):
        Image(channels)


@given(PIXELS.filter(has_an_image), st.data())
def test_a_crop_holds_the_pixels_and_the_mask_of_its_region(pixels: np.ndarray, data: st.DataObject) -> None:
    image = Image(pixels, pixel_size=0.1, name="a", frame=2)
    y = data.draw(st.integers(0, image.shape[0] - 1))
    x = data.draw(st.integers(0, image.shape[1] - 1))
    part = image.crop((slice(y, None), slice(x, None)))
    assert np.array_equal(part.channels, image.channels[:, y:, x:])
    assert np.array_equal(part.mask, image.mask[y:, x:])
    assert (part.pixel_size, part.name, part.frame) == (0.1, "a", 2)


@given(hnp.arrays(np.uint8, (5, 6)), st.integers(0, 4), st.integers(0, 5))
def test_restricting_masks_all_but_the_region(pixels: np.ndarray, y: int, x: int) -> None:
    image = Image(pixels).restrict((slice(y, 5), slice(x, 6)))
    assert int((~image.mask).sum()) == (5 - y) * (6 - x)
    assert np.array_equal(image.pixels, pixels)


def test_a_region_without_pixels_is_refused() -> None:
    image = Image(np.ones((5, 6)), mask=np.eye(5, 6, dtype=bool))
    with pytest.raises(InputError, match=r"must hold pixels that are not masked, got 1:2,1:2 in an image"):
        image.restrict((slice(1, 2), slice(1, 2)))


def test_restricting_twice_is_the_overlap() -> None:
    image = Image(np.ones((5, 6))).restrict((slice(0, 3), slice(0, 6))).restrict((slice(2, 5), slice(1, 4)))
    assert np.argwhere(~image.mask).tolist() == [[2, 1], [2, 2], [2, 3]]


def test_a_region_outside_the_image_is_refused() -> None:
    with pytest.raises(InputError, match=r"within the image, got 9:12,0:4 in an image of 5 × 6 px"):
        Image(np.ones((5, 6))).restrict((slice(9, 12), slice(0, 4)))


@pytest.mark.parametrize("array", [np.ones(3), np.ones((0, 4)), np.ones((2, 2, 2, 2)), 1.0])
def test_what_is_no_image_is_refused(array: object) -> None:
    with pytest.raises(InputError, match=r"must be \(y, x\) or \(channels, y, x\) and hold pixels"):
        Image(array)  # type: ignore[arg-type]


@pytest.mark.parametrize("array", [[["a", "b"]], [[1, 2], [3]]])
def test_what_is_no_array_of_numbers_is_refused(array: object) -> None:
    with pytest.raises(InputError, match="an image must be an array of numbers, got list"):
        Image(array)  # type: ignore[arg-type]


@pytest.mark.parametrize("pixel_size", [0.0, -0.1, math.inf])
def test_an_impossible_pixel_size_is_refused(pixel_size: float) -> None:
    with pytest.raises(InputError, match="pixel_size must be positive and finite"):
        Image(np.ones((2, 2)), pixel_size=pixel_size)


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"the shape of the image \(2, 3\), got \(3, 2\)"):
        Image(np.ones((2, 3)), mask=np.zeros((3, 2), dtype=bool))


def test_the_given_mask_is_not_changed() -> None:
    mask = np.zeros((2, 2), dtype=bool)
    Image([[1, math.nan], [2, 3]], mask=mask)
    assert not mask.any()


def test_combining_keeps_every_channel_and_the_first_scale_known() -> None:
    first = Image(np.ones((2, 3)), name="a", mask=np.eye(2, 3, dtype=bool))
    second = Image(
        np.zeros((2, 3)), pixel_size=0.2, conditions=Conditions(detectors=(Detector(inner=50, outer=90),))
    )
    both = combine([first, second])
    assert both.channels.tolist() == [first.pixels.tolist(), second.pixels.tolist()]
    assert (both.name, both.pixel_size, both.n_channels) == ("a", 0.2, 2)
    assert np.array_equal(both.mask, first.mask)


def test_two_detectors_of_different_shape_are_refused() -> None:
    with pytest.raises(InputError, match="two detectors of one scan must have the same shape"):
        combine([Image(np.ones((2, 3))), Image(np.ones((3, 2)))])


def test_two_detectors_of_different_scale_are_refused() -> None:
    first, second = (
        Image(np.ones((2, 3)), pixel_size=size, name=name) for size, name in [(0.2, "a"), (0.203, "b")]
    )
    with pytest.raises(InputError, match=r"within 1 %, got 0\.2 Å in a and 0\.203 Å in b \(if one is wrong"):
        combine([first, second])
    assert combine([first, Image(np.ones((2, 3)), pixel_size=0.2015)]).pixel_size == 0.2


@pytest.mark.parametrize("region", [(slice(0, 4000), slice(0, 6)), (slice(0, 5), slice(2, 7))])
def test_a_region_past_the_frame_is_refused(region: tuple[slice, slice]) -> None:
    with pytest.raises(InputError, match="the region must lie within the image, got 0:"):
        Image(np.ones((5, 6))).restrict(region)


def test_a_region_may_leave_an_end_open() -> None:
    image = Image(np.ones((5, 6))).restrict((slice(None, 2), slice(-2, None)))
    assert int((~image.mask).sum()) == 4


def test_values_beyond_float32_are_refused_with_the_cure() -> None:
    with pytest.raises(InputError, match=r"within ±3\.4e\+38, got 1e\+40 \(divide the image by its largest"):
        Image(np.full((4, 4), 1e40))


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint32])
def test_structure_survives_a_large_offset(dtype: type) -> None:
    y, x = np.mgrid[:64, :64]
    crystal = np.round(200 * (2 + np.cos(2 * np.pi * x / 8) * np.cos(2 * np.pi * y / 8))).astype(dtype)
    pixels = Image(crystal + dtype(4e9)).pixels.astype(np.float64)
    assert np.array_equal(pixels - pixels.min(), crystal - crystal.min())


def test_structure_of_a_fraction_survives_a_large_offset() -> None:
    y, x = np.mgrid[:64, :64]
    crystal = np.cos(2 * np.pi * x / 8) * np.cos(2 * np.pi * y / 8)
    pixels = Image(crystal + 1e7).pixels
    assert np.abs((pixels - pixels.mean()) - (crystal - crystal.mean())).max() < 1e-6


def test_values_that_float32_can_hold_are_not_shifted() -> None:
    values = np.linspace(1000.0, 1001.0, 16).reshape(4, 4)
    assert np.array_equal(Image(values).pixels, values.astype(np.float32))
    assert (Image(np.full((4, 4), 7)).pixels == 7).all()


def test_complex_numbers_are_no_image() -> None:
    with pytest.raises(InputError, match="must be an array of numbers"):
        Image(np.ones((3, 3), dtype=complex))


def test_an_image_and_a_result_say_what_they_are_in_one_line() -> None:
    image = Image(np.zeros((2, 3)), pixel_size=0.39876, name="x.dm4")
    assert repr(image) == "Image('x.dm4', 2 × 3 px, 1 detector, 0.3988 Å/px)"
    both = replace(combine([image, image]), pixel_size=math.nan)
    assert repr(both) == "Image('x.dm4', 2 × 3 px, 2 detectors, scale unknown)"
    sites = defect_table({"y": np.arange(1711.0), "x": 0.0})
    result = Result(image=image, sites=sites, defects=sites[:27])
    assert repr(result) == "Result('x.dm4': 27 defects among 1,711 sites)"
