"""How far atoms swing about their places at room temperature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Debye–Waller factors B [Å²] at about 300 K. Elements: L.-M. Peng, G. Ren, S. L. Dudarev and M. J. Whelan,
# Acta Cryst. A 52, 456 (1996), rounded. O, N, S, Se, Te, Ti, Sr, Ba, Zr, Hf, Ga, As, Cd: usual in compounds.
_B = {
    "B": 0.40, "C": 0.20, "N": 0.50, "O": 0.60, "Mg": 0.35, "Al": 0.82, "Si": 0.50, "S": 0.45,
    "Ti": 0.45, "V": 0.55, "Cr": 0.26, "Fe": 0.33, "Ni": 0.37, "Cu": 0.57, "Zn": 1.10, "Ga": 0.65,
    "Ge": 0.60, "As": 0.60, "Se": 0.45, "Sr": 0.60, "Zr": 0.40, "Nb": 0.45, "Mo": 0.24, "Ag": 0.75,
    "Cd": 1.20, "Te": 0.60, "Ba": 0.50, "Hf": 0.40, "Ta": 0.32, "W": 0.16, "Re": 0.20, "Pt": 0.37,
    "Au": 0.63, "Pb": 2.10,
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
