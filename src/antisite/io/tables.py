"""Tables of defects as CSV and Parquet, and summaries as JSON; the same content gives the same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..defects import table_fields
from ..errors import InputError
from .writing import writing

SUFFIXES = (".csv", ".parquet")
_DIGITS = 7


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of defects or sites as .csv or .parquet.

    Both hold the same values: numbers are rounded to seven significant digits. In CSV what is unknown
    is an empty field, and lines end in a line feed.

    Raises
    ------
    InputError
        The fields are not those of the table, or the suffix is neither.
    OutputError
        The file cannot be written.
    """
    path = Path(path)
    arrow = _as_arrow(table, path)
    with writing(path), path.open("wb") as file:
        (_write_csv if path.suffix == ".csv" else _write_parquet)(arrow, file)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote, with every field in its order and of its type.

    Raises
    ------
    InputError
        The file is missing, is no table, or its fields are not those of the table.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist (a table ends in .csv or .parquet)")
    try:
        table = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        problem = next(iter(str(error).splitlines()), "")[:120]
    else:
        return table
    raise InputError(f"{path.name} cannot be read as a table of defects: {problem}")


def write_json(data: Any, path: str | Path) -> None:
    """Write JSON that every reader takes; numbers that are not finite become null."""
    path = Path(path)
    with writing(path):
        path.write_bytes(to_json(data).encode())


def to_json(data: Any) -> str:
    """The text of `data` as JSON, keys in their order, numpy's numbers as plain ones.

    Examples
    --------
    >>> print(to_json({"nn": np.float32(2.5), "area": float("nan")}))
    {
      "nn": 2.5,
      "area": null
    }
    <BLANKLINE>
    """
    return json.dumps(_plain(data), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def round_numbers(values: NDArray[np.floating], digits: int = _DIGITS) -> NDArray[np.float64]:
    """Numbers rounded to significant digits, each the double nearest to its decimal.

    Examples
    --------
    >>> round_numbers(np.array([0.1 + 0.2, 123456.789, 1.23456789e-50])).tolist()
    [0.3, 123456.8, 1.234568e-50]
    """
    rounded = np.array(values, dtype=np.float64)
    sound = np.isfinite(rounded) & (rounded != 0)
    places = np.zeros(rounded.shape, dtype=int)
    places[sound] = digits - 1 - np.floor(np.log10(np.abs(rounded[sound]))).astype(int)
    up, down = sound & (places >= 0) & (places <= 22), sound & (places < 0) & (places >= -22)
    rounded[up] = np.round(rounded[up] * 10.0 ** places[up]) / 10.0 ** places[up]
    rounded[down] = np.round(rounded[down] / 10.0 ** -places[down]) * 10.0 ** -places[down]
    rest = sound & ~up & ~down  # powers of ten beyond 22 are not exact
    rounded[rest] = [float(f"{value:.{digits - 1}e}") for value in rounded[rest]]
    return rounded + 0.0  # no negative zero


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise InputError(f"a table must end in .csv or .parquet, got {path.name}")


def _fields_of(columns: list[str], file: str) -> dict[str, tuple[str, Any]]:
    n_channels = sum(name.startswith("ratio_") for name in columns)
    fields = table_fields(max(n_channels, 1))
    missing = [name for name in fields if name not in columns]
    unknown = [name for name in columns if name not in fields]
    if unknown:
        near = get_close_matches(unknown[0], missing or list(fields), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"{file} must hold the fields of docs/table.md, got {', '.join(unknown)}{hint}")
    if missing:
        raise InputError(f"{file} must hold every field of docs/table.md, and lacks {', '.join(missing)}")
    return fields


def _as_arrow(table: pd.DataFrame, path: Path) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    _check_suffix(path)
    columns = {}
    for name, (dtype, _) in _fields_of(list(table.columns), path.name).items():
        values = table[name]
        if dtype == "float64":
            numbers = round_numbers(values.to_numpy(dtype=np.float64))
            columns[name] = pa.array(numbers, mask=np.isnan(numbers))
        else:
            columns[name] = pa.array(values, type=_arrow_types()[dtype], from_pandas=True)
    return pa.table(columns)


def _arrow_types() -> dict[str, Any]:
    import pyarrow as pa

    return {"float64": pa.float64(), "int64": pa.int64(), "str": pa.string(), "boolean": pa.bool_()}


def _write_csv(table: Any, file: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped,unused-ignore]
    from pyarrow import csv

    nothing, awkward = pa.scalar(None, pa.string()), False
    for i, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            awkward = awkward or bool(pc.any(pc.match_substring_regex(column, '[",\\r\\n]')).as_py())
            # Arrow would write an empty text as two quotes.
            table = table.set_column(i, table.field(i), pc.if_else(pc.equal(column, ""), nothing, column))
    # Arrow quotes the header, and every text or none.
    file.write((",".join(table.column_names) + "\n").encode())
    style = "needed" if awkward else "none"
    csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style=style))


def _write_parquet(table: Any, file: BinaryIO) -> None:
    from pyarrow import parquet

    parquet.write_table(table, file)


def _read_csv(path: Path) -> pd.DataFrame:
    from pyarrow import csv

    with path.open(encoding="utf-8") as file:
        names = file.readline().rstrip("\r\n").split(",")
    fields = _fields_of([name.strip('"\ufeff') for name in names], path.name)
    types = {name: _arrow_types()[dtype] for name, (dtype, _) in fields.items()}
    convert = csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    parse = csv.ParseOptions(newlines_in_values=True)
    return _as_pandas(csv.read_csv(path, convert_options=convert, parse_options=parse), fields)


def _read_parquet(path: Path) -> pd.DataFrame:
    from pyarrow import parquet

    with path.open("rb") as file:
        table = parquet.read_table(file)
    return _as_pandas(table, _fields_of(table.column_names, path.name))


def _as_pandas(table: Any, fields: Mapping[str, tuple[str, Any]]) -> pd.DataFrame:
    columns = {}
    for name, (dtype, _) in fields.items():
        values = table.column(name)
        if dtype == "str":
            values = values.fill_null("")
        columns[name] = pd.Series(values.to_pandas(), dtype=dtype)
    return pd.DataFrame(columns)


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple | np.ndarray):
        return [_plain(value) for value in data]
    if isinstance(data, np.generic):
        data = data.item()
    if data is pd.NA or (isinstance(data, float) and not math.isfinite(data)):
        return None
    return data
