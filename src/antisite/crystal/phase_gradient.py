"""Local amplitude of a wave and how it changes from place to place, fitted where the crystal is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtr

from .contrast import Floats, Mask, blur

Array = NDArray[np.float64]
Waves = NDArray[np.complexfloating]
_REACH = 4.0  # widths of the window in the spectrum that are kept
_AWAY = 2.0


class LocalWaves:
    """Value and gradient of the local amplitude of any frequency, from one Fourier transform of the image.

    Under a Gaussian window a constant and a slope are fitted to the demodulated pixels that count, so
    that a window which the mask or the frame cuts gives the same slope as a whole one. Pixels fade out
    towards mask and frame: a hard edge would let the other waves in.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.
    sigma : px, standard deviation of the window.
    fade : px, standard deviation of the edge over which the weight of pixels rises, two of these inside.
    """

    def __init__(self, flat: Floats, mask: Mask, *, sigma: float, fade: float) -> None:
        margin = math.ceil(3 * sigma)
        self.sigma = sigma
        self.padded = tuple(int(fft.next_fast_len(n + margin, real=True)) for n in flat.shape)
        half = [math.ceil(_REACH * n / (2 * np.pi * sigma)) for n in self.padded]
        self._bins = [np.arange(-h, h + 1) for h in half]
        size = [len(b) for b in self._bins]
        self.step = (self.padded[0] / size[0], self.padded[1] / size[1])
        self.nodes = tuple(int((n - 1) / s) + 1 for n, s in zip(flat.shape, self.step, strict=True))
        weight = _faded(mask, fade)
        self._solve(fft.rfft2(weight, self.padded))
        self._spectrum = fft.rfft2(flat * weight, self.padded)

    def __call__(self, g: Array) -> Waves:
        """(3, m, n): value, gradient along y and along x [1/px] of frequency g, 1/px as (y, x)."""
        zeroth, *first = self._moments(self._spectrum, g)
        first_y, first_x = (f - lean * zeroth for f, lean in zip(first, self._lean, strict=True))
        yy, yx, xx = self._inverse
        slope_y, slope_x = yy * first_y + yx * first_x, yx * first_y + xx * first_x
        value = zeroth / self._mass - self._lean[0] * slope_y - self._lean[1] * slope_x
        return np.stack([value, slope_y, slope_x])

    @property
    def positions(self) -> Array:
        """(m, n, 2) px as (y, x), the nodes."""
        axes = [np.arange(n) * s for n, s in zip(self.nodes, self.step, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    def _solve(self, spectrum: Waves) -> None:
        """What the fit needs of the weights; `hold` (m, n) is 1 where the window is whole, 0 where empty."""
        zero = np.zeros(2)
        mass, *lean = (moment.real for moment in self._moments(spectrum, zero))
        self._mass = np.maximum(mass, 1e-3)
        self._lean = [one / self._mass for one in lean]
        yy, yx, xx = (
            moment.real - self._mass * self._lean[i] * self._lean[j]
            for moment, (i, j) in zip(self._second(spectrum), ((0, 0), (0, 1), (1, 1)), strict=True)
        )
        least = (yy + xx) / 2 - np.hypot((yy - xx) / 2, yx)
        self.hold: Array = np.clip(least / self.sigma**2, 0, 1)
        rise = np.maximum(0.02 * self.sigma**2 - least, 0)  # where too little is seen, the slope goes to 0
        yy, xx = yy + rise, xx + rise
        determinant = yy * xx - yx**2
        self._inverse = xx / determinant, -yx / determinant, yy / determinant

    def _moments(self, spectrum: Waves, g: Array) -> list[Waves]:
        """Window times wave, and the same times the distance from the node along y and along x."""
        window, (fy, fx), turn = self._window(spectrum, g)
        factor = 2j * np.pi * self.sigma**2
        return [self._back(window * by) * turn for by in (1.0, factor * fy, factor * fx)]

    def _second(self, spectrum: Waves) -> list[Waves]:
        window, (fy, fx), _ = self._window(spectrum, np.zeros(2))
        far = 4 * np.pi**2 * self.sigma**4
        own = self.sigma**2
        return [self._back(window * by) for by in (own - far * fy**2, -far * fy * fx, own - far * fx**2)]

    def _window(self, spectrum: Waves, g: Array) -> tuple[Waves, tuple[Array, Array], Waves]:
        centre = np.round(g * self.padded).astype(int)
        y, x = centre[0] + self._bins[0][:, None], centre[1] + self._bins[1][None]
        fy, fx = y / self.padded[0] - g[0], x / self.padded[1] - g[1]
        column = x % self.padded[1]
        mirrored = column > self.padded[1] // 2
        column = np.where(mirrored, self.padded[1] - column, column)
        spots = spectrum[np.where(mirrored, -y, y) % self.padded[0], column]
        spots = np.where(mirrored, spots.conj(), spots)
        window = spots * np.exp(-2 * (np.pi * self.sigma) ** 2 * (fy**2 + fx**2))
        rest = g - centre / self.padded
        along = (np.arange(n) * s for n, s in zip(self.nodes, self.step, strict=True))
        turns = [np.exp(-2j * np.pi * r * place) for r, place in zip(rest, along, strict=True)]
        return window, (fy, fx), np.multiply.outer(*turns)

    def _back(self, window: Waves) -> Waves:
        scale = window.size / np.prod(self.padded)
        return np.asarray(scale * fft.ifft2(fft.ifftshift(window))[: self.nodes[0], : self.nodes[1]])


def _faded(mask: Mask, fade: float) -> Floats:
    """Weights that rise from 0 at the mask and at the frame to 1, by half `_AWAY` fades inside."""
    edges = [(np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / fade - _AWAY for n in mask.shape]
    weight = np.multiply.outer(*(ndtr(edge).astype(np.float32) for edge in edges))
    if mask.any():
        good = (~mask).astype(np.float32)
        inner = blur(good, sigma=fade) > ndtr(_AWAY)
        weight *= good * np.clip(blur(inner.astype(np.float32), sigma=fade), 0, 1)
    return weight
