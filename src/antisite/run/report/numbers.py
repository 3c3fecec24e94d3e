"""Numbers as a person writes them."""

from __future__ import annotations

import math
from typing import Any

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST_P = 1e-10  # no distribution is known that far out
SPACE = "\N{NO-BREAK SPACE}"


def number(value: Any, digits: int = 3) -> str:
    """A number to so many significant digits with a true minus; a dash where it is unknown.

    Examples
    --------
    >>> number(1234567, 9), number(-0.012345), number(None), number(float("nan"))
    ('1,234,567', '−0.0123', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value and not 1e-4 <= abs(value) < 1e7:
        power = math.floor(math.log10(abs(value)))
        times = f"{SPACE}×{SPACE}"
        return f"{number(value / 10.0**power, digits)}{times}10{str(power).translate(_RAISED)}"
    if float(value).is_integer():
        return f"{int(value):,}".replace("-", "−")
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return (text.rstrip("0").rstrip(".") if places else text).replace("-", "−")


def probability(value: float) -> str:
    """A p- or q-value to two digits, as far down as it means anything."""
    return f"<{SPACE}10⁻¹⁰" if value < _LEAST_P else number(value, 2)


def fixed(value: float | None, places: int) -> str:
    """A number with so many decimals, so that columns of them stand in line.

    Examples
    --------
    >>> fixed(-2.345, 1), fixed(-0.001, 1), fixed(float("nan"), 1), fixed(None, 1)
    ('−2.3', '0.0', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:z.{places}f}".replace("-", "−")  # z: no minus before a zero


def percent(share: float | None, digits: int = 2) -> str:
    r"""A share in per cent.

    Examples
    --------
    >>> percent(0.0333), percent(-0.3), percent(None)
    ('3.3\xa0%', '−30\xa0%', '–')
    """
    return "–" if share is None else f"{number(100 * share, digits)}{SPACE}%"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """From one number to another, or a dash."""
    return "–" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def chance(value: float) -> str:
    """A measured probability to two decimals; nobody has measured 0 or 1.

    Examples
    --------
    >>> chance(0.8512), chance(0.999), chance(0.0)
    ('0.85', 'above 0.99', 'below 0.01')
    """
    if value > 0.99:
        return "above 0.99"
    return "below 0.01" if value < 0.01 else fixed(value, 2)


def counted(n: int, words: str, many: str = "") -> str:
    """`1 site`, `2 sites`."""
    return f"{n:,} {words if n == 1 else many or words + 's'}"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
