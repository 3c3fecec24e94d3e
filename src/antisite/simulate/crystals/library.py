"""The crystals that are known by name, and those of files.

Cubic lattice constants: Wyckoff, Crystal Structures vol. 1, 2nd ed. (1963).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...io.structures import read_structure
from .crystal import Crystal
from .projection import is_sheet, project

if TYPE_CHECKING:
    from ase import Atoms

THICKNESS = 50.0  # Å, of a bulk crystal for which none is given

# a and distance of the chalcogens [Å] of free 1H sheets; c [Å] of 2H crystals: MoS2, MoSe2 Bronsema et al.,
# Z. Anorg. Allg. Chem. 540/541, 15 (1986); MoTe2 Puotinen & Newnham, Acta Cryst. 14, 691 (1961); WS2, WSe2
# Schutte et al., J. Solid State Chem. 70, 207 (1987). WTe2 grows as Td: sheets as far apart as MoTe2's.
_DICHALCOGENIDES = {
    ("Mo", "S"): (3.19, 3.128, 12.294),
    ("Mo", "Se"): (3.32, 3.31, 12.927),
    ("Mo", "Te"): (3.57, 3.579, 13.974),
    ("W", "S"): (3.18, 3.12, 12.323),
    ("W", "Se"): (3.32, 3.324, 12.96),
    ("W", "Te"): (3.56, 3.578, 13.972),
}
_LONGEST_NAME = 256  # of a file
_VACUUM = 20.0  # Å, in the cells of sheets
_AXES = {"001": (0, 0, 1), "100": (1, 0, 0), "010": (0, 1, 0), "110": (1, 1, 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A structure of the library, and the axes along which it is offered; none: a sheet."""

    words: str
    build: Callable[[], Atoms]
    axes: tuple[str, ...] = ()


def find_specimen(
    name_or_path: str | Path, *, zone_axis: tuple[int, int, int] | None = None, thickness: float | None = None
) -> Crystal:
    """The crystal of a name, in any case of its letters, or of a file that ASE reads.

    Parameters
    ----------
    name_or_path : one of `list_specimens`, its axis left out where there is only one, or a file.
    zone_axis : [uvw], along which the beam travels; for a name it takes the place of the axis in the name.
        Files are seen along [001] by default.
    thickness : Å, to the nearest whole number of periods; by default 50 Å. Sheets have none.

    Raises
    ------
    InputError
        It is neither; several axes fit; a sheet is given a thickness or an axis.

    Examples
    --------
    >>> [column.species for column in find_specimen("wse2").columns]
    ['W', 'Se']
    """
    text = str(name_or_path)
    known = {name.lower(): name for name in _library()}
    axes = {f"{name}_{axis}".lower(): (name, axis) for name, one in _library().items() for axis in one.axes}
    if text.lower() in axes:
        name, axis = axes[text.lower()]
        if zone_axis not in (None, _AXES[axis]):
            raise InputError(f"{name}_{axis} is seen along {axis}, got zone_axis {zone_axis} (leave out one)")
        return _build(name, _AXES[axis], thickness)
    if text.lower() in known:
        name = known[text.lower()]
        return _build(name, zone_axis or _only_axis(name), thickness)
    if names_file(text):
        return _from_file(Path(text), zone_axis or (0, 0, 1), thickness)
    raise InputError(_unknown(text))


def names_file(text: str) -> bool:
    """Whether the name of a specimen is none of the library but that of a file, which may not exist."""
    path = Path(text)
    known = {word.lower() for word in [*_library(), *_names()]}
    looks = path.suffix or path.parent != Path() or (len(text) < _LONGEST_NAME and path.exists())
    return bool(looks) and text.lower() not in known


def list_specimens() -> list[tuple[str, str, str, str]]:
    """Name, words, cell and columns of every crystal known by name, for people to read."""
    rows = []
    for known, one in _library().items():
        for axis in one.axes or ("",):
            crystal = find_specimen(f"{known}_{axis}" if axis else known)
            rows.append((crystal.name, one.words, _cell_words(crystal), _column_words(crystal)))
    return rows


def _names() -> list[str]:
    return [
        f"{name}_{axis}" if axis else name for name, one in _library().items() for axis in one.axes or ("",)
    ]


def _only_axis(name: str) -> tuple[int, int, int]:
    offered = _library()[name].axes
    if len(offered) > 1:
        raise InputError(
            f"{name} must be given with its axis: {' or '.join(f'{name}_{axis}' for axis in offered)} "
            f"(or with a zone axis)"
        )
    return _AXES[offered[0]] if offered else (0, 0, 1)


@cache
def _build(name: str, zone: tuple[int, int, int], thickness: float | None) -> Crystal:
    one = _library()[name]
    axis = next((axis for axis in one.axes if _AXES[axis] == zone), "".join(map(str, zone)))
    title = f"{name}_{axis}" if one.axes else name
    default = THICKNESS if one.axes else None
    chosen = default if thickness is None else thickness
    return project(one.build(), zone_axis=zone, thickness=chosen, name=title)


def _from_file(path: Path, zone: tuple[int, int, int], thickness: float | None) -> Crystal:
    atoms = read_structure(path)
    if thickness is None and not is_sheet(atoms):
        thickness = THICKNESS
    return project(atoms, zone_axis=zone, thickness=thickness, name=path.stem)


def _unknown(text: str) -> str:
    words = {word.lower(): word for word in [*_library(), *_names()]}
    near = [words[word] for word in get_close_matches(text.lower(), list(words), n=3, cutoff=0.4)]
    nearest = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(_names())}"
    return (
        f"a specimen must be a known name or a file that exists, got {text!r} "
        f"({nearest}; CIF, xyz and other structure files work too)"
    )


