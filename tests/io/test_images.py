from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from antisite.errors import ChoiceError, InputError
from antisite.io.images import describe_file, read_image

Write = Callable[..., Path]
RAMP = np.arange(20 * 30, dtype=np.float32).reshape(20, 30)


def save(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def test_a_stack_needs_a_choice(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", np.stack([RAMP] * 3))
    with pytest.raises(
        ChoiceError, match=r"^a\.npy holds a stack of 3 frames; choose one with --frame N \(0 to 2\)"
    ):
        read_image(path)


def test_a_chosen_frame_keeps_its_number(tmp_path: Path) -> None:
    image = read_image(save(tmp_path / "a.npy", np.stack([RAMP, 2 * RAMP])), frame=1)
    assert image.frame == 1
    assert np.array_equal(image.pixels, 2 * RAMP)


@pytest.mark.parametrize("frame", [2, -1])
def test_a_frame_out_of_range_is_refused(tmp_path: Path, frame: int) -> None:
    path = save(tmp_path / "a.npy", np.stack([RAMP, RAMP]))
    with pytest.raises(InputError, match=rf"^frame must be 0 to 1 in a\.npy, got {frame}$"):
        read_image(path, frame=frame)


def test_frame_and_sum_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either by one frame or by the sum"):
        read_image(save(tmp_path / "a.npy", RAMP), frame=0, sum_frames=True)


def test_one_frame_is_an_image(tmp_path: Path) -> None:
    assert read_image(save(tmp_path / "a.npy", RAMP[None])).shape == RAMP.shape
    assert read_image(save(tmp_path / "b.npy", RAMP), frame=0, sum_frames=False).shape == RAMP.shape


def test_the_sum_does_not_overflow(tmp_path: Path) -> None:
    frames = np.full((5, 6, 7), 255, dtype=np.uint8)
    assert (read_image(save(tmp_path / "a.npy", frames), sum_frames=True).pixels == 1275).all()


def test_several_images_need_a_choice_and_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", HAADF=RAMP, BF=RAMP)
    with pytest.raises(
        ChoiceError, match=r"^a\.npz holds 2 images; choose one with --signal NAME: 'HAADF', 'BF'$"
    ):
        read_image(tmp_path / "a.npz")


def test_a_misspelt_signal_is_answered_with_the_nearest(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", HAADF=RAMP, BF=RAMP)
    with pytest.raises(InputError, match=r"got 'hadf' \(did you mean 'HAADF'\?\)$") as error:
        read_image(tmp_path / "a.npz", signal="hadf")
    assert not isinstance(error.value, ChoiceError)


def test_case_does_not_matter_unless_it_must(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ADF=RAMP, adf=2 * RAMP, BF=3 * RAMP)
    assert np.array_equal(read_image(tmp_path / "a.npz", signal="bf").pixels, 3 * RAMP)
    titles = [info.title for info in describe_file(tmp_path / "a.npz")]
    assert titles == ["ADF 1", "adf 2", "BF"]
    assert np.array_equal(read_image(tmp_path / "a.npz", signal="ADF 2").pixels, 2 * RAMP)


def test_a_spectrum_is_refused_as_one(tmp_path: Path, write_dm: Write, write_ser: Write) -> None:
    for path in (
        write_dm(tmp_path / "a.dm4", RAMP[0]),
        write_ser(tmp_path / "a.ser", RAMP[0].astype(np.uint16)),
        save(tmp_path / "a.npy", RAMP[0]),
    ):
        with pytest.raises(InputError, match=r"holds no image: 'HAADF|a' is a spectrum"):
            read_image(path)
        assert [info.is_image for info in describe_file(path)] == [False]


def test_a_spectrum_image_is_refused_as_one(tmp_path: Path, write_dm: Write) -> None:
    path = write_dm(tmp_path / "a.dm4", np.stack([RAMP] * 6), unit="eV")
    with pytest.raises(InputError, match=r"^a\.dm4 holds no image: 'HAADF' is a spectrum image$"):
        read_image(path)


def test_a_chosen_spectrum_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=RAMP, eels=RAMP[0])
    with pytest.raises(InputError, match=r"the signal 'eels' of a\.npz must be an image, and is a spectrum"):
        read_image(tmp_path / "a.npz", signal="EELS")


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made of complex numbers"):
        read_image(save(tmp_path / "a.npy", RAMP * 1j))


def test_rgb_with_unequal_channels_is_refused_with_the_cure(tmp_path: Path) -> None:
    from PIL import Image as Picture

    colour = np.zeros((20, 30, 3), dtype=np.uint8)
    colour[..., 0] = 90
    for suffix in ("png", "tif"):
        Picture.fromarray(colour).save(tmp_path / f"a.{suffix}")
        with pytest.raises(InputError, match=r"in colour \(export it in grey\)"):
            read_image(tmp_path / f"a.{suffix}")


def test_alpha_is_ignored(tmp_path: Path) -> None:
    colour = np.repeat((RAMP % 256).astype(np.uint8)[..., None], 4, axis=2)
    colour[..., 3] = 17
    assert np.array_equal(read_image(save(tmp_path / "a.npy", colour)).pixels, RAMP % 256)


def test_pixels_that_are_not_finite_are_masked(tmp_path: Path) -> None:
    array = RAMP.astype(np.float64)
    array[2, 3], array[4, 5], array[6, 7] = np.nan, np.inf, 1e300
    image = read_image(save(tmp_path / "a.npy", array))
    assert np.argwhere(image.mask).tolist() == [[2, 3], [4, 5], [6, 7]]
    assert np.isfinite(image.channels).all()


def test_a_given_pixel_size_goes_before_that_of_the_file(tmp_path: Path, write_dm: Write) -> None:
    assert read_image(write_dm(tmp_path / "a.dm4", RAMP), pixel_size=0.3).pixel_size == 0.3


def test_a_second_detector_becomes_the_second_channel(tmp_path: Path, write_velox: Write) -> None:
    write_velox(tmp_path / "b.emd", {"ADF": 2 * RAMP[None]})
    image = read_image(save(tmp_path / "a.npy", RAMP), also=tmp_path / "b.emd")
    assert np.array_equal(image.channels, [RAMP, 2 * RAMP])
    assert (image.name, image.pixel_size) == ("a.npy", pytest.approx(0.2))
    assert np.isnan(image.conditions.detectors[0].inner)
    assert image.conditions.detectors[1].inner == pytest.approx(70)


def test_a_second_detector_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must have the same shape"):
        read_image(save(tmp_path / "a.npy", RAMP), also=save(tmp_path / "b.npy", RAMP.T))


def test_a_second_file_of_several_signals_gives_the_one_of_that_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", HAADF=RAMP, BF=3 * RAMP)
    np.savez(tmp_path / "b.npz", haadf=2 * RAMP, ABF=RAMP)
    image = read_image(tmp_path / "a.npz", signal="HAADF", also=tmp_path / "b.npz")
    assert np.array_equal(image.channels, [RAMP, 2 * RAMP])
    with pytest.raises(ChoiceError, match=r"^b\.npz holds 2 images; choose one"):
        read_image(tmp_path / "a.npz", signal="BF", also=tmp_path / "b.npz")


def test_the_same_file_gives_the_other_one_of_its_two_detectors(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", HAADF=RAMP, BF=3 * RAMP, spectrum=RAMP[0])
    image = read_image(tmp_path / "a.npz", signal="bf", also=tmp_path / "." / "a.npz")
    assert np.array_equal(image.channels, [3 * RAMP, RAMP])
    with pytest.raises(ChoiceError, match="choose one with --signal"):
        read_image(tmp_path / "a.npz", also=tmp_path / "a.npz")


def test_the_same_image_twice_is_no_second_detector(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", RAMP)
    with pytest.raises(InputError, match=r"beside 'a' a\.npy holds no other image \(save the second"):
        read_image(path, also=path)
    np.savez(tmp_path / "b.npz", HAADF=RAMP, BF=RAMP, ABF=RAMP)
    with pytest.raises(InputError, match=r"beside 'BF' b\.npz holds 2 others: 'HAADF', 'ABF'"):
        read_image(tmp_path / "b.npz", signal="BF", also=tmp_path / "b.npz")


def test_a_mask_that_covers_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the mask must leave pixels, got one that covers all of a\.npy"):
        read_image(save(tmp_path / "a.npy", RAMP), mask=np.ones_like(RAMP))


def test_a_mask_file_of_several_images_is_refused_with_a_cure_for_masks(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", RAMP)
    np.savez(tmp_path / "n.npz", one=RAMP, two=RAMP)
    for mask in (save(tmp_path / "m.npy", np.stack([RAMP] * 3)), tmp_path / "n.npz"):
        with pytest.raises(InputError, match=rf"one image, got \d in {mask.name} \(save the mask") as error:
            read_image(path, mask=mask)
        assert "--" not in str(error.value)


def test_a_structure_on_a_large_offset_is_read(tmp_path: Path) -> None:
    image = read_image(save(tmp_path / "a.npy", RAMP.astype(np.float64) / 600 + 1e7))
    assert np.ptp(image.pixels) == pytest.approx(np.ptp(RAMP) / 600, rel=1e-5)


@pytest.mark.parametrize("n", [3, 4])
def test_equal_frames_that_tifffile_stores_as_colours_are_grey(tmp_path: Path, n: int) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.stack([RAMP] * n), photometric="rgb")
    assert np.array_equal(read_image(tmp_path / "a.tif").pixels, RAMP)


def test_frames_that_tifffile_stores_as_colours_are_named_as_such(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.stack([RAMP, RAMP + 1, RAMP]), photometric="rgb")
    with pytest.raises(InputError, match=r"^a\.tif stores 3 planes as colours, and they differ \(export"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("as_file", [False, True])
def test_a_mask_hides_what_is_not_zero(tmp_path: Path, as_file: bool) -> None:
    hidden = RAMP > 500
    mask = save(tmp_path / "m.npy", hidden.astype(np.uint8) * 255) if as_file else hidden
    assert np.array_equal(read_image(save(tmp_path / "a.npy", RAMP), mask=mask).mask, hidden)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"the mask must have the shape of the image \(20, 30\), got \(30, 20\)"
    ):
        read_image(save(tmp_path / "a.npy", RAMP), mask=RAMP.T)


def test_a_region_keeps_coordinates(tmp_path: Path) -> None:
    image = read_image(save(tmp_path / "a.npy", RAMP), region=(slice(2, 8), slice(5, 20)))
    assert image.shape == RAMP.shape
    assert np.argwhere(~image.mask).min(axis=0).tolist() == [2, 5]


def test_pixels_that_are_not_square_are_refused_unless_the_size_is_given(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", RAMP, imagej=True, resolution=(50, 40), metadata={"unit": "nm"})
    with pytest.raises(
        InputError, match=r"^pixels must be square within 1 %, got 0\.\d+ × 0\.\d+ Å in a\.tif"
    ):
        read_image(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", pixel_size=0.2).pixel_size == 0.2
    assert np.isnan(describe_file(tmp_path / "a.tif")[0].pixel_size)


def test_a_description_tells_what_reading_gives(tmp_path: Path, write_velox: Write) -> None:
    path = write_velox(tmp_path / "a.emd", {"HAADF": np.stack([RAMP, RAMP]), "BF": RAMP[None]})
    first, second = describe_file(path)
    assert (first.title, first.shape, first.dtype, first.n_frames) == ("HAADF", (20, 30), "float32", 2)
    assert (second.title, second.n_frames, second.is_image, second.reason) == ("BF", 1, True, "")
    assert first.conditions == read_image(path, signal="HAADF", frame=0).conditions
