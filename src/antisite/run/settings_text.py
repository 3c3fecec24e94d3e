"""The text of a settings file, with a line on what each key means."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError
from ..io.writing import write_bytes
from .choice import Choice
from .choices import ABOUT_TABLES, CHOICES, TABLES
from .settings import DEFAULTS
from .settings_file import tables_of

_WIDTH = 100
_HEAD = """Settings of a run of antisite {version}; to run again: antisite detect FILE --settings {name}
A line that begins with # does nothing: what it names is left to the file or to the default.
Relative paths count from the folder of this file."""


def settings_text(tables: Mapping[str, Any], *, name: str = "run.toml") -> str:
    r"""The settings file of tables as `tables_of` gives them, or as a result's provenance holds them.

    Parameters
    ----------
    name : what the file will be called; it is told in its first line.

    Examples
    --------
    >>> "\nseed = 3\n" in settings_text({"seed": 3, "detect": {"fdr": 0.01}})
    True
    """
    parts = [_comment(_HEAD.format(version=__version__, name=name))]
    for table in TABLES:
        if table:
            parts.append([*_comment(ABOUT_TABLES[table]), f"[{table}]"])
        own = tables.get(table, {}) if table else tables
        parts += [
            [*_comment(choice.about), _line(choice, own)] for choice in CHOICES if choice.table == table
        ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def write_settings_file(values: Mapping[str, Any], path: Path) -> None:
    """Write choices by field as a settings file, whole or not at all; one that exists is replaced.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    text = settings_text(tables_of(values, folder=path.parent), name=path.name)
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "a path in a settings file must be a name in UTF-8, got one that is none (rename it)"
        ) from error
    write_bytes(path, content, cure="choose another place")


def _comment(text: str) -> list[str]:
    return [f"# {line}" for part in text.splitlines() for line in textwrap.wrap(part, _WIDTH - 2)]


def _line(choice: Choice, own: Mapping[str, Any]) -> str:
    if choice.key in own:
        return f"{choice.key} = {_toml(own[choice.key])}"
    return f"#{choice.key} = {choice.example or _toml(DEFAULTS[choice.field])}"


def _toml(value: Any) -> str:
    """A text, number or truth as TOML; JSON's way of writing a text is one of TOML's, but for DEL."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, Integral) else repr(float(value))
