"""Options that mean the same in every command, each written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import AntisiteError, InputError
from ..run.choice import Choice
from ..run.choices import BY_FIELD
from ..run.settings import DEFAULTS

DEFAULT_OUT = Path("antisite-out")

_READING = "What to read"
_SCALE = "Scale"
_DECIDING = "What counts as a defect"
_SETTINGS = "Settings"
_OUTPUT = "Output"


class UsageError(AntisiteError):
    """What was asked makes no sense as a whole (exit 2)."""


@contextmanager
def refused_as_usage() -> Iterator[None]:
    """Turn whatever is refused within into an error of usage."""
    try:
        yield
    except InputError as error:
        raise UsageError(str(error)) from error


def option(field: str, *flags: str, metavar: str, panel: str, **more: Any) -> Any:
    """The option of a choice: what it means, its default and its check stand in `run.choices`.

    Not given it is None, so that a settings file or the default decides.
    """
    choice = BY_FIELD[field]
    return typer.Option(
        *flags,
        metavar=metavar,
        callback=_check(choice),
        help=choice.about + _default_words(field),
        show_default=False,
        rich_help_panel=panel,
        **more,
    )


def _check(choice: Choice) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if value is not None and not isinstance(value, Path):
            try:
                choice.check(value, "it")
            except InputError as error:
                raise typer.BadParameter(str(error)) from error
        return value

    return checked


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of the parameters of a command the choices that were given, by field."""
    return {field: parameters[field] for field in BY_FIELD if parameters.get(field) is not None}


def _default_words(field: str) -> str:
    default = DEFAULTS.get(field)
    if default is None or isinstance(default, bool):
        return ""
    return rf" [dim]\[default: {default}][/dim]"


def check_workers(value: int) -> int:
    """Refuse fewer than one process."""
    if value < 1:
        raise typer.BadParameter(f"it must be a whole number from 1, got {value}")
    return value


def parse_toml_name(text: str) -> Path:
    """Refuse a name that is not that of a TOML file, such as an image's."""
    path = Path(text)
    if path.suffix.casefold() != ".toml":
        raise typer.BadParameter(f"it must end in .toml, got {text!r}")
    return path


def parse_out(text: str) -> Path:
    """Refuse a folder without a name, which would be the current one."""
    if not str(text).strip():
        raise typer.BadParameter("it must name a folder, got nothing (the current folder is .)")
    return Path(text)


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="Images: .dm3 .dm4 .emd .ser .mrc .hspy .tif .png .jpg .npy .npz",
        show_default=False,
    ),
]
Signal = Annotated[str | None, option("signal", metavar="NAME", panel=_READING)]
Frame = Annotated[int | None, option("frame", metavar="N", panel=_READING)]
Sum = Annotated[bool | None, option("sum_frames", "--sum", metavar="", panel=_READING)]
Also = Annotated[Path | None, option("also", metavar="FILE", panel=_READING, exists=True, dir_okay=False)]
RegionText = Annotated[str | None, option("region", "--region", metavar="Y0:Y1,X0:X1", panel=_READING)]
Mask = Annotated[Path | None, option("mask", metavar="FILE", panel=_READING, exists=True, dir_okay=False)]
PixelSize = Annotated[float | None, option("pixel_size", metavar="Å", panel=_SCALE)]
LatticeConstant = Annotated[float | None, option("lattice_constant", metavar="Å", panel=_SCALE)]
MethodName = Annotated[str | None, option("method", "--method", metavar="NAME", panel=_DECIDING)]
Fdr = Annotated[float | None, option("fdr", metavar="Q", panel=_DECIDING)]
MinDark = Annotated[float | None, option("min_dark", metavar="SHARE", panel=_DECIDING)]
MinBright = Annotated[float | None, option("min_bright", metavar="SHARE", panel=_DECIDING)]
PattersonInput = Annotated[str | None, option("patterson_input", metavar="NAME", panel=_DECIDING)]
PattersonModel = Annotated[str | None, option("patterson_model", metavar="NAME", panel=_DECIDING)]
Planar = Annotated[bool | None, option("planar", "--planar/--no-planar", metavar="", panel=_DECIDING)]
SelfCheck = Annotated[
    bool | None, option("self_check", "--self-check/--no-self-check", metavar="", panel=_DECIDING)
]
Seed = Annotated[int | None, option("seed", metavar="N", panel=_DECIDING)]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Take the settings of this TOML file; an option beside it goes before what the file says.",
        show_default=False,
        rich_help_panel=_SETTINGS,
    ),
]
SaveSettings = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        parser=parse_toml_name,
        help="Write what this run uses to a TOML file, with a line on what each key means, and run.",
        show_default=False,
        rich_help_panel=_SETTINGS,
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        parser=parse_out,
        help="Folder for the results; each FILE gets DIR/<stem>/.",
        rich_help_panel=_OUTPUT,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", metavar="", help="Replace results that exist.", rich_help_panel=_OUTPUT),
]
Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        callback=check_workers,
        help="Files at a time, each in a process of its own; the results are the same.",
        rich_help_panel=_OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        help="Print a summary of all inputs as JSON, nothing else.",
        rich_help_panel=_OUTPUT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", metavar="", help="Print nothing but errors.", rich_help_panel=_OUTPUT),
]
