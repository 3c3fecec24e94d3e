"""Options that mean the same in every command, each written once."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AntisiteError

if TYPE_CHECKING:
    from ..image import Region
    from ..run.reading import Reading

DEFAULT_OUT = Path("antisite-out")

_READING = "What to read"
_SCALE = "Scale"
_DECIDING = "What counts as a defect"
_OUTPUT = "Output"


class UsageError(AntisiteError):
    """What was asked makes no sense as a whole (exit 2)."""


def known(value: float | None) -> float:
    """The number given, NaN where none was."""
    return math.nan if value is None else value


def parse_region(text: str | None) -> Region | None:
    """Slices (y, x) of `y0:y1,x0:x1`, None where nothing was given.

    Examples
    --------
    >>> parse_region("0:100,50:200")
    (slice(0, 100, None), slice(50, 200, None))
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*", text, re.ASCII)
    if not found:
        raise typer.BadParameter(
            f"it must be y0:y1,x0:x1 in whole pixels, such as 0:512,100:400, got {text!r}"
        )
    y0, y1, x0, x1 = (int(number) for number in found.groups())
    if y0 >= y1 or x0 >= x1:
        raise typer.BadParameter(f"it must end after it begins (y0 < y1 and x0 < x1), got {text!r}")
    return slice(y0, y1), slice(x0, x1)


def check_region(text: str | None) -> str | None:
    """Refuse what is no region."""
    parse_region(text)
    return text


def check_pixel_size(value: float | None) -> float | None:
    """Refuse what cannot be a pixel size in Å."""
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter(f"it must be a positive number of Å per pixel, got {value:g}")
    return value


def check_lattice_constant(value: float | None) -> float | None:
    """Refuse what cannot be a lattice constant in Å; nanometres are the usual slip."""
    if value is None or 1 <= value <= 100:
        return value
    hint = f" (did you mean {10 * value:g}?)" if 0.1 <= value < 1 else ""
    raise typer.BadParameter(f"it must be 1 to 100 Å, got {value:g}{hint}")


def check_fdr(value: float) -> float:
    """Refuse a rate of false discoveries that is not between 0 and 1."""
    if not 0 < value < 1:
        raise typer.BadParameter(f"it must be above 0 and below 1, got {value:g}")
    return value


def check_natural(value: int | None) -> int | None:
    """Refuse negative numbers."""
    if value is not None and value < 0:
        raise typer.BadParameter(f"it must be a whole number from 0, got {value}")
    return value


def check_workers(value: int) -> int:
    """Refuse fewer than one process."""
    if value < 1:
        raise typer.BadParameter(f"it must be a whole number from 1, got {value}")
    return value


def check_frames(frame: int | None, sum_frames: bool) -> None:
    """Refuse one frame and all frames at once."""
    if frame is not None and sum_frames:
        raise UsageError("--frame and --sum exclude each other (give one of them)")


def check_also(also: Path | None, files: list[Path]) -> None:
    """Refuse a second detector where it is not clear whose."""
    if also is not None and len(files) != 1:
        raise UsageError(f"--also needs exactly one FILE, whose second detector it is, got {len(files)}")


def parse_out(text: str) -> Path:
    """Refuse a folder without a name, which would be the current one."""
    if not str(text).strip():
        raise typer.BadParameter("it must name a folder, got nothing (the current folder is .)")
    return Path(text)


def reading(
    files: list[Path],
    *,
    signal: str,
    frame: int | None,
    sum_frames: bool,
    also: Path | None,
    region: str | None,
    mask: Path | None,
    pixel_size: float | None,
) -> Reading:
    """How the files are to be read, after a check that the options fit together."""
    check_frames(frame, sum_frames)
    check_also(also, files)

    from ..run.reading import Reading

    return Reading(
        signal=signal,
        frame=frame,
        sum_frames=sum_frames,
        also=also,
        region=parse_region(region),
        mask=mask,
        pixel_size=known(pixel_size),
    )


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="Images: .dm3 .dm4 .emd .ser .mrc .hspy .tif .png .jpg .npy .npz",
        show_default=False,
    ),
]
Signal = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Signal to use when a file holds several ('antisite inspect' lists them).",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
Frame = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        callback=check_natural,
        help="Frame of a stack, from 0.",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
Sum = Annotated[
    bool,
    typer.Option(
        "--sum",
        metavar="",
        help="Add all frames of a stack (they must be aligned).",
        rich_help_panel=_READING,
    ),
]
Also = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Second detector of the same scan; exactly one FILE before it. Of several signals it gives "
        "the one called --signal; the same FILE gives the other one of its two.",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
RegionText = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="Y0:Y1,X0:X1",
        callback=check_region,
        help="Look only here, in px from the top left; coordinates stay those of the whole image.",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Image of the same shape; pixels that are not 0 in it are ignored.",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
PixelSize = Annotated[
    float | None,
    typer.Option(
        metavar="Å",
        callback=check_pixel_size,
        help="Å per pixel, instead of what the file says.",
        show_default=False,
        rich_help_panel=_SCALE,
    ),
]
LatticeConstant = Annotated[
    float | None,
    typer.Option(
        metavar="Å",
        callback=check_lattice_constant,
        help="Length of the shortest lattice vector in Å; gives the scale, or checks that of the file.",
        show_default=False,
        rich_help_panel=_SCALE,
    ),
]
Fdr = Annotated[
    float,
    typer.Option(
        metavar="Q",
        callback=check_fdr,
        help="Share of false discoveries accepted among the defects, 0 to 1.",
        rich_help_panel=_DECIDING,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        metavar="N",
        callback=check_natural,
        help="Of the random numbers: same seed, same bytes.",
        rich_help_panel=_DECIDING,
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
