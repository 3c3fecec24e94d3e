"""Writing images: TIFF as ImageJ has it and .hspy as HyperSpy has it, both with their scale."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..image import Image
from .writing import writing

_EMPTY = ("original_metadata", "tmp_parameters", "package_info", "learning_results", "models")


def tiff_bytes(pixels: NDArray[np.generic], pixel_size: float = math.nan) -> bytes:
    """A TIFF as ImageJ writes it; the size of a pixel in micrometres, since RosettaSciIO reads no other unit.

    Parameters
    ----------
    pixels : (y, x) float32, uint8 or uint16.
    pixel_size : Å/px; NaN leaves it out.
    """
    from tifffile import imwrite

    buffer = io.BytesIO()
    scale: dict[str, Any] = {}
    if pixel_size > 0:
        scale = {"resolution": (1e4 / pixel_size,) * 2, "metadata": {"unit": "micron"}}
    imwrite(buffer, pixels, imagej=True, **scale)
    return buffer.getvalue()


def write_hspy(
    image: Image,
    path: Path,
    *,
    channel: int = 0,
    pixels: NDArray[np.generic] | None = None,
) -> None:
    """Write one channel as HyperSpy's file, with its scale and the microscope's settings.

    Parameters
    ----------
    pixels : (y, x) to be written in place of the channel, of another type.
    """
    from rsciio.hspy import file_writer

    known = image.pixel_size > 0
    values = image.channels[channel] if pixels is None else pixels
    axes = [
        {
            "name": name,
            "size": n,
            "scale": image.pixel_size if known else 1.0,
            "offset": 0.0,
            "units": "Å" if known else "px",
            "navigate": False,
            "index_in_array": i,
        }
        for i, (name, n) in enumerate(zip("yx", values.shape, strict=True))
    ]
    signal = {
        "data": np.ascontiguousarray(values),
        "axes": axes,
        "metadata": {
            "General": {"title": path.stem},
            "Signal": {"signal_type": ""},
            "Acquisition_instrument": {"TEM": _microscope(image, channel)},
        },
        "attributes": {"_lazy": False, "ragged": False},
        **{part: {} for part in _EMPTY},
    }
    with writing(path):
        file_writer(str(path), signal, show_progressbar=False)


def _microscope(image: Image, channel: int) -> dict[str, Any]:
    """What HyperSpy calls `Acquisition_instrument.TEM`: keV and mrad, what is unknown left out."""
    conditions = image.conditions
    told: dict[str, Any] = {
        "acquisition_mode": "STEM",
        "beam_energy": conditions.beam_energy / 1e3,
        "convergence_angle": conditions.convergence,
        "dose": conditions.dose,
    }
    if channel < len(conditions.detectors):
        ring = conditions.detectors[channel]
        told["Detector"] = {"inner_angle": ring.inner, "outer_angle": ring.outer}
    return {key: value for key, value in told.items() if value == value}
