"""One thing that may be chosen: what it is called, what it means, and what fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from numbers import Integral, Real
from typing import Any

from ..errors import InputError

_TAKES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "a file": (str,),
    "a region": (str,),
    "a number": (Real,),
    "a whole number": (Integral,),
    "true or false": (bool,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that may be chosen.

    Parameters
    ----------
    field : the keyword in Python, unique among all choices.
    table : where it stands in a settings file, empty for the top of the file.
    key : its name there.
    takes : what sort of value.
    about : what it means, with its unit.
    must : what has to hold, as the end of "it must …".
    holds : whether it does.
    hint : what helps who got it wrong.
    words : the only values, where they are few.
    example : as it would stand in a file.
    """

    field: str
    table: str
    key: str
    takes: str
    about: str
    must: str = ""
    holds: Callable[[Any], bool] = lambda _: True
    hint: Callable[[Any], str] = lambda _: ""
    words: tuple[str, ...] = ()
    example: str = ""

    def check(self, value: Any, name: str = "") -> None:
        """Refuse a value that does not fit.

        Parameters
        ----------
        name : what the value is called in the sentence; the field, unless given.

        Raises
        ------
        InputError
            It is of another sort, or out of range.
        """
        name = name or self.field
        allowed = _TAKES[self.takes]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            wanted = either(self.words) or self.takes
            raise InputError(f"{name} must be {wanted}, got {told(value)}")
        if self.takes == "a number":
            value = _as_float(value)
        if self.words and value not in self.words:
            hint = did_you_mean(str(value), self.words)
            raise InputError(f"{name} must be {either(self.words)}, got {told(value)}{hint}")
        if not self.holds(value):
            raise InputError(f"{name} must {self.must}, got {told(value)}{self.hint(value)}")
        if self.takes == "a region":
            parse_region(str(value), name)


def told(value: Any) -> str:
    """A value as a sentence shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{float(value):g}"
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else repr(value) if isinstance(value, str) else str(value)


def either(words: tuple[str, ...]) -> str:
    """The words as a sentence lists them.

    Examples
    --------
    >>> either(("raw", "semantic")), either(("a", "b", "c"))
    ('raw or semantic', 'a, b or c')
    """
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def did_you_mean(word: str, words: tuple[str, ...]) -> str:
    """The nearest of the words, as the end of a sentence; empty where none is near.

    Examples
    --------
    >>> did_you_mean("Patersson", ("deviation", "patterson"))
    ' (did you mean patterson?)'
    """
    near = get_close_matches(word.casefold(), words, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def parse_region(text: str, name: str = "region") -> tuple[slice, slice]:
    """Slices (y, x) px of `y0:y1,x0:x1`.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> parse_region("0:100,50:200")
    (slice(0, 100, None), slice(50, 200, None))
    """
    found = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*", text, re.ASCII)
    if not found:
        raise InputError(f"{name} must be y0:y1,x0:x1 in whole pixels, such as 0:512,100:400, got {text!r}")
    y0, y1, x0, x1 = (int(number) for number in found.groups())
    if y0 >= y1 or x0 >= x1:
        raise InputError(f"{name} must end after it begins (y0 < y1 and x0 < x1), got {text!r}")
    return slice(y0, y1), slice(x0, x1)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf
