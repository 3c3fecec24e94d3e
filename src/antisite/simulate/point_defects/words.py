"""How a point defect is written, and which sites of a crystal could hold it.

`Se`: of that element; `V@W`: V in the place of W; `V+Se`, `V@W+Se`: V beside a missing Se.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from ...errors import InputError

# what a dopant does not replace unless told so
_NO_METALS = (
    *("H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar"),
    *("Ge", "As", "Se", "Br", "Kr", "Sb", "Te", "I", "Xe", "At", "Rn"),
)


@dataclass(frozen=True, slots=True)
class DefectWord:
    """A point defect by its elements.

    Parameters
    ----------
    form : one of `FORMS`.
    atom : the element that is added, or that is missing in a vacancy.
    host : the element in whose place it stands, or on whose columns; empty: on any.
    beside : the element of which an atom is missing in a neighbouring column.
    """

    form: str
    atom: str
    host: str = ""
    beside: str = ""

    @property
    def text(self) -> str:
        """The same for every way to write the same defect."""
        return f"{self.form} {self.atom}@{self.host}+{self.beside}"


FORMS = (
    "vacancies",
    "column_vacancies",
    "substitutions",
    "antisites",
    "adatoms",
    "interstitials",
    "complexes",
)
"""In this order they are put in; where two want one site, the later one takes another."""


def read_defect(form: str, text: str, *, elements: Iterable[str], crystal: str = "the crystal") -> DefectWord:
    """A defect by the words of its form.

    Parameters
    ----------
    form : one of `FORMS`.
    text : the elements, e.g. `Se`, `V@W`, `V+Se`.
    elements : of the crystal, in any order.
    crystal : its name, for the sentence of an error.

    Raises
    ------
    InputError
        No such form or element, an element that the crystal has not, or a host that must be named.

    Examples
    --------
    >>> read_defect("substitutions", "V", elements=("W", "Se")).host
    'W'
    """
    if form not in FORMS:
        near = get_close_matches(form, FORMS, n=1, cutoff=0)[0]
        raise InputError(
            f"a form of defect must be one of {', '.join(FORMS)}, got {form!r} (nearest: {near})"
        )
    rest, plus, beside = text.replace(" ", "").partition("+")
    atom, at, host = rest.partition("@")
    own = tuple(dict.fromkeys(elements))
    exchanges = form in ("substitutions", "antisites", "complexes")
    if (
        bool(plus) != (form == "complexes")
        or (at and not exchanges and form != "adatoms")
        or (at and not host)
    ):
        raise InputError(f"{form} must be written {_LAYOUT[form]}, got {text!r}")
    for symbol in filter(None, (atom, host, beside)) if atom else ("",):
        _check_element(symbol, text)
    of_crystal = [host, beside]
    if form in ("vacancies", "column_vacancies", "antisites"):
        of_crystal.append(atom)
    for symbol in filter(None, of_crystal):
        if symbol not in own:
            raise InputError(f"{form} of {crystal} must name its elements ({', '.join(own)}), got {symbol}")
    if form == "antisites" and not host:
        raise InputError(f"{form} must be written {_LAYOUT[form]}, got {text!r}")
    if exchanges and not host:
        host = _usual_host(own, atom, crystal)
    if exchanges and atom == host:
        raise InputError(
            f"{form} must put one element in the place of another, got {text!r} ({atom} for {host})"
        )
    return DefectWord(form, atom, host, beside)


_LAYOUT = {
    "vacancies": "as an element (Se)",
    "column_vacancies": "as an element (Se)",
    "substitutions": "as an element with its host or without (V, V@Se)",
    "antisites": "as two elements of the crystal (W@Se)",
    "complexes": "as a dopant and what is missing beside it (V+Se, V@W+Se)",
    "adatoms": "as an element, on any column or on those of a host (W, W@Se)",
    "interstitials": "as an element (Se)",
}


def _usual_host(elements: tuple[str, ...], atom: str, crystal: str) -> str:
    """The metal of the crystal, or its only element."""
    metals = [symbol for symbol in elements if symbol not in _NO_METALS]
    fitting = metals if len(metals) == 1 else elements
    if len(fitting) != 1:
        choice = " or ".join(f"{atom}@{symbol}" for symbol in metals or elements)
        raise InputError(f"a dopant of {crystal} must say what it replaces, got {atom} (give {choice})")
    return fitting[0]


def _check_element(symbol: str, text: str) -> None:
    known = _symbols()
    if symbol not in known:
        near = get_close_matches(symbol.capitalize(), known, n=1, cutoff=0)[0]
        where = "" if symbol == text else f" in {text!r}"
        raise InputError(f"an element must be a chemical symbol, got {symbol!r}{where} (nearest: {near})")


@cache
def _symbols() -> tuple[str, ...]:
    from ase.data import chemical_symbols

    return tuple(chemical_symbols[1:])
