"""Minimal files of each microscope's format, written from the formats' descriptions."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_DM_TYPES = {"f4": (2, 6), "u1": (6, 8), "i4": (7, 3), "u4": (11, 5), "c8": (3, 15)}


class DmFile:
    """Nested tags as a Gatan file of version 3 or 4."""

    def __init__(self, version: int) -> None:
        self.version = version

    def whole(self, tree: dict[str, Any]) -> bytes:
        head = struct.pack(">i", self.version) + self._long(0) + struct.pack(">i", 1)
        return head + b"\1\0" + self._long(len(tree)) + self._tags(tree)

    def _long(self, number: int) -> bytes:
        return struct.pack(">q" if self.version == 4 else ">i", number)

    def _tags(self, tree: dict[str, Any]) -> bytes:
        return b"".join(self._tag(name.split("#")[0], value) for name, value in tree.items())

    def _tag(self, name: str, value: Any) -> bytes:
        group = isinstance(value, dict)
        head = struct.pack(">bh", 20 if group else 21, len(name)) + name.encode()
        if group:
            size = self._long(0) if self.version == 4 else b""
            return head + b"\1\0" + size + self._long(len(value)) + self._tags(value)
        info, data = self._value(value)
        info = [len(info), *info]
        return head + bytes(8 * (self.version == 4)) + b"%%%%" + b"".join(map(self._long, info)) + data

    @staticmethod
    def _value(value: Any) -> tuple[list[int], bytes]:
        if isinstance(value, str):
            return [20, 4, len(value)], value.encode("utf-16-le")
        if isinstance(value, float):
            return [7], struct.pack("<d", value)
        if isinstance(value, int):
            return [5], struct.pack("<I", value)
        code = {"f4": 6, "u1": 8, "i4": 3, "u4": 5}[value.dtype.str[1:]]
        return [20, code, value.size], value.tobytes()


@pytest.fixture(scope="session")
def write_dm() -> Callable[..., Path]:
    """Write an array as .dm3 or .dm4; `claim` overrides the shape in the header."""

    def write(
        path: Path,
        data: np.ndarray,
        *,
        unit: str = "nm",
        scale: float = 0.02,
        voltage: float = 80e3,
        claim: tuple[int, ...] | None = None,
        title: str = "HAADF",
    ) -> Path:
        shape = claim or data.shape
        units = ["eV"] if data.ndim == 1 else [unit, unit, ""][: data.ndim]
        dimensions = {f"#{i}": {"Origin": 0.0, "Scale": scale, "Units": unit} for i, unit in enumerate(units)}
        image = {
            "Name": title,
            "ImageTags": {"Microscope Info": {"Voltage": voltage}},
            "ImageData": {
                "Calibrations": {
                    "Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": ""},
                    "Dimension": dimensions,
                },
                "Data": data,
                "DataType": _DM_TYPES[data.dtype.str[1:]][0],
                "Dimensions": {f"#{i}": n for i, n in enumerate(shape[::-1])},
            },
        }
        path.write_bytes(DmFile(int(path.suffix[3])).whole({"ImageList": {"#0": image}, "Last": 1}))
        return path

    return write


@pytest.fixture(scope="session")
def write_ser() -> Callable[..., Path]:
    """Write uint16 frames (n, y, x) as .ser, or a spectrum (n,)."""

    def write(
        path: Path, data: np.ndarray, *, scale: float = 2e-11, claim: tuple[int, int] | None = None
    ) -> Path:
        spectrum = data.ndim == 1
        frames = data.reshape(1, *data.shape) if data.ndim < 3 else data
        start = 30 + 24 + 8 + 8
        kind = 0x4120 if spectrum else 0x4122
        head = struct.pack("<HHHIIIIII", 0x4949, 0x0197, 0x0210, kind, 0x4152, *(len(frames),) * 2, start, 1)
        dimension = struct.pack("<IddIII", len(frames), 0.0, 1.0, 0, 0, 0)[:36]
        elements = []
        for frame in frames:
            axis = struct.pack("<ddI", 0.0, scale, 0)
            y, x = claim or (frame.shape if not spectrum else (1, frame.size))
            size = struct.pack("<HI", 2, x) if spectrum else struct.pack("<HII", 2, x, y)
            pixels = frame if spectrum else frame[::-1]
            elements.append(axis * (1 if spectrum else 2) + size + pixels.astype("<u2").tobytes())
        head = head + dimension
        tags = struct.pack("<HHI", 0x4152, 0, 0)
        first = len(head) + 8 * len(frames)
        offsets, at = [], first
        for element in elements:
            offsets.append(at)
            at += len(element) + len(tags)
        head = head[:22] + struct.pack("<I", len(head)) + head[26:]
        table = b"".join(struct.pack("<I", offset) for offset in offsets) + bytes(4 * len(frames))
        path.write_bytes(head + table + b"".join(element + tags for element in elements))
        return path

    return write


@pytest.fixture(scope="session")
def write_velox() -> Callable[..., Path]:
    """Write arrays (frame, y, x) by detector name as a Velox .emd."""

    def write(path: Path, images: dict[str, np.ndarray], *, with_spectra: bool = False) -> Path:
        import h5py

        detectors = {
            f"Detector-{i}": {"DetectorName": name, "CollectionAngleRange": {"begin": "0.07", "end": "0.2"}}
            for i, name in enumerate(images)
        }
        with h5py.File(path, "w") as file:
            _json(file, "Version", {"format": "Velox", "version": "10"})
            for i, (name, frames) in enumerate(images.items()):
                group = file.create_group(f"Data/Image/{i:032x}")
                group["Data"] = np.moveaxis(frames, 0, -1)
                notes = {
                    "BinaryResult": {
                        "DetectorIndex": str(i),
                        "Detector": name,
                        "PixelSize": {"width": "2e-11", "height": "2e-11"},
                        "Offset": {"x": "0", "y": "0"},
                        "PixelUnitX": "m",
                        "PixelUnitY": "m",
                    },
                    "Detectors": detectors,
                    "Scan": {"FrameTime": "1.5"},
                    "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1500000000"}},
                    "Optics": {"AccelerationVoltage": "300000", "BeamConvergence": "0.025"},
                }
                text = np.frombuffer(json.dumps(notes).encode(), dtype=np.uint8)
                group["Metadata"] = np.repeat(text[:, None], len(frames), axis=1)
                _json(
                    file,
                    f"Operations/StemInputOperation/{i}",
                    {"dataPath": f"/Data/Image/{i:032x}", "detector": name},
                )
                display = {"dataPath": f"/Data/Image/{i:032x}", "display": {"label": name}}
                _json(file, f"Presentation/Displays/ImageDisplay/{i}", display)
            if with_spectra:
                file.create_group("Data/SpectrumImage/0")
        return path

    return write


def _json(file: Any, name: str, content: dict[str, Any]) -> None:
    file[name] = np.array([json.dumps(content).encode()], dtype=object).astype("S")
