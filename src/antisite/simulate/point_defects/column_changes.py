"""What a point defect makes of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..crystals.column_atoms import EMPTY, ColumnAtoms
from .words import DefectWord

ADATOM_HEIGHT = 2.0  # Å above the column's first atom
_THIN = 5.0  # Å; in a crystal no thicker an interstitial stands halfway

Ways = list[tuple[ColumnAtoms, str]]


def ways_to_change(
    atoms: ColumnAtoms, word: DefectWord, *, perfect: Sequence[ColumnAtoms], n_depths: int
) -> Ways:
    """What may become of a column that holds a defect, each as likely as the other, and the kind this is.

    Parameters
    ----------
    atoms : the column before.
    perfect : the columns of the crystal.
    n_depths : the depths that may change in a thick column, evenly chosen.

    Examples
    --------
    >>> pair = ColumnAtoms(("Se", "Se"), (0.0, 3.34))
    >>> ways_to_change(pair, DefectWord("column_vacancies", "Se"), perfect=(pair,), n_depths=8)
    [(ColumnAtoms(symbols=(), heights=()), 'vacancy')]
    """
    if word.form == "vacancies":
        return [_vacant(atoms.without(i)) for i in _places(atoms, word.atom, n_depths)]
    if word.form == "column_vacancies":
        return [_vacant(_all_but(atoms, word.atom))]
    if word.form == "adatoms":
        above = atoms.heights[0] - ADATOM_HEIGHT
        return [(ColumnAtoms((word.atom, *atoms.symbols), (above, *atoms.heights)), "bright_site")]
    if word.form == "interstitials":
        depths = _depths(perfect, n_depths)
        return [(ColumnAtoms((word.atom,), (depth,)), "interstitial") for depth in depths]
    kind = "substitution"
    if word.beside:
        kind = "complex"
    elif any(word.atom in column.symbols for column in perfect):
        kind = "antisite"
    return [(atoms.exchanged(i, word.atom), kind) for i in _places(atoms, word.host, n_depths)]


def _places(atoms: ColumnAtoms, symbol: str, n_depths: int) -> list[int]:
    found = [i for i, held in enumerate(atoms.symbols) if held == symbol]
    evenly = np.linspace(0, len(found) - 1, min(len(found), n_depths))
    return [found[i] for i in np.round(evenly).astype(int)]


def _depths(perfect: Sequence[ColumnAtoms], n_depths: int) -> list[float]:
    heights = [height for atoms in perfect for height in atoms.heights]
    low, high = min(heights), max(heights)
    if high - low <= _THIN:
        return [(low + high) / 2]
    return [float(height) for height in np.linspace(low, high, n_depths)]


def _all_but(atoms: ColumnAtoms, symbol: str) -> ColumnAtoms:
    left = [i for i, held in enumerate(atoms.symbols) if held != symbol]
    return ColumnAtoms(tuple(atoms.symbols[i] for i in left), tuple(atoms.heights[i] for i in left))


def _vacant(atoms: ColumnAtoms) -> tuple[ColumnAtoms, str]:
    return atoms, "vacancy" if atoms == EMPTY else "partial_vacancy"
