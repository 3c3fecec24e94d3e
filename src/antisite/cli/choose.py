"""What a run is to use: options before the settings file, the settings file before the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..run.settings import DEFAULTS
from ..run.settings_file import read_settings_file
from ..run.settings_text import write_settings_file
from .options import UsageError

_RIVALS = {"frame": "sum_frames", "sum_frames": "frame"}


def choose(
    given: Mapping[str, Any], *, files: Sequence[Path] = (), settings: Path | None = None
) -> dict[str, Any]:
    """Choices by field, after a check that they fit together.

    Parameters
    ----------
    given : those of the command line.
    files : to be read.
    settings : TOML file.

    Raises
    ------
    UsageError
        The settings file is wrong, or two choices exclude each other.
    """
    _check_frames(given)
    told = _from_file(settings)
    for field in given:
        told.pop(_RIVALS.get(field, ""), None)
    values = {**told, **given}
    _check_also("--also" if "also" in given else f"also in {settings}", values, files)
    _check_patterson(given, values)
    return values


def save(values: Mapping[str, Any], path: Path | None, *, overwrite: bool) -> None:
    """Write the choices of a run where it was asked for."""
    if path is None:
        return
    if path.exists() and not overwrite:
        raise UsageError(
            f"a settings file is kept unless you say otherwise, and {path} exists "
            f"(give --overwrite or another name)"
        )
    write_settings_file(values, path)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return read_settings_file(path)
    except InputError as error:
        raise UsageError(str(error)) from error


def _check_frames(given: Mapping[str, Any]) -> None:
    if "frame" in given and given.get("sum_frames"):
        raise UsageError("--frame and --sum exclude each other (give one of them)")


def _check_also(name: str, values: Mapping[str, Any], files: Sequence[Path]) -> None:
    if "also" in values and len(files) != 1:
        raise UsageError(f"{name} needs exactly one FILE, whose second detector it is, got {len(files)}")


def _check_patterson(given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    method = values.get("method", DEFAULTS["method"])
    for field in ("patterson_input", "patterson_model"):
        if field in given and method != "patterson":
            name = "--" + field.replace("_", "-")
            raise UsageError(f"{name} needs --method patterson, and the method is {method}")
