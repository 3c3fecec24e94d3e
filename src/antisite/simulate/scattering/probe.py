"""The focused probe on a grid of plane waves, and what of it an annular detector sees."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .optics import Optics
from .potentials import VOLT, scattered_wave, scattering_factor

_ROOM = 1.028
_LEAST_ANGLE = 200.0  # mrad, followed at least: what is scattered there comes back by scattering again


@dataclass(frozen=True, eq=False)
class WaveGrid:
    """A square box with periodic edges, as fine as the widest detector asks.

    Products of two waves that reach to two thirds of the highest frequency fold back only beyond it.

    Parameters
    ----------
    optics : what the waves are of.
    size : Å, edge of the box.
    coarse : follow waves hardly beyond the widest detector, as multislice programs are commonly set;
        otherwise so far that none that it sees is cut.
    """

    optics: Optics
    size: float
    coarse: bool = False
    _atoms: dict[str, NDArray[np.number]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def n(self) -> int:
        """Points along an edge."""
        from scipy.fft import next_fast_len

        widest = max(_LEAST_ANGLE, *(detector.outer for detector in self.optics.detectors))
        followed = 1e-3 * (_ROOM * widest if self.coarse else widest + self.optics.convergence)
        return int(next_fast_len(math.ceil(3 * self.size * followed / self.optics.wavelength)))

    @cached_property
    def axis(self) -> NDArray[np.float64]:
        """(n,) 1/Å, frequencies in the order of the Fourier transform."""
        return np.asarray(np.fft.fftfreq(self.n, self.size / self.n))

    @cached_property
    def frequency(self) -> NDArray[np.float64]:
        """(n, n) 1/Å, of every plane wave."""
        return np.asarray(np.hypot(self.axis[:, None], self.axis))

    @cached_property
    def band(self) -> NDArray[np.bool_]:
        """(n, n), the frequencies that are followed."""
        return np.asarray(self.frequency < self.n / self.size / 3)

    @cached_property
    def probe(self) -> NDArray[np.complex128]:
        """(n, n) the probe at the origin, in frequencies; its total intensity is 1."""
        return probe_wave(self.optics, self.axis[:, None], self.axis, 1 / self.size)

    @cached_property
    def detectors(self) -> NDArray[np.float32]:
        """(n_detectors, n, n), share of each frequency that a detector collects."""
        angle = 1e3 * self.optics.wavelength * self.frequency
        return np.array(
            [(angle >= ring.inner) & (angle < ring.outer) for ring in self.optics.detectors], dtype=np.float32
        )

    def atom(self, symbol: str) -> NDArray[np.number]:
        """(n, n) what one atom at the origin does, in frequencies.

        On a coarse grid that is its phase shift at the points, made as abTEM does, whose correction for the
        width of a pixel is sin(x) / x with x the frequency times the pixel. Otherwise it is what the atom
        adds to the wave that passes.
        """
        if symbol not in self._atoms:
            density = (self.n / self.size) ** 2
            if self.coarse:
                width = np.sinc(self.frequency * self.size / self.n / math.pi)
                volts = VOLT * scattering_factor(symbol, self.frequency) / width
                self._atoms[symbol] = self.optics.interaction * density * volts
            else:
                wave = np.where(self.band, scattered_wave(symbol, self.frequency, self.optics), 0)
                self._atoms[symbol] = density * wave
        return self._atoms[symbol]


def probe_wave(
    optics: Optics, ky: NDArray[np.floating], kx: NDArray[np.floating], spacing: float | NDArray[np.floating]
) -> NDArray[np.complex128]:
    """The probe at the origin as plane waves, its total intensity 1.

    Parameters
    ----------
    ky, kx : 1/Å, frequencies that broadcast with each other.
    spacing : 1/Å between frequencies; the rim of the aperture is as wide.
    """
    angle = optics.wavelength * np.hypot(ky, kx)  # rad
    rim = optics.wavelength * spacing
    aperture = np.clip((1e-3 * optics.convergence - angle) / rim + 0.5, 0, 1)
    wave = aperture * np.exp(-1j * _aberration(optics, angle, np.arctan2(ky, kx)))
    return np.asarray(wave / math.sqrt(float((aperture**2).sum())))


def _aberration(
    optics: Optics, angle: NDArray[np.floating], direction: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Phase [rad], as in E. J. Kirkland, Advanced Computing in Electron Microscopy (2010), chapter 2."""
    (twofold, at), (coma, towards) = optics.astigmatism, optics.coma
    path = (
        0.5 * angle**2 * (twofold * np.cos(2 * (direction - at)) - optics.defocus)
        + angle**3 / 3 * coma * np.cos(direction - towards)
        + 0.25 * angle**4 * optics.cs
        + angle**6 / 6 * optics.c5
    )
    return np.asarray(2 * math.pi / optics.wavelength * path)
