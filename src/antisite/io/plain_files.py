"""Readers of the formats that any program writes: TIFF, pictures and arrays of numpy."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .guards import MAX_COMPRESSION, RawSignal, check_promise, check_size


def read_tiff(path: Path) -> list[RawSignal]:
    """Every image of a TIFF file but its thumbnails and pyramid levels."""
    from rsciio.tiff import file_reader
    from tifffile import TiffFile

    with TiffFile(path) as tiff:
        for series in tiff.series:
            check_promise(path, int(series.nbytes), compression=MAX_COMPRESSION)
            check_size(path, int(series.nbytes))
            _check_strips(path, series)
        if tiff.series and _stores_planes(tiff.series[0]):
            return [_planes(path, tiff.series[0])]
    signals: list[RawSignal] = [_with_imagej_unit(signal) for signal in file_reader(str(path))]
    whole = [s for s in signals if not int(s["original_metadata"].get("NewSubfileType", 0)) & 1]
    return whole or signals  # bit 1 marks a reduced copy: a thumbnail or a level of a pyramid


def _stores_planes(series: Any) -> bool:
    """Whether colours lie one behind the other, as tifffile also takes a stack of three or four frames."""
    return len(series.shape) == 3 and series.axes[1:] == "YX" and series.keyframe.photometric == 2


def _planes(path: Path, series: Any) -> RawSignal:
    planes = series.asarray()
    if not all(np.array_equal(plane, planes[0], equal_nan=planes.dtype.kind == "f") for plane in planes[1:3]):
        raise InputError(
            f"{path.name} stores {len(planes)} planes as colours, and they differ (export it in grey; a "
            f"stack of frames is written with photometric='minisblack')"
        )
    return {"data": planes[0], "axes": [], "metadata": {}, "original_metadata": {}}


def _with_imagej_unit(signal: RawSignal) -> RawSignal:
    """RosettaSciIO keeps the scale of ImageJ, but of its units only the micron."""
    description = str(signal["original_metadata"].get("ImageDescription", ""))
    unit = re.search(r"^unit=(.+)$", description, re.MULTILINE)
    if unit is None or not description.startswith("ImageJ="):
        return signal
    name = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), unit[1])
    axes = [
        axis if axis["units"] or axis["scale"] == 1 else axis | {"units": name} for axis in signal["axes"]
    ]
    return signal | {"axes": axes}


def _check_strips(path: Path, series: Any) -> None:
    """Refuse a file that ends before its last strip; the reader would fill up with zeros."""
    held = path.stat().st_size
    end = 0 if series.dataoffset is None else series.dataoffset + series.nbytes
    for page in series.pages:
        if page is not None:
            page = page.aspage()
            ends = (at + n for at, n in zip(page.dataoffsets, page.databytecounts, strict=False))
            end = max(end, *ends, 0)
    if end > held:
        raise InputError(
            f"{path.name} cannot be read as a {path.suffix.lower()} file: it looks truncated "
            f"(its pixels end at byte {end}, the file at {held})"
        )


def read_picture(path: Path) -> list[RawSignal]:
    """A PNG or JPEG picture."""
    # Pillow itself: RosettaSciIO keeps the red channel of a colour picture whose green and blue agree.
    from PIL import Image as Picture

    with Picture.open(path, formats=("PNG", "JPEG")) as picture:
        check_size(path, picture.width * picture.height * 4)
        plain = picture.mode in {"1", "L", "LA", "I", "I;16", "F", "RGB", "RGBA"}
        data = np.array(picture if plain else picture.convert("RGB"))
    return [{"data": data, "axes": [], "metadata": {}, "original_metadata": {}}]


def read_npy(path: Path) -> list[RawSignal]:
    """One array of numbers; pixels stay on disk until used."""
    try:
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "objects" not in str(error):
            raise
        raise InputError(_objects(path)) from None
    return [{"data": data, "axes": [], "metadata": {}, "original_metadata": {}}]


def read_npz(path: Path) -> list[RawSignal]:
    """Every array of numbers of an archive."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist() if info.filename.endswith(".npy")]
        for name in names:
            with archive.open(name) as member:
                shape, dtype = _npy_header(member)
            if dtype.hasobject:
                raise InputError(_objects(path))
            n_bytes = math.prod(shape) * dtype.itemsize
            check_promise(path, n_bytes, compression=MAX_COMPRESSION)
            check_size(path, n_bytes)
    with np.load(path, allow_pickle=False) as arrays:
        return [
            {
                "data": arrays[name],
                "axes": [],
                "metadata": {"General": {"title": name}},
                "original_metadata": {},
            }
            for name in arrays.files
        ]


def _npy_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _objects(path: Path) -> str:
    return f"{path.name} must hold numbers, and holds Python objects (save it with dtype=float)"
