"""What stands in one column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ColumnAtoms:
    """The atoms of one column, in the order in which the beam meets them; none: an empty place.

    Parameters
    ----------
    symbols : of the elements.
    heights : Å along the beam, ascending; the probe enters at height 0 and is in focus there at defocus 0.

    Examples
    --------
    >>> pair = ColumnAtoms(("Se", "Se"), (0.0, 3.34))
    >>> pair.without(1)
    ColumnAtoms(symbols=('Se',), heights=(0.0,))
    """

    symbols: tuple[str, ...] = ()
    heights: tuple[float, ...] = ()

    def without(self, place: int) -> ColumnAtoms:
        """The column with one atom missing."""
        return ColumnAtoms(
            self.symbols[:place] + self.symbols[place + 1 :], self.heights[:place] + self.heights[place + 1 :]
        )

    def exchanged(self, place: int, symbol: str) -> ColumnAtoms:
        """The column with one atom of another element."""
        return ColumnAtoms((*self.symbols[:place], symbol, *self.symbols[place + 1 :]), self.heights)


EMPTY = ColumnAtoms()
