from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antisite.io.images import describe_file, read_image

Write = Callable[..., Path]
RAMP = np.arange(20 * 30, dtype=np.float32).reshape(20, 30)
DTYPES = ("u1", "u2", "i2", "i4", "u4", "f4", "f8", "?")


def axes(shape: tuple[int, ...], scale: float = 0.02, units: str = "nm") -> list[dict[str, object]]:
    names = ["frame", "y", "x"][-len(shape) :]
    return [
        {
            "_type": "UniformDataAxis",
            "name": name,
            "size": n,
            "scale": scale,
            "offset": 0.0,
            "units": units,
            "navigate": name == "frame",
            "is_binned": False,
            "index_in_array": i,
        }
        for i, (n, name) in enumerate(zip(shape, names, strict=True))
    ]


def write_hspy(path: Path, data: np.ndarray, **metadata: object) -> Path:
    from rsciio.hspy import file_writer

    signal = {
        "data": data,
        "axes": axes(data.shape),
        "metadata": {"General": {"title": "HAADF"}, "Signal": {"signal_type": ""}, **metadata},
        "original_metadata": {},
        "attributes": {"_lazy": False},
        "tmp_parameters": {},
        "learning_results": {},
        "models": {},
        "package_info": {"package": "", "package_version": ""},
    }
    file_writer(str(path), signal)
    return path


def write_mrc(path: Path, data: np.ndarray, cell: float = 0.0) -> Path:
    header = np.zeros(256, dtype="<i4")
    nz, ny, nx = data.shape
    header[:4] = nx, ny, nz, 2
    header[7:10] = nx, ny, nz
    header[10:13] = np.array([nx * cell, ny * cell, nz * cell], dtype="<f4").view("<i4")
    header[52] = int.from_bytes(b"MAP ", "little")
    path.write_bytes(header.tobytes() + data.astype("<f4").tobytes())
    return path


@pytest.mark.parametrize("suffix", [".dm3", ".dm4"])
def test_a_gatan_file_gives_pixels_scale_and_voltage(tmp_path: Path, write_dm: Write, suffix: str) -> None:
    image = read_image(write_dm(tmp_path / f"a{suffix}", RAMP))
    assert np.array_equal(image.pixels, RAMP)
    assert image.pixel_size == pytest.approx(0.2)
    assert image.conditions.beam_energy == 80e3
    assert describe_file(tmp_path / f"a{suffix}")[0].title == "HAADF"


def test_an_offline_gatan_file_with_no_voltage_says_unknown(tmp_path: Path, write_dm: Write) -> None:
    image = read_image(write_dm(tmp_path / "a.dm4", RAMP, voltage=0.0))
    assert np.isnan(image.conditions.beam_energy)


def test_a_tia_file_gives_pixels_and_scale(tmp_path: Path, write_ser: Write) -> None:
    image = read_image(write_ser(tmp_path / "a_1.ser", RAMP.astype(np.uint16)))
    assert np.array_equal(image.pixels, RAMP)
    assert image.pixel_size == pytest.approx(0.2)


def test_a_tia_series_is_a_stack_of_frames(tmp_path: Path, write_ser: Write) -> None:
    frames = np.stack([RAMP, RAMP + 1, RAMP + 2]).astype(np.uint16)
    path = write_ser(tmp_path / "a_1.ser", frames)
    assert describe_file(path)[0].n_frames == 3
    assert np.array_equal(read_image(path, frame=2).pixels, RAMP + 2)


@pytest.mark.parametrize("with_spectra", [False, True])
def test_a_velox_file_gives_each_detector_with_its_angles(
    tmp_path: Path, write_velox: Write, with_spectra: bool
) -> None:
    path = tmp_path / "a.emd"
    write_velox(path, {"HAADF": RAMP[None], "BF": -RAMP[None]}, with_spectra=with_spectra)
    image = read_image(path, signal="bf")
    assert np.array_equal(image.pixels, -RAMP)
    assert image.pixel_size == pytest.approx(0.2)
    assert image.conditions.beam_energy == 300e3
    assert image.conditions.convergence == pytest.approx(25)
    assert [(d.inner, d.outer) for d in image.conditions.detectors] == [(pytest.approx(70), 200)]


def test_a_velox_series_is_a_stack_of_frames(tmp_path: Path, write_velox: Write) -> None:
    path = write_velox(tmp_path / "a.emd", {"HAADF": np.stack([RAMP, 2 * RAMP])})
    assert np.array_equal(read_image(path, frame=1).pixels, 2 * RAMP)
    assert np.array_equal(read_image(path, sum_frames=True).pixels, 3 * RAMP)


