"""Readers of the formats that microscopes and their programs write."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from ..errors import InputError
from .guards import MAX_COMPRESSION, RawSignal, check_promise

_MAX_EAGER_BYTES = 2 * 2**30
_MRC_BYTES = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 12: 2}
_SER_BYTES = {1: 1, 4: 1, 2: 2, 5: 2, 3: 4, 6: 4, 7: 4, 8: 8, 9: 8, 10: 16}


def read_dm(path: Path) -> list[RawSignal]:
    """Every image of a Gatan file but its thumbnails; pixels stay on disk until used."""
    from rsciio.digitalmicrograph import file_reader

    try:
        signals: list[RawSignal] = file_reader(str(path), lazy=True)
    except ValueError as error:
        if "RGBA" not in str(error):
            raise
        signals = file_reader(str(path))
    for signal in signals:
        check_promise(path, signal["data"].nbytes)
    return signals


def read_emd(path: Path) -> list[RawSignal]:
    """The images of a Velox or Berkeley file; spectra of Velox are not decoded."""
    from rsciio.emd import file_reader

    lazy = _is_large_hdf5(path)
    try:
        signals: list[RawSignal] = file_reader(
            str(path), lazy=lazy, select_type="images", load_SI_image_stack=True
        )
    except ModuleNotFoundError:  # it asks for a package that only its spectra need
        signals = _read_velox_images(path)
    if not signals:
        raise InputError(f"{path.name} must hold an image, and holds only spectra")
    return signals


def _read_velox_images(path: Path) -> list[RawSignal]:
    import h5py  # type: ignore[import-untyped,unused-ignore]
    from rsciio.emd._emd_velox import FeiEMDReader

    reader = FeiEMDReader(select_type="images", load_SI_image_stack=True)
    reader._read_data = lambda _: reader._read_images()
    reader.load_images, reader.load_SI = True, False
    with h5py.File(path, "r") as file:
        reader.read_file(file)
    return list(reader.dictionaries)


def read_hspy(path: Path) -> list[RawSignal]:
    """Every signal of a HyperSpy file."""
    from rsciio.hspy import file_reader

    signals: list[RawSignal] = file_reader(str(path), lazy=_is_large_hdf5(path))
    return [signal for signal in signals if "data" in signal]  # stored models have none


def _is_large_hdf5(path: Path) -> bool:
    import h5py

    sizes: list[int] = []

    def note(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(math.prod(item.shape or (0,)) * item.dtype.itemsize)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    for n_bytes in sizes:
        check_promise(path, n_bytes, compression=MAX_COMPRESSION)
    return sum(sizes) > _MAX_EAGER_BYTES


def read_mrc(path: Path) -> list[RawSignal]:
    """The image or stack of an MRC file; pixels stay on disk until used."""
    from rsciio.mrc import file_reader

    check_promise(path, _promised_by_mrc(path))
    signals: list[RawSignal] = file_reader(str(path), lazy=True)
    for signal in signals:
        header = signal["original_metadata"]["std_header"]
        # Programs that know no scale write a cell of as many Å as there are pixels, or none.
        if header["MX"] <= 0 or math.isclose(float(header["Xlen"]), float(header["MX"])):
            signal["axes"] = [axis | {"units": ""} for axis in signal["axes"]]
    return signals


def _promised_by_mrc(path: Path) -> int:
    with path.open("rb") as file:
        *shape, mode = struct.unpack("<4i", file.read(16))
    if min(shape) <= 0 or mode not in _MRC_BYTES:
        raise InputError(f"{path.name} is not a .mrc file: its header gives {shape} px of mode {mode}")
    return int(math.prod(shape) * _MRC_BYTES[mode])


def read_ser(path: Path) -> list[RawSignal]:
    """The images or spectra of a TIA file."""
    from rsciio.tia import file_reader

    check_promise(path, _promised_by_ser(path))
    return list(file_reader(str(path)))


def _promised_by_ser(path: Path) -> int:
    with path.open("rb") as file:
        version, kind, n_valid = struct.unpack("<4xHI8xI", file.read(22))
        wide = version > 528
        (table,) = struct.unpack("<Q" if wide else "<I", file.read(8 if wide else 4))
        file.seek(table)
        (start,) = struct.unpack("<Q" if wide else "<I", file.read(8 if wide else 4))
        is_image = kind != 0x4120
        file.seek(start + (40 if is_image else 20))
        code, *shape = struct.unpack("<HII" if is_image else "<HI", file.read(10 if is_image else 6))
    return int(n_valid * math.prod(shape) * _SER_BYTES.get(code, 1))
