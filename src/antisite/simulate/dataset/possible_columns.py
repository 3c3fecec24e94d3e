"""The columns that a crystal with point defects may hold, known before any is drawn."""

from __future__ import annotations

from ..crystals.column_atoms import EMPTY, ColumnAtoms
from ..crystals.crystal import Crystal
from ..point_defects.column_changes import ways_to_change
from ..point_defects.planting import PointDefects
from ..point_defects.words import DefectWord, read_defect


def possible_columns(crystal: Crystal, defects: PointDefects) -> tuple[ColumnAtoms, ...]:
    """Every column that `plant_defects` could make of a crystal, the crystal's own first.

    Examples
    --------
    >>> from antisite.simulate.crystals.library import find_specimen
    >>> crystal = find_specimen("graphene")
    >>> [column.symbols for column in possible_columns(crystal, PointDefects(substitutions={"N": 0.1}))]
    [('C',), ('N',)]
    """
    own = [column.atoms for column in crystal.columns]
    found = dict.fromkeys(own)
    elements = [symbol for atoms in own for symbol in atoms.symbols]
    for form, text, _ in defects.shares:
        word = read_defect(form, text, elements=elements, crystal=crystal.name)
        words = [word, DefectWord("vacancies", word.beside)] if word.beside else [word]
        for one in words:
            hosts = [atoms for atoms in own if _can_hold(atoms, one)]
            if one.form == "interstitials":
                hosts = [EMPTY]
                found[EMPTY] = None  # of the hollows that stay empty
            for atoms in hosts:
                ways = ways_to_change(atoms, one, perfect=own, n_depths=defects.n_depths)
                found |= dict.fromkeys(column for column, _ in ways)
    return tuple(found)


def _can_hold(atoms: ColumnAtoms, word: DefectWord) -> bool:
    wanted = word.host if word.host or word.form == "adatoms" else word.atom
    return bool(atoms.symbols) and (not wanted or wanted in atoms.symbols)
