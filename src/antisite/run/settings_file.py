"""The settings of a run as a TOML file: one table for each step, and one sentence for each mistake in it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import InputError
from .choice import Choice, told
from .choices import BY_FIELD, CHOICES, TABLES
from .settings import DEFAULTS

_LARGEST = 1_000_000  # bytes; a file of settings has some thousand


def read_settings_file(path: Path) -> dict[str, Any]:
    """The choices that a settings file makes, by field; the others are absent.

    A relative path in the file counts from the folder of the file.

    Raises
    ------
    InputError
        The file cannot be read, is no TOML, or holds what is no setting; one sentence says where.
    """
    values = values_of(_read_toml(path), path.name, folder=path.parent)
    for field in ("also", "mask"):
        if field in values and not values[field].is_file():
            raise InputError(
                f"{_place(BY_FIELD[field], path.name)} must be a file that exists, got {values[field]} "
                f"(a relative path counts from the folder of {path.name})"
            )
    return values


def values_of(tables: Mapping[str, Any], source: str, *, folder: Path) -> dict[str, Any]:
    """Choices by field, of tables as they stand in a settings file or in a result's provenance.

    Parameters
    ----------
    tables : tables by name, the keys of the top beside them.
    source : what the tables are from, for the sentence.
    folder : from which relative paths count.

    Raises
    ------
    InputError
        A table or key does not exist, a value is of the wrong sort, or out of range.
    """
    values: dict[str, Any] = {}
    for name, value in tables.items():
        if name not in TABLES or not name:
            values |= _table_values("", {name: value}, source, folder)
        elif not isinstance(value, Mapping):
            raise InputError(f"{name} in {source} must be a table, [{name}], got {told(value)}")
        else:
            values |= _table_values(name, value, source, folder)
    if values.get("sum_frames") and "frame" in values:
        raise InputError(f"frame and sum in [read] of {source} exclude each other (keep one of them)")
    return values


def tables_of(values: Mapping[str, Any], *, folder: Path | None = None) -> dict[str, Any]:
    """Choices by field as the tables of a settings file, plain enough for TOML and JSON.

    What is left open (no frame, no mask) is left out; every setting with a default is told.

    Parameters
    ----------
    values : by field.
    folder : paths within it are told from there, all others absolute.
    """
    tables: dict[str, Any] = {}
    for choice in CHOICES:
        value = values.get(choice.field, DEFAULTS.get(choice.field))
        if choice.field not in DEFAULTS and _is_open(value):
            continue
        plain = _plain_path(value, folder) if isinstance(value, Path) else value
        (tables.setdefault(choice.table, {}) if choice.table else tables)[choice.key] = plain
    return tables


def _is_open(value: Any) -> bool:
    return value is None or value is False or value == "" or (isinstance(value, float) and math.isnan(value))


def _plain_path(path: Path, folder: Path | None) -> str:
    path = path.absolute()
    if folder is not None and path.is_relative_to(folder.absolute()):
        path = path.relative_to(folder.absolute())
    return path.as_posix()


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"the settings file {path} cannot be read: {reason}") from error
    if len(content) > _LARGEST:
        raise InputError(f"a settings file must be smaller than 1 MB, and {path} is larger (is it an image?)")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"a settings file must be text in UTF-8, and {path} is not") from error
    except (ValueError, RecursionError) as error:
        problem = str(error)[:1].lower() + str(error)[1:]
        raise InputError(f"a settings file must be TOML, and {path} is not: {problem}") from error


def _table_values(table: str, content: Mapping[str, Any], source: str, folder: Path) -> dict[str, Any]:
    known = {choice.key: choice for choice in CHOICES if choice.table == table}
    values = {}
    for key, value in content.items():
        if key not in known:
            raise InputError(_unknown(key, value, table, source))
        choice = known[key]
        choice.check(value, _place(choice, source))
        values[choice.field] = _converted(choice, value, folder)
    return values


def _converted(choice: Choice, value: Any, folder: Path) -> Any:
    if choice.takes == "a file":
        return folder / value
    return float(value) if choice.takes == "a number" else value


def _place(choice: Choice, source: str) -> str:
    return f"{choice.key} in [{choice.table}] of {source}" if choice.table else f"{choice.key} in {source}"


def _unknown(key: str, value: Any, table: str, source: str) -> str:
    """What is wrong with a key that does not exist, and the nearest that does."""
    if not table and isinstance(value, Mapping):
        near = get_close_matches(key.casefold(), TABLES, n=1)
        hint = f"did you mean [{near[0]}]?" if near else f"there is {_listed_tables()}"
        return f"[{key}] in {source} is no table of settings ({hint})"
    where = f"[{table}] of {source}" if table else source
    return f"{key} in {where} is no setting ({_nearest(key, table)})"


def _nearest(key: str, table: str) -> str:
    for choice in CHOICES:
        if key in (choice.key, choice.field) and table != choice.table:
            named = "it" if key == choice.key else choice.key
            return f"{named} belongs {_whereabouts(choice.table)}"
    own = {choice.key: choice for choice in CHOICES if choice.table == table}
    near = BY_FIELD.get(key) or _closest(key, own) or _closest(key, {c.key: c for c in CHOICES}, cutoff=0.8)
    if near is None:
        return f"there is {', '.join(own)}" + ("" if table else f" and the tables {_listed_tables()}")
    where = "" if near.table == table else f" {_whereabouts(near.table)}"
    return f"did you mean {near.key}{where}?"


def _closest(key: str, choices: Mapping[str, Choice], *, cutoff: float = 0.6) -> Choice | None:
    near = get_close_matches(key.casefold(), list(choices), n=1, cutoff=cutoff)
    return choices[near[0]] if near else None


def _listed_tables() -> str:
    return ", ".join(f"[{name}]" for name in TABLES if name)


def _whereabouts(table: str) -> str:
    return f"in [{table}]" if table else "at the top of the file"
