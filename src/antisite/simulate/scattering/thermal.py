"""How far atoms swing about their places at room temperature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Debye–Waller factors B [Å²] at about 300 K. Elements of simple crystals: L.-M. Peng, G. Ren, S. L. Dudarev and
# M. J. Whelan, Acta Cryst. A 52, 456 (1996), rounded; of oxides, tellurides and dichalcogenides typical refined values.
_B = {
    "C": 0.20, "Al": 0.82, "Si": 0.50, "V": 0.55, "Cr": 0.26, "Fe": 0.33, "Ni": 0.37, "Cu": 0.57, "Zn": 1.1,
    "Ge": 0.60, "Nb": 0.45, "Mo": 0.24, "Ag": 0.75, "Ta": 0.32, "W": 0.16, "Pt": 0.37, "Au": 0.63, "Pb": 2.1,
    "O": 0.6, "N": 0.5, "B": 0.4, "Mg": 0.35, "S": 0.45, "Se": 0.45, "Te": 0.6, "Ti": 0.45, "Sr": 0.6, "Ba": 0.5,
    "Ga": 0.65, "As": 0.60, "Cd": 1.2, "Zr": 0.4, "Hf": 0.4, "Re": 0.2,
}  # fmt: skip
_USUAL = 0.5


def rms_displacement(symbol: str) -> float:
    """Root mean square displacement [Å] along one direction; a usual value where none is tabulated.

    Examples
    --------
    >>> round(rms_displacement("W"), 3)
    0.045
    """
    return math.sqrt(_B.get(symbol, _USUAL) / (8 * math.pi**2))


def draw_displacements(symbols: tuple[str, ...], n: int) -> NDArray[np.float64]:
    """(2 n, atoms, 2) Å, sideways displacements of independent atoms, evenly spread over what is likely.

    Each set comes with its opposite, so that their mean is exactly zero. The same atoms always get the same.

    Parameters
    ----------
    n : how many sets.
    """
    from scipy.stats import norm, qmc

    spread = qmc.Sobol(2 * len(symbols), seed=0).random(n)
    normal = np.asarray(norm.ppf(spread)).reshape(n, len(symbols), 2)
    sets = normal * np.array([rms_displacement(symbol) for symbol in symbols])[:, None]
    return np.concatenate([sets, -sets])
