"""A result as a folder of files: all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..defects import SCHEMA_VERSION
from ..errors import InputError, OutputError
from ..image import Image
from ..result import Result
from .tables import read_table, write_json, write_table
from .whole_folders import partial_folder, publish
from .writing import write_bytes, writing

SUMMARY = "result.json"
FILES = (
    "defects.csv",
    "defects.parquet",
    "sites.csv",
    "sites.parquet",
    "maps.npz",
    "overlay.png",
    "report.html",
    SUMMARY,
)
"""What one detect run leaves; `result.json` comes last, so a folder with it is complete."""


def write_result(
    result: Result, folder: str | Path, *, overwrite: bool = False, extra: Mapping[str, bytes] | None = None
) -> Path:
    """Write the files of a result into a folder.

    Everything is first written beside the folder, and moved in when all of it is there: a failure, a
    full disk or Ctrl-C leaves nothing behind. What else lies in the folder stays untouched.

    Parameters
    ----------
    result : to be written.
    folder : made when it does not exist.
    overwrite : replace an earlier result, and remove those of its files that the new one lacks.
    extra : further files by name, such as `overlay.png` and `report.html`.

    Returns
    -------
    The folder.

    Raises
    ------
    OutputError
        The folder holds a result already, or cannot be written.
    """
    folder, extra = Path(folder), extra or {}
    _check_names(extra)
    check_folder(folder, overwrite=overwrite)
    with partial_folder(folder) as partial:
        _write_files(result, partial, extra)
        _publish(partial, folder)
    return folder


def check_folder(folder: str | Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that already holds a result, before any work is done for it."""
    folder = Path(folder)
    with writing(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} must be a folder, and is a file (choose another one with --out)")
        found = [name for name in FILES if (folder / name).exists()]
    if found and not overwrite:
        raise OutputError(f"{folder} holds a result already ({found[-1]}); replace it with --overwrite")


def read_tables(folder: str | Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Sites, defects and summary of a result that was written.

    The summary is all of `result.json`, with its `domains` and `provenance`.

    Raises
    ------
    InputError
        The folder holds no result, or one of a later schema.
    """
    folder = Path(folder)
    summary = _read_summary(folder)
    sites, defects = (
        read_table(_first_existing(folder / f"{name}.parquet", folder / f"{name}.csv"))
        for name in ("sites", "defects")
    )
    return sites, defects, summary


def read_maps(folder: str | Path) -> dict[str, NDArray[np.generic]]:
    """The maps of a result, empty when it has none."""
    path = Path(folder) / "maps.npz"
    if not path.exists():
        return {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as maps:
            return {name: maps[name] for name in maps.files}
    except Exception as error:  # numpy and zipfile raise anything on a damaged archive
        problem = type(error).__name__
    raise InputError(f"{path} cannot be read: it looks damaged ({problem}); run detect again")


def read_result(folder: str | Path, *, image: Image) -> Result:
    """A result that was written, around its image, whose pixels the folder does not hold."""
    sites, defects, summary = read_tables(folder)
    domains, provenance = summary.pop("domains", []), summary.pop("provenance", {})
    return Result(
        image=image,
        sites=sites,
        defects=defects,
        domains=pd.DataFrame(domains),
        maps=read_maps(folder),
        summary=summary,
        provenance=provenance,
    )


def _read_summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} must be the folder of a result, and has no {SUMMARY}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); run detect again") from error
    schema = summary.get("schema") if isinstance(summary, dict) else None
    if not isinstance(schema, int):
        raise InputError(f"{path} must name its schema, and names none; run detect again")
    if schema != SCHEMA_VERSION:
        cure = "update antisite" if schema > SCHEMA_VERSION else "run detect again"
        raise InputError(f"{path} must have schema {SCHEMA_VERSION}, got {schema} ({cure})")
    return dict(summary)


def _first_existing(*paths: Path) -> Path:
    return next((path for path in paths if path.exists()), paths[0])


def _check_names(extra: Mapping[str, bytes]) -> None:
    for name in extra:
        if (
            not name
            or Path(name).name != name
            or name in FILES[:5]
            or name == SUMMARY
            or name.startswith(".")
        ):
            raise InputError(f"an extra file must have a plain name of its own, got {name!r}")


def _write_files(result: Result, folder: Path, extra: Mapping[str, bytes]) -> None:
    for suffix in ("csv", "parquet"):
        write_table(result.defects, folder / f"defects.{suffix}")
        write_table(result.sites, folder / f"sites.{suffix}")
    with writing(folder):
        if result.maps:
            np.savez_compressed(folder / "maps.npz", **dict(sorted(result.maps.items())))  # type: ignore[arg-type]
    for name, content in extra.items():
        write_bytes(folder / name, content)
    domains = {"domains": result.domains.to_dict("records"), "provenance": result.provenance}
    write_json({"schema": SCHEMA_VERSION, **result.summary, **domains}, folder / SUMMARY)


def _publish(partial: Path, folder: Path) -> None:
    publish(partial, folder, files=FILES, last=SUMMARY)
