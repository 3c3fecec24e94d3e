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


def common_displacement(symbols: tuple[str, ...]) -> float:
    """Root mean square [Å] along one direction of what all atoms of a column share.

    It is the mean of their displacements, each weighed by its precision, and does not depend on how they move
    against each other: it only blurs the image of the column.

    Examples
    --------
    >>> common_displacement(("W",)) == rms_displacement("W")
    True
    """
    return float(1 / math.sqrt((1 / _variances(symbols)).sum()))


def mutual_displacements(
    symbols: tuple[str, ...], *, n: int, is_round: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sideways displacements of atoms against their common one: (sets, atoms, 2) Å, and the sets' weights.

    Of two atoms in a round probe they are the points of a quadrature; otherwise sets drawn with their
    opposites. The same atoms always get the same.

    Parameters
    ----------
    n : how many sets are drawn, even.
    is_round : the probe looks the same from all sides.
    """
    variances = _variances(symbols)
    if len(symbols) == 1:
        return np.zeros((1, 1, 2)), np.ones(1)
    if len(symbols) == 2 and is_round:
        apart, weights = _polar_quadrature(math.sqrt(variances.sum()))
        share = np.array([variances[0], -variances[1]]) / variances.sum()
        return apart[:, None] * share[:, None], weights
    from scipy.stats import norm, qmc

    spread = np.asarray(norm.ppf(qmc.Sobol(2 * len(symbols), seed=0).random(n // 2)))
    drawn = spread.reshape(-1, len(symbols), 2) * np.sqrt(variances)[:, None]
    weighed = drawn / variances[:, None]
    mutual = drawn - weighed.sum(axis=1, keepdims=True) / (1 / variances).sum()
    return np.concatenate([mutual, -mutual]), np.full(2 * len(mutual), 0.5 / len(mutual))


def _variances(symbols: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([rms_displacement(symbol) ** 2 for symbol in symbols])


def _polar_quadrature(
    sigma: float, *, n_radii: int = 4, n_angles: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (n, 2) and weights (n,) that give the mean over a round normal distribution."""
    half_square, radial = np.polynomial.laguerre.laggauss(n_radii)
    angle = (np.arange(n_angles) + 0.5) * math.pi / n_angles
    ways = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    places = sigma * np.sqrt(2 * half_square)[:, None, None] * ways
    return places.reshape(-1, 2), np.repeat(radial / n_angles, n_angles)
