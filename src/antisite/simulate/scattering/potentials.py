"""The electrostatic potential of an atom, seen along the beam, and what it does to a plane wave.

Parameters: I. Lobato and D. Van Dyck, Acta Cryst. A 70, 636 (2014), shipped as `data/lobato_2014.csv`.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .optics import Optics

VOLT = 47.87801
"""V Å², h² / (2π m e): scattering factor [Å] to potential."""
_FAR = 12.0  # Å from the nucleus; no atom's potential reaches as far
_N_RADII, _N_ANGLES = 6000, 500


@cache
def _parameters() -> dict[str, NDArray[np.float64]]:
    text = (files("antisite") / "data" / "lobato_2014.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if not line.startswith(("#", "symbol"))]
    return {symbol: np.array(numbers, dtype=float).reshape(2, 5) for symbol, *numbers in rows}


def _of(symbol: str) -> NDArray[np.float64]:
    if symbol not in _parameters():
        raise InputError(f"scattering factors are known of hydrogen to lawrencium, got {symbol!r}")
    return _parameters()[symbol]


def scattering_factor(symbol: str, k: NDArray[np.floating]) -> NDArray[np.float64]:
    """Electron scattering factor [Å] of a neutral atom.

    Parameters
    ----------
    symbol : of the element, H to Lr.
    k : 1/Å, spatial frequency, 2 sin(θ / 2) / λ with θ the scattering angle.

    Examples
    --------
    >>> round(float(scattering_factor("H", np.zeros(1))[0]), 3)  # the Bohr radius
    0.529
    """
    a, b = _of(symbol)
    broad = 1 + b * np.asarray(k, dtype=float)[..., None] ** 2
    return np.asarray((a * (1 / broad + 1 / broad**2)).sum(axis=-1))


def projected_potential(symbol: str, r: NDArray[np.floating]) -> NDArray[np.float64]:
    """Potential [V Å] integrated along the beam, at distances r > 0 [Å] from the nucleus."""
    from scipy.special import k0, k1

    a, b = _of(symbol)
    r = np.asarray(r, dtype=float)[..., None]
    x = 2 * math.pi * r / np.sqrt(b)
    terms = a * (2 * math.pi / b * k0(x) + 2 * math.pi**2 * r / b**1.5 * k1(x))
    return np.asarray(VOLT * terms.sum(axis=-1))


def scattered_wave(symbol: str, k: NDArray[np.floating], optics: Optics) -> NDArray[np.complex128]:
    """Fourier transform [Å²] of exp(i σ v) − 1, σ v being the phase shift by one atom.

    It is integrated on radii that crowd at the nucleus, so that it does not depend on a grid of pixels.

    Parameters
    ----------
    k : 1/Å, spatial frequencies, any shape.
    """
    flat = np.asarray(k, dtype=float)
    known, values = _radial_wave(symbol, optics.interaction, float(2 ** math.ceil(math.log2(flat.max()))))
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(known, values)(flat))


@cache
def _radial_wave(
    symbol: str, interaction: float, k_max: float
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    from scipy.special import j0

    t = (np.arange(_N_RADII) + 0.5) / _N_RADII
    r = _FAR * t**3
    weight = 3 * _FAR * t**2 / _N_RADII * r * 2 * math.pi
    wave = np.expm1(1j * interaction * projected_potential(symbol, r)) * weight
    k = np.linspace(0, k_max, _N_ANGLES)
    return k, np.array([(wave * j0(2 * math.pi * one * r)).sum() for one in k])
