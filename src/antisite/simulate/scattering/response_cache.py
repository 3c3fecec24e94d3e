"""Tables of columns on disk, found again by what they were computed from."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...io.writing import write_bytes
from ..crystals.column_atoms import ColumnAtoms
from .optics import Optics

_VERSION = 3  # of how tables are computed; a change makes every table new


def read_table(
    folder: Path | None, column: ColumnAtoms, optics: Optics, sampled: bool
) -> NDArray[np.float32] | None:
    """The table of a column, None where it is not kept (or was not written to its end)."""
    if folder is None:
        return None
    try:
        return np.asarray(np.load(_path(folder, column, optics, sampled), allow_pickle=False), np.float32)
    except (OSError, ValueError, EOFError):
        return None


def write_table(
    folder: Path | None, column: ColumnAtoms, optics: Optics, sampled: bool, table: NDArray[np.float32]
) -> None:
    """Keep the table of a column."""
    if folder is None:
        return
    content = io.BytesIO()
    np.save(content, table)
    cure = "choose another folder with --cache"
    write_bytes(_path(folder, column, optics, sampled), content.getvalue(), cure=cure)


def _path(folder: Path, column: ColumnAtoms, optics: Optics, sampled: bool) -> Path:
    """Named by all that the table follows from; equal numbers are one, however they were written."""
    beam = asdict(optics)
    del beam["bright_field"]  # a permission
    said = repr((_VERSION, column.symbols, _as_floats(column.heights), _as_floats(beam), sampled))
    return folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.npy"


def _as_floats(value: Any) -> Any:
    """The same with every number a float, and no negative zero."""
    if isinstance(value, dict):
        return {name: _as_floats(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_floats(item) for item in value]
    return float(value) + 0.0
