"""Streams kept on disk: patches as Zarr groups, each written whole or not at all.

Shard j holds the fields j × fields_per_shard and following; `manifest.json` says what they were made with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ..._optional import require
from ...defects import KINDS
from ...errors import InputError
from ...io.whole_folders import remove_abandoned
from ...io.writing import write_bytes, writing
from .case_tables import tables_checksum
from .stream import Patches, PatchStream

MANIFEST = "manifest.json"
_CHUNK = 512  # patches
_NAME = r"shard_(\d{6,})\.zarr"
_PER_PATCH = ("kind", "species", "sublattice", "offset", "conditions", "field", "case")


def write_shards(
    stream: PatchStream,
    folder: str | Path,
    *,
    n_shards: int,
    fields_per_shard: int = 16,
    workers: int = 1,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> list[Path]:
    """Write the first shards of a stream; those already there stay as they are.

    Several processes may fill one folder at a time: what both make is kept once. Half a shard that a killed
    process left is removed a day later.

    Parameters
    ----------
    workers : threads that make fields.
    progress : wraps the numbers of the shards that are missing.

    Returns
    -------
    list
        One Zarr group each, with `patches` (n, n_detectors, size, size) and, for every patch, `kind`,
        `species`, `sublattice`, `offset`, `conditions`, `field`, `case` as in `Patches`.

    Raises
    ------
    InputError
        The folder holds shards made otherwise.
    OutputError
        The folder cannot be written.
    """
    for number in progress(
        start_shards(stream, folder, n_shards=n_shards, fields_per_shard=fields_per_shard)
    ):
        make_shard(stream, folder, number, fields_per_shard=fields_per_shard, workers=workers)
    return [shard_path(folder, number) for number in range(n_shards)]


def start_shards(
    stream: PatchStream, folder: str | Path, *, n_shards: int, fields_per_shard: int
) -> list[int]:
    """Write the manifest, or hold it against the stream, and clear away what was abandoned half written.

    Returns
    -------
    list
        Numbers of the shards that are missing.
    """
    require("zarr", extra="dataset")
    if n_shards < 1 or fields_per_shard < 1:
        raise InputError(
            f"n_shards and fields_per_shard must be 1 or more, got {n_shards} and {fields_per_shard}"
        )
    folder, wanted = Path(folder), _manifest(stream, fields_per_shard)
    path = folder / MANIFEST
    if not path.exists():
        if find_shards(folder):
            raise InputError(
                f"{folder} must have the {MANIFEST} of its shards, got none (choose another folder)"
            )
        write_bytes(path, (json.dumps(wanted, indent=1, ensure_ascii=False) + "\n").encode())
    _check_manifest(path, wanted)
    with writing(folder):
        remove_abandoned(half_shards(folder))
    return [number for number in range(n_shards) if not shard_path(folder, number).exists()]


def make_shard(
    stream: PatchStream, folder: str | Path, number: int, *, fields_per_shard: int, workers: int = 1
) -> Path:
    """Write one shard, whole or not at all, one field after the other."""
    path = shard_path(folder, number)
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")
    first = number * fields_per_shard
    with writing(path):
        try:
            _fill(stream, partial, range(first, first + fields_per_shard), workers)
            _put_in_place(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return path


def shard_path(folder: str | Path, number: int) -> Path:
    """Where a shard stands when it is complete."""
    return Path(folder) / f"shard_{number:06d}.zarr"


def find_shards(folder: str | Path) -> list[int]:
    """Numbers of the complete shards in a folder."""
    there = (re.fullmatch(_NAME, path.name) for path in Path(folder).glob("shard_*.zarr"))
    return sorted(int(found[1]) for found in there if found)


def half_shards(folder: str | Path) -> list[Path]:
    """What processes are writing, or have left when they were killed."""
    halves = Path(folder).glob(".shard_*.partial")
    return [path for path in halves if re.fullmatch(rf"\.{_NAME}\.[0-9a-f]{{16}}\.partial", path.name)]


def _put_in_place(partial: Path, path: Path) -> None:
    """Rename a shard, unless somebody else was quicker with the same."""
    try:
        partial.rename(path)
    except OSError:
        if not path.exists():
            raise


def _fill(stream: PatchStream, path: Path, fields: range, workers: int) -> None:
    """Write the patches field by field, and what is known of each at the end."""
    zarr = require("zarr", extra="dataset")
    n_detectors = len(stream.cases[0].optics.detectors)
    window = (n_detectors, stream.size, stream.size)
    group = zarr.create_group(str(path))
    stored = group.create_array(
        "patches", shape=(0, *window), chunks=(_CHUNK, *window), dtype="float32", fill_value=0
    )
    parts: dict[str, list[Any]] = {name: [] for name in _PER_PATCH}
    for batch in stream.patches(fields.start, fields.stop, workers=workers):
        stored.append(batch.patches)
        for name in _PER_PATCH:
            parts[name].append(_each(batch, name))
    for name, arrays in parts.items():
        values = np.concatenate(arrays)
        chunks = (max(min(len(values), 2**16), 1), *values.shape[1:])
        array = group.create_array(name, shape=values.shape, chunks=chunks, dtype=values.dtype, fill_value=0)
        array[...] = values
    group.attrs.update(
        {
            "fields": [fields.start, fields.stop],
            "kinds": list(KINDS),
            "condition_names": list(stream.condition_names),
        }
    )


def _each(batch: Patches, name: str) -> Any:
    """A field of `Patches` with one row for each patch."""
    value = getattr(batch, name)
    if name in ("field", "case"):
        return np.full(len(batch), value, np.int64 if name == "field" else np.int32)
    return np.broadcast_to(value, (len(batch), *value.shape)) if name == "conditions" else value


def _manifest(stream: PatchStream, fields_per_shard: int) -> dict[str, Any]:
    """All that the content of the shards follows from."""
    crystals = repr([tables.crystal for tables in stream.tables])
    content = {
        "antisite": __version__,
        "seed": stream.seed,
        "size": stream.size,
        "shape": stream.shape,
        "pixel_size": stream.pixel_size,
        "reach": stream.reach,
        "fields_per_shard": fields_per_shard,
        "kinds": KINDS,
        "condition_names": stream.condition_names,
        "crystals": hashlib.sha256(crystals.encode()).hexdigest(),
        "tables": tables_checksum(stream.tables),
        "cases": [_finite(dataclasses.asdict(case)) for case in stream.cases],
    }
    plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    return plain


def _finite(value: Any) -> Any:
    """The same with words for the numbers that JSON has not."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _check_manifest(path: Path, wanted: dict[str, Any]) -> None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be the manifest of a store, and cannot be read ({error})") from error
    other = [name for name in wanted if not isinstance(found, dict) or found.get(name) != wanted[name]]
    if other:
        raise InputError(
            f"{path.parent} holds shards made with other {', '.join(other)} (choose another folder, the "
            f"settings in its {MANIFEST}, or overwrite it)"
        )
