"""A simulated image as a folder of files: the image twice, its truth, a picture, and how it was made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ChoiceError
from ..image import Image
from ..io.image_files import tiff_bytes, write_hspy
from ..io.tables import to_json
from ..io.whole_folders import partial_folder, publish
from ..io.writing import write_bytes, writing
from ..plot.simulated import simulated_png
from ..simulate.truth.truth import Truth, truth_json
from .provenance import origin, pixels_sha256

SCHEMA = 1
SUMMARY, TRUTH, PICTURE, TWINS = "simulation.json", "truth.json", "picture.png", "twins.png"
STRUCTURE = "image.npy"


def refuse_simulation(folder: Path, *, files: Sequence[str], overwrite: bool = False) -> None:
    """Refuse, before any work, to replace what an earlier run left.

    Raises
    ------
    ChoiceError
        One of the files exists, and `overwrite` is False.
    """
    with writing(folder):
        there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise ChoiceError(
            f"a simulation is kept unless you say otherwise, and {folder} holds {there[0]} "
            f"(give --overwrite or another --out)"
        )


def simulation_files(name: str, n_detectors: int) -> list[str]:
    """The files of one simulation, in the order in which a reader wants them.

    Examples
    --------
    >>> simulation_files("WSe2", 1)
    ['WSe2.tif', 'WSe2.hspy', 'truth.json', 'picture.png', 'simulation.json']
    """
    return [*_names(name, n_detectors, "tif"), *_names(name, n_detectors, "hspy"), TRUTH, PICTURE, SUMMARY]


def write_simulation(
    image: Image,
    truth: Truth,
    folder: Path,
    *,
    name: str,
    settings: Mapping[str, Any],
    source: Path | str,
    bits: int = 0,
    cautions: Sequence[str] = (),
    told: Mapping[str, Any] | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Write an image and its truth, all files or none; earlier ones are replaced.

    Parameters
    ----------
    name : of the image's files, without their ending; several detectors have one each, numbered from 1.
    settings : everything chosen, JSON-ready, with its `seed`.
    source : where the specimen comes from: its name, or its file.
    bits : 1 to 8 are written as 8-bit, 9 to 16 as 16-bit whole numbers; 0: float32.
    cautions : what a reader must know.
    told : further entries of the summary.
    extra : further files by name.

    Returns
    -------
    The summary, as in `simulation.json`.
    """
    summary = {
        "schema": SCHEMA,
        "name": name,
        "files": [*simulation_files(name, image.n_channels), *(extra or {})],
        "shape": list(image.shape),
        "pixel_size": image.pixel_size,
        "n_sites": len(truth.sites),
        "defects": defect_counts(truth),
        "mean": [float(channel.mean(dtype=np.float64)) for channel in image.channels],
        "settings": dict(settings),
        **(told or {}),
        "warnings": list(cautions),
    }
    summary["provenance"] = _made(image, source, seed=int(settings["seed"]))
    tifs, hspys = (_names(name, image.n_channels, ending) for ending in ("tif", "hspy"))
    with partial_folder(folder) as partial:
        for i, (tif, hspy) in enumerate(zip(tifs, hspys, strict=True)):
            pixels = _as_written(image.channels[i], bits)
            write_bytes(partial / tif, tiff_bytes(pixels, image.pixel_size))
            write_hspy(image, partial / hspy, channel=i, pixels=pixels)
        labels = truth_json(truth, image=tifs[0] if len(tifs) == 1 else tifs)
        write_bytes(partial / TRUTH, labels.encode())
        write_bytes(partial / PICTURE, simulated_png(image, truth))
        for other, content in (extra or {}).items():
            write_bytes(partial / other, content)
        write_bytes(partial / SUMMARY, to_json(summary).encode())
        publish(partial, folder, files=earlier_files(folder), last=SUMMARY)
    return summary


def write_structure_image(
    pixels: NDArray[np.float32],
    folder: Path,
    *,
    settings: Mapping[str, Any],
    source: Path,
    cautions: Sequence[str],
) -> dict[str, Any]:
    """Write `image.npy` and how it was made, both or none; earlier ones are replaced.

    Parameters
    ----------
    pixels : (n_detectors, y, x), share of the beam; one detector is written as (y, x).
    source : the structure's file.
    """
    image = Image(pixels)
    summary = {
        "schema": SCHEMA,
        "name": source.stem,
        "files": [STRUCTURE, SUMMARY],
        "shape": list(pixels.shape[1:]),
        "mean": [float(channel.mean(dtype=np.float64)) for channel in pixels],
        "settings": dict(settings),
        "warnings": list(cautions),
        "provenance": _made(image, source),
    }
    with partial_folder(folder) as partial:
        with writing(folder):
            np.save(partial / STRUCTURE, pixels[0] if len(pixels) == 1 else pixels)
        write_bytes(partial / SUMMARY, to_json(summary).encode())
        publish(partial, folder, files=earlier_files(folder), last=SUMMARY)
    return summary


def defect_counts(truth: Truth) -> list[dict[str, Any]]:
    """How many point defects of each kind and species, in alphabetical order."""
    counts = Counter(truth.defects[["kind", "species"]].itertuples(index=False, name=None))
    return [{"kind": kind, "species": species, "n": n} for (kind, species), n in sorted(counts.items())]


def _made(image: Image, source: Path | str, *, seed: int = 0) -> dict[str, Any]:
    """As of any result; what was chosen stands in the summary itself."""
    return origin(source, seed=seed) | {"pixels_sha256": pixels_sha256(image)}


def earlier_files(folder: Path) -> list[str]:
    """What an earlier run wrote into a folder, as its summary says; nobody else's files."""
    try:
        told = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["files"]
        return [name for name in told if Path(name).name == name and (folder / name).is_file()]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _names(name: str, n: int, ending: str) -> list[str]:
    return [f"{name}.{ending}"] if n == 1 else [f"{name}_{i + 1}.{ending}" for i in range(n)]


def _as_written(pixels: NDArray[np.float32], bits: int) -> NDArray[np.generic]:
    if bits == 0:
        return pixels
    return pixels.astype(np.uint8 if bits <= 8 else np.uint16)
