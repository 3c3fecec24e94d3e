"""Where a result comes from: enough to make it again, and to see that it is the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..image import Image

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-image",
    "scikit-learn",
    "rosettasciio",
    "matplotlib",
)


def origin(source: Path | str, *, seed: int) -> dict[str, Any]:
    """Versions, input and time of one run, JSON-ready.

    This is the only block of a result that depends on clock and place; "same seed, same bytes"
    leaves it out.

    Parameters
    ----------
    source : the file that was read, or the name of what was not.
    seed : of the random numbers.
    """
    return {
        "antisite": __version__,
        "libraries": library_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "seed": seed,
        "input": str(source.absolute()) if isinstance(source, Path) else source,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def provenance(image: Image, path: Path, *, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The origin of an image's result, with what was chosen and what the pixels were.

    Parameters
    ----------
    image : what was read.
    path : the file it was read from.
    settings : everything that was chosen, as the tables of a settings file.
    seed : of the random numbers.
    """
    return origin(path, seed=seed) | {"settings": dict(settings), "pixels_sha256": pixels_sha256(image)}


def pixels_sha256(image: Image) -> str:
    """SHA-256 of the pixels, little-endian float32 in the order (channel, y, x)."""
    return hashlib.sha256(np.ascontiguousarray(image.channels, dtype="<f4").tobytes()).hexdigest()


def library_versions() -> dict[str, str]:
    """The versions of the libraries that numbers depend on; those not installed are left out."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
