from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from antisite.crystal.contrast import Floats, Mask, flatten, standardise
from antisite.crystal.distortion import Distortion, fit_distortion
from antisite.crystal.lattice import Lattice, fit_lattice
from antisite.crystal.spacing import Spectrum, estimate_spacing, measure_spectrum


@dataclass(frozen=True, kw_only=True)
class View:
    """What the first steps see of an image."""

    even: Floats
    mask: Mask
    spectrum: Spectrum
    spacing: float

    def lattice(self) -> Lattice:
        return fit_lattice(self.spectrum, spacing=self.spacing)

    def flat(self, lattice: Lattice) -> Floats:
        return flatten(self.even, self.mask, sigma=2 * lattice.size)

    def distorted(self) -> tuple[Floats, Lattice, Distortion]:
        lattice = self.lattice()
        flat = self.flat(lattice)
        return (flat, *fit_distortion(flat, self.mask, lattice))


def look(pixels: NDArray[np.floating], mask: Mask | None = None) -> View:
    """Standardised pixels, their spectrum and spacing, as the search itself begins."""
    mask = np.zeros(pixels.shape, dtype=bool) if mask is None else mask
    even = standardise(pixels.astype(np.float32), mask)
    spectrum = measure_spectrum(flatten(even, mask, sigma=max(even.shape) / 24), mask)
    return View(even=even, mask=mask, spectrum=spectrum, spacing=estimate_spacing(spectrum))


@pytest.fixture(name="look", scope="session")
def _look() -> Callable[..., View]:
    return look
