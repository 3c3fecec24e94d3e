"""What the size of the source and small aberrations take from the waves of an image."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]
MOST = 3.0
"""Rad of phase at the rim of the aperture, the most of an aberration that a fit allows."""
_NAMES = ("defocus", *["twofold astigmatism"] * 2, *["coma"] * 2, *["threefold astigmatism"] * 2)
_AT_LIMIT = 0.98  # of the most: fits stop short of it
_GRID = 64  # points across twice the diameter of the aperture
_LEAST = 0.02  # of the light; finer waves are lost anyhow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSource:
    """How an image differs from one with a point-like source and the aberrations of the optics.

    Aberrations act as they do on an image that is linear in the probe's intensity.

    Parameters
    ----------
    size : Å, standard deviation of the source along the direction in which it is smallest.
    smear : Å, further standard deviation along a direction.
    direction : rad, of that, from +x towards +y.
    aberrations : rad of phase at the rim of the aperture: defocus; twofold astigmatism (cos, sin of 2φ); coma
        (of φ); threefold astigmatism (of 3φ), with φ from +x towards +y.
    aperture : 1/Å, radius of the aperture: convergence over wavelength.
    """

    size: float = 0.0
    smear: float = 0.0
    direction: float = 0.0
    aberrations: tuple[float, ...] = (0.0,) * 7
    aperture: float = 1.0

    @property
    def at_limit(self) -> tuple[str, ...]:
        """Names of the aberrations that are as large as a fit allows.

        Examples
        --------
        >>> ProbeSource(aberrations=(2.0, 0.0, -3.0, 0.0, 0.0, 0.0, 0.0)).at_limit
        ('twofold astigmatism',)
        """
        far = (
            name
            for name, phase in zip(_NAMES, self.aberrations, strict=True)
            if abs(phase) >= _AT_LIMIT * MOST
        )
        return tuple(dict.fromkeys(far))

    def transfer(self, q: Array, *, without: float = 0.0) -> Waves:
        """(…,) what is left of waves q (…, 2) 1/Å as (y, x).

        Parameters
        ----------
        without : Å, standard deviation of a round blur that was done already.
        """
        along = q @ np.array([np.sin(self.direction), np.cos(self.direction)])
        square = (q**2).sum(axis=-1)
        blur = (self.size**2 - without**2) * square + self.smear**2 * along**2
        left: Waves = np.exp(-2 * np.pi**2 * blur).astype(complex)
        if any(self.aberrations):
            left *= _share_left(self.aberrations, q / self.aperture)
        return left


def _share_left(aberrations: tuple[float, ...], reach: Array) -> Waves:
    """Transfer of a probe with aberrations over that without; `reach` in radii of the aperture."""
    spectra = [_transfer_of(phase) for phase in (aberrations, (0.0,) * len(aberrations))]
    at = np.moveaxis(reach, -1, 0) * _GRID / 4 + _GRID / 2
    bad, ideal = (
        ndimage.map_coordinates(s.real, at, order=1, mode="nearest")
        + 1j * ndimage.map_coordinates(s.imag, at, order=1, mode="nearest")
        for s in spectra
    )
    return np.asarray(bad / np.maximum(ideal.real, _LEAST))


@functools.lru_cache(maxsize=64)
def _transfer_of(aberrations: tuple[float, ...]) -> Waves:
    """Autocorrelation of the aperture, on a grid from −2 to 2 radii, 1 in the middle."""
    axis = (np.arange(_GRID) - _GRID / 2) * 4 / _GRID
    y, x = np.meshgrid(axis, axis, indexing="ij")
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    c1, a1, b1, a2, b2, a3, b3 = aberrations
    phase = radius**2 * (c1 + a1 * np.cos(2 * angle) + b1 * np.sin(2 * angle))
    phase += radius**3 * (a2 * np.cos(angle) + b2 * np.sin(angle))
    phase += radius**3 * (a3 * np.cos(3 * angle) + b3 * np.sin(3 * angle))
    rim = np.clip((1 - radius) * _GRID / 4 + 0.5, 0, 1)
    intensity = np.abs(np.fft.ifft2(np.fft.ifftshift(rim * np.exp(-1j * phase)))) ** 2
    spectrum = np.fft.fftshift(np.fft.fft2(intensity))
    return np.asarray(spectrum / spectrum[_GRID // 2, _GRID // 2].real)
