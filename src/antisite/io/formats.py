"""The file formats antisite reads: how each begins, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from . import microscope_files, plain_files
from .guards import RawSignal, guarded


@dataclass(frozen=True, slots=True)
class _Format:
    """How a file begins, and what reads it."""

    read: Callable[[Path], list[RawSignal]]
    begins: tuple[bytes, ...] = ()


_HDF5 = (b"\x89HDF\r\n\x1a\n",)
_FORMATS = {
    ".dm3": _Format(microscope_files.read_dm, (b"\0\0\0\3",)),
    ".dm4": _Format(microscope_files.read_dm, (b"\0\0\0\4",)),
    ".emd": _Format(microscope_files.read_emd, _HDF5),
    ".hspy": _Format(microscope_files.read_hspy, _HDF5),
    ".ser": _Format(microscope_files.read_ser, (b"II\x97\x01",)),
    ".mrc": _Format(microscope_files.read_mrc),
    ".tif": _Format(plain_files.read_tiff, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ".tiff": _Format(plain_files.read_tiff, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ".png": _Format(plain_files.read_picture, (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": _Format(plain_files.read_picture, (b"\xff\xd8",)),
    ".jpeg": _Format(plain_files.read_picture, (b"\xff\xd8",)),
    ".npy": _Format(plain_files.read_npy, (b"\x93NUMPY",)),
    ".npz": _Format(plain_files.read_npz, (b"PK",)),
}

SUFFIXES = tuple(_FORMATS)
"""The files that are read, by suffix."""


def read_signals(path: Path) -> list[RawSignal]:
    """Every signal that a file holds, its pixels perhaps not read yet.

    Raises
    ------
    InputError
        The file is missing, empty, not what its suffix says, truncated or damaged.
    """
    reader = _reader_for(path)
    return guarded(path, lambda: reader(path))


def _reader_for(path: Path) -> Callable[[Path], list[RawSignal]]:
    try:
        if path.is_dir():
            raise InputError(f"{path} must be an image file, and is a folder (name the files in it)")
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist (check the name and the folder)") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened: {(error.strerror or str(error)).lower()}") from None
    known = _FORMATS.get(path.suffix.lower())
    if known is None:
        raise InputError(
            f"{path.name} must be one of {' '.join(SUFFIXES)}, got {path.suffix or 'no suffix'!r}"
        )
    if not start:
        raise InputError(f"{path.name} is empty (was it copied to the end?)")
    if known.begins and not start.startswith(known.begins):
        raise InputError(f"{path.name} is not a {path.suffix.lower()} file: it begins with {_visible(start)}")
    return known.read


def _visible(start: bytes) -> str:
    return repr(start[:8].decode("latin-1"))
