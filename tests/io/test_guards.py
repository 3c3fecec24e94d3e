"""Bad files: each gives one clear sentence, takes no memory and does not hang."""

from __future__ import annotations

import logging
import os
import struct
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antisite.errors import InputError
from antisite.io.guards import check_size, guarded
from antisite.io.images import SUFFIXES, read_image

Write = Callable[..., Path]
RAMP = np.arange(20 * 30, dtype=np.float32).reshape(20, 30)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_image(path)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.tif").endswith("a.tif does not exist (check the name and the folder)")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").touch()
    assert refusal(tmp_path / f"a{suffix}") == f"a{suffix} is empty (was it copied to the end?)"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_with_the_suffix_of_an_image_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"notes{suffix}"
    path.write_text("This is a note about a specimen.\n" * 40)
    message = refusal(path)
    if suffix == ".mrc":
        assert message.startswith("notes.mrc is not a .mrc file: its header gives")
    else:
        assert message == f"notes{suffix} is not a {suffix} file: it begins with 'This is '"


@pytest.mark.parametrize("name", ["a.txt", "a"])
def test_an_unknown_suffix_is_answered_with_those_that_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    assert ".dm4" in refusal(tmp_path / name)


def test_a_file_that_may_not_be_opened_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(tmp_path / "a.tif") == "a.tif cannot be opened: permission denied"


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=np.array([[{}]], dtype=object))
    for suffix in ("npy", "npz"):
        assert "holds Python objects" in refusal(tmp_path / f"a.{suffix}")


def good_file(path: Path, write_dm: Write, write_ser: Write, write_velox: Write) -> Path:
    suffix = path.suffix
    noise = np.random.default_rng(0).integers(0, 200, (40, 50)).astype(np.uint8)
    if suffix in {".dm3", ".dm4"}:
        return write_dm(path, noise)
    if suffix == ".ser":
        return write_ser(path, noise.astype(np.uint16))
    if suffix == ".emd":
        return write_velox(path, {"HAADF": noise[None]})
    if suffix == ".npz":
        np.savez(path, a=noise)
    elif suffix == ".npy":
        np.save(path, noise)
    elif suffix == ".tif":
        import tifffile

        tifffile.imwrite(path, noise, compression="zlib", rowsperstrip=5)
    else:
        from PIL import Image as Picture

        Picture.fromarray(noise).save(path)
    return path


KINDS = [".dm3", ".dm4", ".ser", ".emd", ".npz", ".npy", ".tif", ".png", ".jpg"]


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(
    tmp_path: Path, write_dm: Write, write_ser: Write, write_velox: Write, suffix: str, share: float
) -> None:
    path = good_file(tmp_path / f"a{suffix}", write_dm, write_ser, write_velox)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    message = refusal(path)
    assert message.startswith(f"a{suffix} cannot be read as a {suffix} file: it ")
    assert "truncated" in message


@pytest.mark.parametrize("suffix", KINDS)
@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), length=st.integers(1, 8))
@settings(max_examples=25, deadline=5000)
def test_a_damaged_file_is_read_or_refused_but_never_worse(
    tmp_path_factory: pytest.TempPathFactory,
    write_dm: Write,
    write_ser: Write,
    write_velox: Write,
    suffix: str,
    at: float,
    byte: int,
    length: int,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = good_file(folder / f"a{suffix}", write_dm, write_ser, write_velox)
    content = bytearray(path.read_bytes())
    start = int(at * len(content))
    content[start : start + length] = bytes([byte]) * len(content[start : start + length])
    path.write_bytes(content)
    try:
        assert read_image(path).channels.ndim == 3
    except InputError as refused:
        message = str(refused)
        if "\n" in message:
            pytest.fail(message)


def huge_npy(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100))


def huge_npz(path: Path) -> None:
    import zipfile

    huge_npy(path.with_suffix(".npy"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".npy"), "a.npy")


def huge_hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["file_format_version"] = "3.3"
        group = file.create_group("Experiments/a")
        group.create_dataset("data", shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))


def huge_tiff(path: Path) -> None:
    tags = [
        (256, 4, 10**6),
        (257, 4, 10**6),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (279, 4, 100),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    ifd = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + ifd + bytes(100))


