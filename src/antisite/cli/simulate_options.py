"""The options of `antisite simulate`; what they say together stands in `simulate_choices`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import check_workers

_WHAT, _WHERE, _BEAM, _RECORD, _FIELDS, _HOW = (
    "Defects",
    "Specimen and frame",
    "Beam and detectors",
    "Recording",
    "Many fields",
    "Computing",
)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        raise typer.BadParameter("it must be a number, got nan")
    if isinstance(value, float) and math.isinf(value):
        raise typer.BadParameter(f"it must be finite, got {value:g}")
    return value


def _positive(value: Any) -> Any:
    if isinstance(value, float) and not value > 0:
        raise typer.BadParameter(f"it must be positive, got {value:g}")
    return _finite(value)


def _other(flag: str, metavar: str, words: str, *, panel: str, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=words, show_default=False, rich_help_panel=panel, **more)


def _number(flag: str, metavar: str, words: str, *, panel: str, check: Any = _finite) -> Any:
    return _other(flag, metavar, words, panel=panel, callback=check)


def _share(flag: str, words: str) -> Any:
    return _other(flag, "WORDS:SHARE", words, panel=_WHAT)


Specimen = Annotated[
    str | None,
    typer.Argument(
        metavar="SPECIMEN",
        help="A name of --list, or a CIF, .xyz or other structure file.",
        show_default=False,
    ),
]
List = Annotated[bool, _other("--list", "", "List the specimens known by name and stop.", panel=_WHERE)]
ZoneAxis = Annotated[
    tuple[int, int, int] | None,
    _other(
        "--zone-axis", "U V W", r"Along which the beam travels. [dim]\[default: 0 0 1][/dim]", panel=_WHERE
    ),
]
Thickness = Annotated[
    float | None,
    _number("--thickness", "Å", r"Of a bulk crystal. [dim]\[default: 50][/dim]", panel=_WHERE),
]
Size = Annotated[int | None, _other("--size", "N", r"N × N pixels. [dim]\[default: 512][/dim]", panel=_WHERE)]
Shape = Annotated[
    tuple[int, int] | None, _other("--shape", "NY NX", "Rows and columns of pixels.", panel=_WHERE)
]
PixelSize = Annotated[
    float | None, _number("--pixel-size", "Å", r"Å per pixel. [dim]\[default: 0.2][/dim]", panel=_WHERE)
]
Rotation = Annotated[
    float | None,
    _number("--rotation", "DEGREES", "Direction of the crystal's a, clockwise from the right.", panel=_WHERE),
]
Like = Annotated[
    Path | None,
    _other(
        "--like",
        "FILE",
        "Match this image: its scale, orientation, blur, dose, contrast and background.",
        panel=_WHERE,
    ),
]
LatticeConstant = Annotated[
    float | None,
    _number(
        "--lattice-constant",
        "Å",
        "With --like: length of the crystal's a, which sets the scale.",
        panel=_WHERE,
        check=_positive,
    ),
]
Periodic = Annotated[
    bool,
    _other(
        "--periodic",
        "",
        "One cell of a structure file, noiseless, to DIR/image.npy; pixel (0, 0) is its origin.",
        panel=_WHERE,
    ),
]
Words = list[str] | None
Vacancy = Annotated[Words, _share("--vacancy", "One atom missing from a column, as Se:0.01.")]
ColumnVacancy = Annotated[
    Words, _share("--column-vacancy", "All its atoms missing from a column, as Se:0.01.")
]
Dopant = Annotated[Words, _share("--dopant", "One atom exchanged: V:0.02 for the metal, or V@Se:0.02.")]
Antisite = Annotated[Words, _share("--antisite", "An element in the place of the other, as W@Se:0.01.")]
Adatom = Annotated[Words, _share("--adatom", "An atom on top of a column: W:0.01 on any, or W@Se:0.01.")]
Interstitial = Annotated[Words, _share("--interstitial", "An atom in a hollow, as Se:0.01.")]
Complex = Annotated[Words, _share("--complex", "A dopant and a vacancy beside it, as V+Se:0.01.")]
BeamEnergy = Annotated[
    float | None, _number("--beam-energy", "EV", r"eV. [dim]\[default: 80e3][/dim]", panel=_BEAM)
]
Convergence = Annotated[
    float | None,
    _number("--convergence", "MRAD", r"Half angle of the probe. [dim]\[default: 30][/dim]", panel=_BEAM),
]
Detector = Annotated[
    list[str] | None,
    _other(
        "--detector",
        "INNER OUTER",
        r"Half angles of the ring, mrad; again for each further detector. [dim]\[default: 70 200][/dim]",
        panel=_BEAM,
    ),
]
BrightField = Annotated[
    bool | None, _other("--bright-field", "", "A detector may lie inside the probe.", panel=_BEAM)
]
Defocus = Annotated[
    float | None, _number("--defocus", "Å", "How deep in the specimen the probe is focused.", panel=_BEAM)
]
Cs = Annotated[float | None, _number("--cs", "Å", "Spherical aberration (1 mm is 1e7).", panel=_BEAM)]
SourceSize = Annotated[
    float | None,
    _number("--source-size", "Å", "Standard deviation of the source's image on the specimen.", panel=_BEAM),
]
Static = Annotated[bool | None, _other("--static", "", "Atoms stand still.", panel=_BEAM)]
Dose = Annotated[
    float | None,
    _other(
        "--dose", "E/Å²", r"Electrons per Å². [dim]\[default: inf, which is no noise][/dim]", panel=_RECORD
    ),
]
Noiseless = Annotated[
    bool, _other("--noiseless", "", "No noise: the image is the share of the beam.", panel=_RECORD)
]
Drift = Annotated[float | None, _number("--drift", "PX", "Of the specimen, root mean square.", panel=_RECORD)]
Jitter = Annotated[
    float | None, _number("--jitter", "PX", "Of single rows, root mean square.", panel=_RECORD)
]
Flyback = Annotated[
    float | None, _number("--flyback", "PX", "How far off the beam is where a row starts.", panel=_RECORD)
]
ContaminationShare = Annotated[
    float | None,
    _number(
        "--contamination", "SHARE", "Signal of a film of carbon over that of the specimen.", panel=_RECORD
    ),
]
Gain = Annotated[float | None, _number("--gain", "VALUE", "Of the image per electron.", panel=_RECORD)]
Offset = Annotated[float | None, _number("--offset", "VALUE", "Of a pixel without electrons.", panel=_RECORD)]
ReadNoise = Annotated[
    float | None, _number("--read-noise", "VALUE", "Standard deviation of that.", panel=_RECORD)
]
Bits = Annotated[
    int | None,
    _other("--bits", "N", "Whole numbers of 1 to 16 bits; without it 32-bit floats.", panel=_RECORD),
]
Count = Annotated[
    int | None,
    _other("--count", "N", "N fields, each in a random direction at a random place.", panel=_FIELDS),
]
Layout = Annotated[
    str | None,
    _other(
        "--format",
        "NAME",
        r"zarr (labelled patches), yolo, coco or tiff (whole images). [dim]\[default: tiff][/dim]",
        panel=_FIELDS,
    ),
]
Patch = Annotated[
    int | None, _other("--patch", "PX", r"Edge of the patches. [dim]\[default: 32][/dim]", panel=_FIELDS)
]
Scheduler = Annotated[
    str | None,
    _other("--scheduler", "ADDRESS", "Dask's, as tcp://HOST:8786, which makes the patches.", panel=_FIELDS),
]
Seed = Annotated[
    int | None, _other("--seed", "N", r"Same seed, same bytes. [dim]\[default: 0][/dim]", panel=_HOW)
]
Cache = Annotated[
    Path | None,
    _other(
        "--cache",
        "DIR",
        "Folder that keeps the tables of columns from run to run.",
        panel=_HOW,
        file_okay=False,
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        callback=check_workers,
        help="Tables, or fields of many, computed at a time; the result is the same.",
        rich_help_panel=_HOW,
    ),
]