def _cell_words(crystal: Crystal) -> str:
    a, b = np.linalg.norm(crystal.cell, axis=1)
    angle = np.degrees(np.arccos(crystal.cell[0] @ crystal.cell[1] / (a * b)))
    return f"{a:.2f} × {b:.2f} Å, {angle:.0f}°"


def _column_words(crystal: Crystal) -> str:
    from ase.data import atomic_numbers

    def formula(symbols: tuple[str, ...]) -> str:
        heavy_first = sorted(Counter(symbols).items(), key=lambda item: -atomic_numbers[item[0]])
        return "".join(f"{symbol}{n if n > 1 else ''}" for symbol, n in heavy_first)

    runs = [
        (word, len(list(run))) for word, run in groupby(formula(c.atoms.symbols) for c in crystal.columns)
    ]
    return ", ".join(word if n == 1 else f"{n} × {word}" for word, n in runs)


@cache
def _library() -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    for metal, chalcogen in _DICHALCOGENIDES:
        build = partial(_dichalcogenide, metal, chalcogen, layers=1)
        known[f"{metal}{chalcogen}2"] = _Known(words="1H sheet", build=build)
    known["graphene"] = _Known(words="sheet", build=partial(_honeycomb, 2.46, "C", "C"))
    # Pease, Acta Cryst. 5, 356 (1952)
    known["hBN"] = _Known(words="sheet", build=partial(_honeycomb, 2.504, "B", "N"))
    for metal, chalcogen in _DICHALCOGENIDES:
        build = partial(_dichalcogenide, metal, chalcogen, layers=2)
        known[f"{metal}{chalcogen}2_2H_bilayer"] = _Known(words="two sheets, 2H stacking", build=build)
    for name, form, a, words, axes in (
        ("CdTe", "zincblende", 6.48, "zinc blende", ("110",)),
        ("GaAs", "zincblende", 5.6537, "zinc blende", ("110",)),
        ("Si", "diamond", 5.4307, "diamond", ("110",)),
        ("Au", "fcc", 4.07825, "face-centred cubic", ("100", "110")),
        ("Cu", "fcc", 3.61496, "face-centred cubic", ("100", "110")),
        ("Al", "fcc", 4.04958, "face-centred cubic", ("100", "110")),
        ("Fe", "bcc", 2.8665, "body-centred cubic", ("100", "110")),
        ("MgO", "rocksalt", 4.2112, "rock salt", ("100",)),
    ):
        known[name] = _Known(words=words, build=partial(_cubic, name, form, a), axes=axes)
    known["SrTiO3"] = _Known(words="cubic perovskite", build=_strontium_titanate, axes=("001",))
    known["BaTiO3"] = _Known(words="tetragonal perovskite", build=_barium_titanate, axes=("001",))
    known["ZrO2"] = _Known(words="monoclinic (baddeleyite)", build=_baddeleyite, axes=("001", "010"))
    return known


def _dichalcogenide(metal: str, chalcogen: str, *, layers: int) -> Atoms:
    """1H sheet, or two in 2H stacking: each metal over chalcogens of the other sheet."""
    from ase import Atoms

    a, apart, c = _DICHALCOGENIDES[metal, chalcogen]
    height = apart + (layers - 1) * c / 2 + _VACUUM
    corners = [(1 / 3, 2 / 3), (2 / 3, 1 / 3)]
    places = []
    for layer in range(layers):
        of_metal, of_chalcogen = corners[layer % 2], corners[1 - layer % 2]
        z = layer * c / 2 / height
        half = apart / 2 / height
        places += [(*of_metal, z + half), (*of_chalcogen, z), (*of_chalcogen, z + 2 * half)]
    symbols = [metal, chalcogen, chalcogen] * layers
    return Atoms(symbols, scaled_positions=places, cell=[a, a, height, 90, 90, 120], pbc=True)


def _honeycomb(a: float, first: str, second: str) -> Atoms:
    from ase import Atoms

    places = [(1 / 3, 2 / 3, 0), (2 / 3, 1 / 3, 0)]
    return Atoms([first, second], scaled_positions=places, cell=[a, a, _VACUUM, 90, 90, 120], pbc=True)


def _cubic(name: str, form: str, a: float) -> Atoms:
    from ase.build import bulk

    atoms: Atoms = bulk(name, form, a=a, cubic=True)
    return atoms


def _strontium_titanate() -> Atoms:
    from ase import Atoms

    places = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    return Atoms("SrTiO3", scaled_positions=places, cell=[3.905] * 3, pbc=True)


def _barium_titanate() -> Atoms:
    """At room temperature; Harada, Pedersen & Barnea, Acta Cryst. A 26, 336 (1970)."""
    from ase import Atoms

    places = [(0, 0, 0), (0.5, 0.5, 0.5135), (0.5, 0.5, 0.975), (0.5, 0, 0.485), (0, 0.5, 0.485)]
    return Atoms("BaTiO3", scaled_positions=places, cell=[3.992, 3.992, 4.036], pbc=True)


def _baddeleyite() -> Atoms:
    """P 2_1/c; Howard, Hill & Reichert, Acta Cryst. B 44, 116 (1988)."""
    from ase.spacegroup import crystal

    atoms: Atoms = crystal(
        ["Zr", "O", "O"],
        basis=[(0.2754, 0.0395, 0.2083), (0.07, 0.3317, 0.3447), (0.4496, 0.7569, 0.4792)],
        spacegroup=14,
        cellpar=[5.1505, 5.2116, 5.3173, 90, 99.23, 90],
    )
    return atoms
