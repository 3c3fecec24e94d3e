"""The light of a column alone: background and neighbours taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ..crystal.contrast import Floats, blur_within, flatten
from ..crystal.perfect_crystal import PerfectCrystal
from .local_reference import LocalReference, centre_all
from .significance import central_null

Array = NDArray[np.float64]
_BACKGROUND = 1.0  # √(cell area), width of the Gaussian that is taken for background
_KERNEL = 0.2  # nearest distances, width of the Gaussian through which a column is seen
_LEAST_KERNEL = 1.0  # px; a sharper one sees where the pixels lie
_LEAST_STRENGTH = 0.2  # of the lattice, where a ratio is still formed
_AROUND = 4.5  # √(cell area); nearer by, a defect would dim the lattice that it is compared with
FOLLOW = 0.25  # nearest distances, as far as a column is followed that the scan has shaken off its site


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnLight:
    """Brightness of every site in one channel.

    Parameters
    ----------
    excess : (n,) amplitude above what is usual nearby, in the unit of the image.
    ratio : (n,) brightness over that of the sublattice; of a hollow, 1 plus its light over the mean column's.
    followed : (n,) the same ratio where the column was really seen, if it was seen near its site.
    """

    excess: Array
    ratio: Array
    followed: Array


def measure_light(
    pixels: Floats, crystal: PerfectCrystal, channel: int, references: Sequence[LocalReference]
) -> ColumnLight:
    """The light of each column alone.

    Parameters
    ----------
    pixels : (y, x), standardised.
    channel : number of the detector.
    """
    sigma = kernel_width(crystal)
    flat = flatten(pixels, crystal.mask, sigma=_BACKGROUND * crystal.lattice.size)
    seen = blur_within(flat, crystal.mask, sigma=sigma)
    value = _sample(seen, crystal.sites.positions)
    response = Response(crystal, channel, sigma)
    excess = centre_all(response.separate(centre_all(value, references), crystal), references)
    shift = np.nan_to_num(crystal.offsets)
    length = np.maximum(np.hypot(*shift.T), 1e-12)
    shift *= np.minimum(1, FOLLOW * crystal.nearest / length)[:, None]
    gain = (_sample(seen, crystal.sites.positions + shift) - value) / float(response(np.zeros(1))[0])
    strength = crystal.distortion.strength_at(crystal.sites.positions, blur=_AROUND * crystal.lattice.size)
    strength = np.maximum(strength, _LEAST_STRENGTH)
    usual = np.array([central_null((value / strength)[r.members])[0] for r in references])
    amplitude = response.amplitudes(usual, crystal)[crystal.sites.sublattice] * strength
    return ColumnLight(excess=excess, ratio=1 + excess / amplitude, followed=1 + (excess + gain) / amplitude)


def kernel_width(crystal: PerfectCrystal) -> float:
    """Width [px] of the Gaussian through which a column is seen."""
    return max(_KERNEL * crystal.nearest, _LEAST_KERNEL)


def _sample(pixels: Floats, positions: Array) -> Array:
    return np.asarray(ndimage.map_coordinates(pixels, positions.T, order=3, mode="nearest"), dtype=float)


class Response:
    """What a column of unit amplitude adds at its own site and at its neighbours'."""

    def __init__(self, crystal: PerfectCrystal, channel: int, sigma: float) -> None:
        width = crystal.shapes[channel].sigma ** 2
        self._near = width + sigma**2
        self._far = self._near + (_BACKGROUND * crystal.lattice.size) ** 2
        self._width = width
        reach = int(np.ceil(4 * np.sqrt(self._far) / crystal.lattice.size))
        span = np.arange(-reach, reach + 1)
        self._cells = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 2)
        self._light = self._between_sublattices(crystal)

    def __call__(self, distance: Array) -> Array:
        """Light at a distance [px] from a Gaussian column, seen through the kernel."""
        square = distance**2 / 2
        return np.asarray(
            self._width
            * (np.exp(-square / self._near) / self._near - np.exp(-square / self._far) / self._far)
        )

    def _between_sublattices(self, crystal: PerfectCrystal) -> Array:
        """Light (to, from, cells) of one column on the sites of every sublattice around it.

        Columns light up hollows too, not the other way round.
        """
        sublattices = crystal.sublattices
        light = np.zeros((len(sublattices), len(sublattices), len(self._cells)))
        home = np.flatnonzero((self._cells == 0).all(axis=1))
        for s, to in enumerate(sublattices):
            if to.hollow:
                light[s, s, home] = self(np.zeros(1))
            for t, source in enumerate(crystal.columns):
                places = crystal.lattice.positions(self._cells + to.fraction - source.fraction)
                light[s, t] = self(np.linalg.norm(places, axis=1))
        return light

    def amplitudes(self, usual: Array, crystal: PerfectCrystal) -> Array:
        """Amplitude (sublattices,) of columns that together look like `usual`; of a hollow, their mean."""
        n = len(crystal.columns)
        columns = np.linalg.solve(self._light[:n, :n].sum(axis=2), usual[:n])
        weakest = 1e-3 * float(np.abs(columns).max())
        amplitudes = np.full(len(usual), max(float(columns.mean()), weakest))
        amplitudes[:n] = np.maximum(columns, weakest)
        return amplitudes

    def separate(self, excess: Array, crystal: PerfectCrystal) -> Array:
        """Amplitudes whose summed light is `excess`: a convolution over cells, inverted by Fourier."""
        sites, n_sub = crystal.sites, len(crystal.sublattices)
        low, reach = sites.cells.min(axis=0), int(self._cells.max())
        shape = tuple(fft.next_fast_len(int(n) + reach) for n in np.ptp(sites.cells, axis=0) + 1)
        kernel = np.zeros((n_sub, n_sub, *shape))
        np.add.at(kernel, (slice(None), slice(None), *(self._cells % shape).T), self._light)
        grid = np.zeros((n_sub, *shape))
        at = (sites.sublattice, *(sites.cells - low).T)
        grid[at] = excess
        spread = np.moveaxis(fft.fft2(kernel), (0, 1), (-2, -1))
        seen = np.moveaxis(fft.fft2(grid), 0, -1)
        amplitude = np.linalg.solve(spread, seen[..., None])[..., 0]
        return np.asarray(fft.ifft2(np.moveaxis(amplitude, -1, 0)).real[at])
