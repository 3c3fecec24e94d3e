"""How the noise of an image grows with its intensity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal

Array = NDArray[np.float64]
_LEAST_SITES = 20
_LEAST = 0.05  # of the largest variance seen; below it the straight line means nothing
_CROSS = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=np.float32) / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseGrowth:
    """Variance of the noise as a straight line of the intensity, as counting electrons makes it.

    Parameters
    ----------
    base, slope : variance at intensity 0 and per unit, in a unit of its own: only ratios mean anything.
    least : smallest variance.
    """

    base: float
    slope: float
    least: float

    def __call__(self, intensity: Array) -> Array:
        """Variance at each intensity."""
        return np.maximum(self.base + self.slope * intensity, self.least)


def measure_noise_growth(pixels: Floats, crystal: PerfectCrystal) -> NoiseGrowth:
    """Compare the fine grain of the image on bright columns, dim ones and hollows.

    Parameters
    ----------
    pixels : (y, x), standardised.
    """
    grain = ndimage.convolve(pixels, _CROSS, mode="nearest")
    at = np.clip(np.round(crystal.sites.positions).astype(int), 0, np.array(pixels.shape) - 1)
    fine, level = grain[at[:, 0], at[:, 1]].astype(float), pixels[at[:, 0], at[:, 1]].astype(float)
    seen = ~crystal.mask[at[:, 0], at[:, 1]]
    rows = []
    for k in range(len(crystal.sublattices)):
        own = seen & (crystal.sites.sublattice == k)
        if own.sum() >= _LEAST_SITES:
            spread = 1.4826 * np.median(np.abs(fine[own] - np.median(fine[own])))
            rows.append((float(np.median(level[own])), float(spread**2), np.sqrt(own.sum())))
    if len(rows) < 2:
        return NoiseGrowth(base=1.0, slope=0.0, least=1.0)
    x, variance, weight = np.array(rows).T
    slope, base = np.polyfit(x, variance, 1, w=weight / max(variance.max(), 1e-12))
    if slope <= 0:
        return NoiseGrowth(base=1.0, slope=0.0, least=1.0)
    return NoiseGrowth(base=float(base), slope=float(slope), least=_LEAST * float(variance.max()) or 1.0)
