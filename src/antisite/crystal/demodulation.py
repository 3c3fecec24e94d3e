"""Local amplitude and phase of a frequency, all over the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .contrast import Floats, Mask

Array = NDArray[np.float64]
WINDOW = 2.0  # √(cell area), standard deviation of the window in which a phase is measured


class Demodulator:
    """Local complex amplitude of any frequency, from one Fourier transform of the image."""

    def __init__(self, flat: Floats, mask: Mask, *, sigma: float, oversampling: float = 1.0) -> None:
        margin = int(np.ceil(3 * sigma))
        self.padded = tuple(int(fft.next_fast_len(n + margin, real=True)) for n in flat.shape)
        self.width = 1 / (2 * np.pi * sigma)
        half = [int(np.ceil(3.5 * self.width * n)) for n in self.padded]
        self.bins = [np.arange(-h, h + 1) for h in half]
        self.size = tuple(2 * int(np.ceil(oversampling * h)) + 1 for h in half)
        self.step = (self.padded[0] / self.size[0], self.padded[1] / self.size[1])
        self.nodes = tuple(int((n - 1) / s) + 1 for n, s in zip(flat.shape, self.step, strict=True))
        good = (~mask).astype(np.float32)
        self._spectrum = fft.rfft2(good, self.padded)
        self.weight: Array = np.abs(self._window(np.zeros(2)))
        self._spectrum = fft.rfft2(flat * good, self.padded)

    def __call__(self, g: Array) -> NDArray[np.complex128]:
        """Amplitude (m, n) of frequency g, 1/px as (y, x): the image holds 2 Re(amplitude · exp(2πi g·r))."""
        return self._window(g) / np.maximum(self.weight, 0.05)

    def places(self) -> Array:
        """(m n, 2) px as (y, x), where the nodes lie."""
        return np.asarray(np.indices(self.nodes).reshape(2, -1).T * np.array(self.step))

    def ramp(self, g: Array) -> Array:
        """g·r at the nodes."""
        y, x = (np.arange(n) * s for n, s in zip(self.nodes, self.step, strict=True))
        return np.asarray(g[0] * y[:, None] + g[1] * x[None])

    def _window(self, g: Array) -> NDArray[np.complex128]:
        centre = np.round(g * self.padded).astype(int)
        y, x = centre[0] + self.bins[0][:, None], centre[1] + self.bins[1][None]
        distance = ((y / self.padded[0] - g[0]) ** 2 + (x / self.padded[1] - g[1]) ** 2) / self.width**2
        x = x % self.padded[1]
        other_half = x > self.padded[1] // 2  # a real image: the spectrum there is the conjugate of this one
        spots = self._spectrum[
            np.where(other_half, -y, y) % self.padded[0], np.where(other_half, self.padded[1] - x, x)
        ]
        spots = np.where(other_half, spots.conj(), spots) * np.exp(-distance / 2)
        room = np.zeros(self.size, dtype=spots.dtype)
        room[np.ix_(self.bins[0], self.bins[1])] = spots
        scale = room.size / np.prod(self.padded)
        wave = scale * fft.ifft2(room)[: self.nodes[0], : self.nodes[1]]
        return np.asarray(wave * np.exp(-2j * np.pi * self.ramp(g - centre / self.padded)))