def huge_mrc(path: Path) -> None:
    header = np.zeros(256, dtype="<i4")
    header[:4] = 1_000_000, 1_000_000, 1, 2
    path.write_bytes(header.tobytes() + bytes(100))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.npy", huge_npy),
        ("a.npz", huge_npz),
        ("a.hspy", huge_hdf5),
        ("a.emd", huge_hdf5),
        ("a.tif", huge_tiff),
        ("a.mrc", huge_mrc),
    ],
)
def test_a_header_that_promises_terabytes_takes_no_memory(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    read_image_once(tmp_path)
    write(tmp_path / name)
    tracemalloc.start()
    message = refusal(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message.startswith(f"{name} cannot be read as a {Path(name).suffix} file: it ")
    assert peak < 50e6


def read_image_once(folder: Path) -> None:
    np.save(folder / "warm.npy", RAMP)
    read_image(folder / "warm.npy")


def test_gatan_and_tia_headers_that_promise_too_much_are_refused(
    tmp_path: Path, write_dm: Write, write_ser: Write
) -> None:
    message = refusal(write_dm(tmp_path / "a.dm4", RAMP, claim=(1_000_000, 1_000_000)))
    assert message.startswith("a.dm4 cannot be read as a .dm4 file: it promises 4 TB of pixels and holds ")
    message = refusal(write_ser(tmp_path / "a.ser", RAMP.astype(np.uint16), claim=(1_000_000, 1_000_000)))
    assert message.startswith("a.ser cannot be read as a .ser file: it promises 2 TB of pixels and holds ")


def test_an_image_too_large_for_memory_is_refused() -> None:
    with pytest.raises(InputError, match=r"^a\.tif holds an image of 1 TB; at most 8.59 GB are read"):
        check_size(Path("a.tif"), 10**12)


@pytest.mark.parametrize(
    "error", [MemoryError(), OverflowError("too large"), RecursionError("deep"), KeyError("x")]
)
def test_whatever_a_reader_raises_becomes_one_sentence(error: Exception) -> None:
    def read() -> None:
        raise error

    with pytest.raises(InputError, match=r"^a\.dm4 cannot be read as a \.dm4 file: it ") as caught:
        guarded(Path("a.dm4"), read)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (struct.error("unpack requires a buffer of 8 bytes"), "looks truncated (copy or export it again;"),
        (OSError("Unable to open (truncated file: eof = 9)"), "looks truncated (copy or export it again;"),
        (OSError("Unable to open (bad superblock)"), "looks damaged or truncated (copy or export it again;"),
        (ValueError("requires the 'imagecodecs' package"), "is compressed in a way that cannot be undone"),
    ],
)
def test_the_words_of_a_reader_are_for_who_looks_for_them(
    error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    def read() -> None:
        raise error

    with caplog.at_level(logging.DEBUG, "antisite"), pytest.raises(InputError) as caught:
        guarded(Path("a.emd"), read)
    assert f"a.emd cannot be read as a .emd file: it {words}" in str(caught.value)
    assert str(error) not in str(caught.value)
    assert str(error) in caplog.text


def test_readers_mutter_nothing_and_change_no_level(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tifffile")
    level, filters = logger.level, list(warnings.filters)

    def read() -> str:
        warnings.warn("odd tag", stacklevel=1)
        logger.error("odd tag")
        return "read"

    assert guarded(Path("a.tif"), read) == "read"
    assert not caplog.records
    assert (logger.level, warnings.filters) == (level, filters)


@pytest.mark.skipif("ANTISITE_DATA" not in os.environ, reason="ANTISITE_DATA names no folder of real images")
@pytest.mark.parametrize(
    "name", ["wse2_ti_25/ADF1.dm4", "perfect/srtio3.ser", "unlabelled/mos2_se_implanted.dm3"]
)
def test_a_real_file_that_was_cut_is_refused(tmp_path: Path, name: str) -> None:
    real = Path(os.environ["ANTISITE_DATA"]) / name
    cut = tmp_path / real.name
    cut.write_bytes(real.read_bytes()[: real.stat().st_size // 2])
    assert "truncated" in refusal(cut)
