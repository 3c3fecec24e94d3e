"""The light of a column alone: background and neighbours taken away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ..crystal.contrast import Floats, blur, flatten
from ..crystal.perfect_crystal import PerfectCrystal
from .local_reference import LocalReference, centre_all

Array = NDArray[np.float64]
_BACKGROUND = 1.0  # √(cell area), width of the Gaussian that is taken for background
_KERNEL = 0.2  # nearest distances, width of the Gaussian through which a column is seen
_LEAST_KERNEL = 1.0  # px; a sharper one sees where the pixels lie
_FOLLOW = 0.25  # nearest distances, as far as a column is followed that the scan has shaken off its site


def measure_excess(
    pixels: Floats, crystal: PerfectCrystal, channel: int, references: Sequence[LocalReference]
) -> tuple[Array, Array]:
    """Amplitude of each column above what is usual nearby.

    Parameters
    ----------
    pixels : (y, x), standardised.
    channel : number of the detector.

    Returns
    -------
    excess : (n,) at the site, in the unit of the image.
    followed : (n,) at the place where the column was seen, if it was seen near its site.
    """
    sigma = max(_KERNEL * crystal.nearest, _LEAST_KERNEL)
    seen = blur(flatten(pixels, crystal.mask, sigma=_BACKGROUND * crystal.lattice.size), sigma=sigma)
    value = _sample(seen, crystal.sites.positions)
    response = Response(crystal, channel, sigma)
    excess = centre_all(response.separate(centre_all(value, references), crystal), references)
    shift = np.nan_to_num(crystal.offsets)
    length = np.maximum(np.hypot(*shift.T), 1e-12)
    shift *= np.minimum(1, _FOLLOW * crystal.nearest / length)[:, None]
    gain = _sample(seen, crystal.sites.positions + shift) - value
    return excess, excess + gain / float(response(np.zeros(1))[0])


def relative_brightness(excess: Array, crystal: PerfectCrystal, channel: int) -> Array:
    """Brightness (n,) over that of the sublattice where the lattice is as strong as here.

    Of a hollow, 1 plus its excess over the mean column.
    """
    amplitudes = np.full(len(crystal.sublattices), crystal.shapes[channel].amplitudes.mean())
    amplitudes[: len(crystal.columns)] = crystal.shapes[channel].amplitudes
    strength = np.clip(crystal.distortion.strength_at(crystal.sites.positions), 0.5, 1.5)
    return 1 + excess / (amplitudes[crystal.sites.sublattice] * strength)


def _sample(pixels: Floats, positions: Array) -> Array:
    return np.asarray(ndimage.map_coordinates(pixels, positions.T, order=3, mode="nearest"), dtype=float)


class Response:
    """What a column of unit amplitude adds at its own site and at its neighbours'."""

    def __init__(self, crystal: PerfectCrystal, channel: int, sigma: float) -> None:
        width = crystal.shapes[channel].sigma ** 2
        self._near = width + sigma**2
        self._far = self._near + (_BACKGROUND * crystal.lattice.size) ** 2
        self._width = width

    def __call__(self, distance: Array) -> Array:
        """Light at a distance [px] from a Gaussian column, seen through the kernel."""
        square = distance**2 / 2
        return np.asarray(
            self._width
            * (np.exp(-square / self._near) / self._near - np.exp(-square / self._far) / self._far)
        )

    def separate(self, excess: Array, crystal: PerfectCrystal) -> Array:
        """Amplitudes whose summed light is `excess`: a convolution over cells, inverted by Fourier."""
        sites, n_sub = crystal.sites, len(crystal.sublattices)
        columns = [k for k, s in enumerate(crystal.sublattices) if not s.hollow]
        reach = int(np.ceil(3 * np.sqrt(self._far) / crystal.lattice.size))
        low = sites.cells.min(axis=0)
        shape = tuple(fft.next_fast_len(int(n) + reach) for n in np.ptp(sites.cells, axis=0) + 1)
        span = np.arange(-reach, reach + 1)
        cells = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 2)
        kernel = np.zeros((n_sub, n_sub, *shape))
        for s in range(n_sub):  # columns light up hollows too, not the other way round
            for t in columns:
                place = crystal.sublattices[s].fraction - crystal.sublattices[t].fraction
                light = self(np.linalg.norm(crystal.lattice.positions(cells + place), axis=1))
                np.add.at(kernel[s, t], tuple((cells % shape).T), light)
        for k in set(range(n_sub)) - set(columns):
            kernel[k, k, 0, 0] = float(self(np.zeros(1))[0])
        grid = np.zeros((n_sub, *shape))
        at = (sites.sublattice, *(sites.cells - low).T)
        grid[at] = excess
        spread = np.moveaxis(fft.fft2(kernel), (0, 1), (-2, -1))
        seen = np.moveaxis(fft.fft2(grid), 0, -1)
        amplitude = np.linalg.solve(spread, seen[..., None])[..., 0]
        return np.asarray(fft.ifft2(np.moveaxis(amplitude, -1, 0)).real[at])
