"""Crystal structures and models of atoms, from any file that ASE reads."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .formats import SUFFIXES as IMAGE_SUFFIXES
from .guards import SHOWN, note_reader_error

if TYPE_CHECKING:
    from ase import Atoms

_LEAST_DISTANCE = 0.5  # Å; hydrogen's molecule is 0.74 Å long
_FULL = 1e-3  # an occupancy this close to 1 is rounded, not partial


def read_structure(path: str | Path) -> Atoms:
    """The atoms of one structure in its cell: CIF, extended xyz, POSCAR, cfg and whatever else ASE reads.

    Parameters
    ----------
    path : a file that holds one structure, ordered, in a cell.

    Raises
    ------
    InputError
        There is no such file, it is no structure or holds several, it has no atoms or no cell, or its
        sites are shared or partly occupied.
    """
    path = Path(path)
    if not _is_file(path):
        raise InputError(f"a structure must be a file that exists, got {path} (check the path)")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise InputError(
            f"a structure must be a file of atoms, got the image {path.name} "
            f"(to simulate an image like it: --like FILE)"
        )
    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty (was it copied to the end?)")
    found = _read_all(path)
    if len(found) > 1:
        raise InputError(
            f"a structure file must hold one structure, got {len(found)} in {path.name} "
            f"(write the one you mean into a file of its own)"
        )
    if not found or len(found[0]) == 0:
        raise InputError(f"a structure must have atoms, got none in {path.name} (was it copied to the end?)")
    atoms = found[0]
    _check_atoms(atoms, path.name)
    _check_order(atoms, path.name)
    return atoms


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the disk
        return False


def _read_all(path: Path) -> list[Atoms]:
    """Every structure of the file; whatever ASE raises or mutters becomes one sentence."""
    from ase.io import read

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = read(str(path), index=":", do_not_split_by_at_sign=True)
            return found if isinstance(found, list) else [found]
        except Exception as error:  # readers raise anything at all on a damaged file
            note_reader_error(path, error)
        gc.collect()  # a reader that fails may leave its file open in a cycle
    raise InputError(
        f"{path.name} cannot be read as a structure: it looks damaged, or is not what its suffix says "
        f"(.cif, .xyz, .vasp, .cfg, .json …; {SHOWN})"
    )


def _check_atoms(atoms: Atoms, name: str) -> None:
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise InputError(f"positions and cell must be finite numbers [Å], got others in {name}")
    if abs(np.linalg.det(atoms.cell.array)) < 1e-6:
        raise InputError(
            f"a structure must have a cell with a volume, got none in {name} "
            f'(an .xyz file gives it as Lattice="…" in its second line)'
        )
    if (atoms.numbers < 1).any():
        raise InputError(f"every atom must be of an element, got one of unknown kind (X) in {name}")


def _check_order(atoms: Atoms, name: str) -> None:
    """Refuse disorder: the columns of one image hold whole atoms."""
    for site, shares in (atoms.info.get("occupancy") or {}).items():
        if len(shares) > 1 or any(abs(share - 1) > _FULL for share in shares.values()):
            what = ", ".join(f"{symbol} {share:g}" for symbol, share in shares.items())
            raise InputError(
                f"every site must be wholly occupied by one element, got {what} at site {site} of {name} "
                f"(make an ordered cell first)"
            )
    from ase.neighborlist import neighbor_list

    first, second, distance = neighbor_list("ijd", atoms, _LEAST_DISTANCE)
    if len(first):
        one, other = (f"{atoms.symbols[i]} (atom {i})" for i in (first[0], second[0]))
        raise InputError(
            f"no two atoms may share one place, got {one} and {other} {distance[0]:.2f} Å apart in {name} "
            f"(make an ordered cell first)"
        )