def test_a_berkeley_file_that_names_x_before_y_is_turned(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.emd"
    with h5py.File(path, "w") as file:
        file.attrs.update({"version_major": 0, "version_minor": 2})
        group = file.create_group("data/HAADF")
        group.attrs["emd_group_type"] = 1
        group["data"] = RAMP
        for i, (name, n) in enumerate(zip("yx", RAMP.shape, strict=True)):
            dim = group.create_dataset(f"dim{i + 1}", data=0.02 * np.arange(n))
            dim.attrs.update({"name": name, "units": "[n_m]"})
    image = read_image(path)
    assert np.array_equal(image.pixels, RAMP)
    assert image.pixel_size == pytest.approx(0.2)


def test_a_berkeley_file_of_hyperspy_keeps_its_orientation(tmp_path: Path) -> None:
    from rsciio.emd import file_writer

    signal = {
        "data": RAMP,
        "axes": axes(RAMP.shape),
        "metadata": {"General": {"title": "a"}, "Signal": {}},
        "original_metadata": {},
    }
    file_writer(str(tmp_path / "a.emd"), signal)
    image = read_image(tmp_path / "a.emd")
    assert np.array_equal(image.pixels, RAMP)
    assert image.pixel_size == pytest.approx(0.2)


def test_an_mrc_stack_is_read_frame_by_frame(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", np.stack([RAMP, 2 * RAMP]), cell=0.2)
    image = read_image(path, frame=1)
    assert np.array_equal(image.pixels, 2 * RAMP)
    assert image.pixel_size == pytest.approx(0.2)


@pytest.mark.parametrize("cell", [0.0, 1.0])
def test_an_mrc_cell_of_as_many_angstrom_as_pixels_is_no_scale(tmp_path: Path, cell: float) -> None:
    assert np.isnan(read_image(write_mrc(tmp_path / "a.mrc", RAMP[None], cell=cell)).pixel_size)


def test_a_hyperspy_file_gives_its_conditions(tmp_path: Path) -> None:
    microscope = {"TEM": {"beam_energy": 60.0, "convergence_angle": 31.0}}
    image = read_image(write_hspy(tmp_path / "a.hspy", RAMP, Acquisition_instrument=microscope))
    assert (image.conditions.beam_energy, image.conditions.convergence) == (60e3, 31.0)
    assert image.pixel_size == pytest.approx(0.2)


@pytest.mark.parametrize(("unit", "factor"), [("nm", 10), ("micron", 1e4), ("Å", 1)])
def test_a_scale_of_imagej_is_kept(tmp_path: Path, unit: str, factor: float) -> None:
    import tifffile

    per_px = 0.2 / factor
    escaped = unit.replace("Å", "\\u00C5")
    tifffile.imwrite(
        tmp_path / "a.tif", RAMP, imagej=True, resolution=(1 / per_px, 1 / per_px), metadata={"unit": escaped}
    )
    assert read_image(tmp_path / "a.tif").pixel_size == pytest.approx(0.2, rel=1e-4)


def test_a_tiff_without_unit_has_no_scale(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", RAMP, resolution=(300, 300))
    assert np.isnan(read_image(tmp_path / "a.tif").pixel_size)


def test_the_thumbnail_of_a_tiff_is_left_out(tmp_path: Path) -> None:
    import tifffile

    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(RAMP)
        tiff.write(RAMP[::2, ::2], subfiletype=1)
    assert read_image(tmp_path / "a.tif").shape == RAMP.shape


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_is_grey_however_it_is_stored(tmp_path: Path, mode: str, suffix: str) -> None:
    from PIL import Image as Picture

    grey = Picture.fromarray((RAMP % 256).astype(np.uint8))
    grey.convert(mode).save(tmp_path / f"a{suffix}")
    assert np.array_equal(read_image(tmp_path / f"a{suffix}").pixels, RAMP % 256)


def test_a_16_bit_png_keeps_its_depth(tmp_path: Path) -> None:
    from PIL import Image as Picture

    Picture.fromarray((RAMP * 100).astype(np.uint16)).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png").pixels, RAMP * 100)


def test_a_grey_jpeg_saved_in_colour_is_read(tmp_path: Path) -> None:
    from PIL import Image as Picture

    Picture.fromarray(np.repeat((RAMP // 4).astype(np.uint8)[..., None], 3, axis=2)).save(tmp_path / "a.jpg")
    assert np.abs(read_image(tmp_path / "a.jpg").pixels - RAMP // 4).max() < 8


def test_arrays_of_an_archive_are_signals(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", adf=RAMP, profile=RAMP[0])
    assert [(s.title, s.is_image) for s in describe_file(tmp_path / "a.npz")] == [
        ("adf", True),
        ("profile", False),
    ]
    assert np.array_equal(read_image(tmp_path / "a.npz").pixels, RAMP)


def test_the_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RAMP)
    (tmp_path / "a.npy").rename(tmp_path / "A.NPY")
    assert read_image(tmp_path / "A.NPY").shape == RAMP.shape


ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=5, max_side=12),
        elements={"allow_nan": False, "allow_infinity": False, "min_value": -1e6, "max_value": 1e6}
        if dtype[0] == "f"
        else None,
    )
)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".tif", ".hspy"])
@given(array=ARRAYS)
@settings(max_examples=15, deadline=None)
def test_any_array_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, array: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("arrays") / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".npz":
        np.savez_compressed(path, a=array)
    elif suffix == ".hspy":
        write_hspy(path, array)
    else:
        import tifffile

        tifffile.imwrite(path, array.astype("u1") if array.dtype == bool else array)
    image = read_image(path)
    assert np.array_equal(image.pixels, array.astype(np.float32))
    assert image.name == f"a{suffix}"
    assert not image.mask.any()


@pytest.mark.skipif("ANTISITE_DATA" not in os.environ, reason="ANTISITE_DATA names no folder of real images")
@pytest.mark.parametrize(
    ("name", "shape", "pixel_size", "beam_energy"),
    [
        ("wse2_ti_25/ADF1.dm4", (512, 512), 0.39879, 80e3),
        ("unlabelled/mos2_se_implanted.dm3", (1024, 1024), 0.12695, 60e3),
        ("perfect/srtio3.ser", (1024, 1024), 0.10013, np.nan),
        ("not_a_crystal/pt_on_carbon.tif", (512, 512), 0.29297, np.nan),
        ("cdte_lower_half/HAADF.tif", (384, 768), np.nan, np.nan),
    ],
)
def test_real_files_give_what_their_tags_say(
    name: str, shape: tuple[int, int], pixel_size: float, beam_energy: float
) -> None:
    image = read_image(Path(os.environ["ANTISITE_DATA"]) / name)
    assert image.shape == shape
    assert image.pixel_size == pytest.approx(pixel_size, rel=1e-4, nan_ok=True)
    assert image.conditions.beam_energy == pytest.approx(beam_energy, nan_ok=True)
