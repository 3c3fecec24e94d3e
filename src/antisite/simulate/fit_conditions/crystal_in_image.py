"""A known crystal found in an image: its cell in pixels, and the mean cell as a Fourier sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...crystal.cell import half_plane
from ...crystal.contrast import Floats, Mask, flatten, standardise
from ...crystal.distortion import Distortion, fit_distortion
from ...crystal.lattice import Lattice, fit_lattice
from ...crystal.spacing import estimate_spacing, measure_spectrum
from ...errors import InputError, NoLatticeError
from ...image import Image
from ..crystals.crystal import Crystal
from .clipped_values import Clipping

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]
_SMOOTHINGS = (0.8, 2.0, 4.0)  # px, of the image whose spacing is measured
_LEAST_STRENGTH = 0.6  # of the typical strength of the lattice; weaker is another grain, or dirt
_MOST_DISTORTED = 0.15  # by which scan and drift may stretch a crystal along one direction more than another
_AS_GOOD = 0.05  # more stretch than the least, which brightness may overrule
_FINEST = 0.45  # 1/px, of either component of a reflection
_BINS = 64  # along each cell vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrystalImage:
    """The mean cell of a crystal in an image, as a Fourier sum.

    Parameters
    ----------
    lattice : of the image.
    distortion : of the image, against the lattice.
    clear : (y, x), True where the crystal is undisturbed.
    index : (n, 2) reflections of the lattice, of each opposite pair one.
    waves : (n_channels, n), mean of value × exp(−2πi index·fractions) over the clear pixels.
    level : (n_channels,) mean value of the clear pixels.
    """

    lattice: Lattice
    distortion: Distortion
    clear: Mask
    index: NDArray[np.int_]
    waves: Waves
    level: Array

    def draw(self) -> Floats:
        """(n_channels, y, x), the mean cell laid out over the image, its mean 0."""
        place = (_fractions(_pixels(self.clear.shape), self.lattice, self.distortion) % 1 * _BINS).T
        drawn = [ndimage.map_coordinates(cell, place, order=3, mode="grid-wrap") for cell in self.cells()]
        return np.array(drawn, np.float32).reshape(-1, *self.clear.shape)

    def cells(self) -> Array:
        """(n_channels, 64, 64), the mean cell along `a` and `b`, its mean 0."""
        spectrum = np.zeros((len(self.waves), _BINS, _BINS), complex)
        spectrum[:, *self.index.T] = self.waves
        return np.asarray(2 * np.fft.ifft2(spectrum).real * _BINS**2)

    def mapped(self, clippings: Sequence[Clipping]) -> CrystalImage:
        """The mean cell as it would be if no values had been cut off."""
        cells = np.array(
            [np.interp(cell, c.seen, c.restored) for cell, c in zip(self.cells(), clippings, strict=True)]
        )
        was_cut = np.array([(c.seen != c.restored).any() for c in clippings])
        waves = np.fft.fft2(cells)[:, *self.index.T] / _BINS**2
        return replace(
            self,
            waves=np.where(was_cut[:, None], waves, self.waves),
            level=self.level + np.where(was_cut, cells.mean(axis=(1, 2)), 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """One way in which a crystal's lattice lies on that of an image.

    Parameters
    ----------
    steps : (2, 2) whole numbers, rows: the crystal's `a` and `b` in vectors of the image's lattice.
    cell : (2, 2) px, the crystal's `a` and `b` in the image.
    stretch : by how much it is longer along one direction than along another.
    mirrored : whether the crystal is seen from behind.
    """

    steps: NDArray[np.int_]
    cell: Array
    stretch: float
    mirrored: bool


def find_crystal(image: Image) -> CrystalImage:
    """The lattice of most of an image, and its mean cell on every detector.

    Raises
    ------
    NoLatticeError
        The image has none.
    """
    mean = np.mean([standardise(channel, image.mask) for channel in image.channels], axis=0)
    mean = np.asarray(mean, np.float32)
    lattice = _lattice(mean, image.mask)
    flat = flatten(mean, image.mask, sigma=2 * lattice.size)
    lattice, distortion = fit_distortion(flat, image.mask, lattice)
    at = _pixels(image.shape)
    strength = distortion.strength_at(at).reshape(image.shape)
    clear = ~image.mask & (strength > _LEAST_STRENGTH)
    if not clear.any():
        raise NoLatticeError("no lattice found: no part of the image shows it clearly")
    index = _reflections(lattice, _FINEST)
    fractions = _fractions(at[clear.ravel()], lattice, distortion)
    waves = [
        _mean_waves(flatten(channel, image.mask, sigma=2 * lattice.size)[clear], fractions, index)
        for channel in image.channels
    ]
    return CrystalImage(
        lattice=lattice,
        distortion=distortion,
        clear=clear,
        index=index,
        waves=np.array(waves),
        level=image.channels[:, clear].mean(axis=1, dtype=float),
    )


def find_settings(lattice: Lattice, crystal: Crystal) -> list[Setting]:
    """All ways in which the crystal may lie in the image, the least stretched first.

    Raises
    ------
    InputError
        There is none: it is another crystal, or seen along another axis.
    """
    found = []
    for numbers in product(range(-2, 3), repeat=4):
        steps = np.array(numbers).reshape(2, 2)
        if abs(round(float(np.linalg.det(steps)))) != 1:
            continue
        cell = steps @ lattice.vectors
        change = np.linalg.solve(crystal.cell, cell)
        long, short = np.linalg.svd(change, compute_uv=False)
        mirrored = bool(np.linalg.det(change) < 0)
        found.append(Setting(steps=steps, cell=cell, stretch=float(long / short - 1), mirrored=mirrored))
    found.sort(key=lambda setting: (round(setting.stretch, 6), setting.mirrored))
    least = found[0].stretch
    if least > _MOST_DISTORTED:
        a, b = lattice.lengths
        raise InputError(
            f"the crystal must have the lattice of the image, got {crystal.name} for one of {a:.2f} × "
            f"{b:.2f} px and {np.degrees(lattice.gamma):.0f}°, which would stretch it by {100 * least:.0f} % "
            f"(another crystal or zone axis?)"
        )
    return [s for s in found if s.stretch < min(least + _AS_GOOD, _MOST_DISTORTED + 1e-9)]


def _lattice(mean: Floats, mask: Mask) -> Lattice:
    overview = measure_spectrum(flatten(mean, mask, sigma=max(mean.shape) / 24), mask)
    reason = NoLatticeError("no lattice found: no shift returns the image onto itself")
    for smoothing in _SMOOTHINGS:
        spacing = estimate_spacing(overview, smoothing=smoothing)
        if np.isfinite(spacing):
            try:
                return fit_lattice(overview, spacing=spacing)
            except NoLatticeError as error:
                reason = error
    raise reason


def _pixels(shape: tuple[int, ...]) -> Array:
    """(y × x, 2) px, the places of all pixels."""
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2).astype(float)


def _fractions(at: Array, lattice: Lattice, distortion: Distortion) -> Array:
    """(m, 2) fractions of the cell at places (m, 2) px, distortion taken off."""
    return lattice.fractions(at - distortion.at(at))


def _reflections(lattice: Lattice, finest: float) -> NDArray[np.int_]:
    most = int(np.ceil(finest * np.sqrt(2) * max(lattice.lengths)))
    most = min(most, 12)
    index = half_plane(most)
    return np.asarray(index[np.abs(index @ lattice.reciprocal).max(axis=1) < finest])


def _mean_waves(values: Floats, fractions: Array, index: NDArray[np.int_]) -> Waves:
    """Coefficients (n,) of the periodic function nearest to values (m,) at fractions (m, 2).

    Pixels meet the cell unevenly where its vectors are nearly whole numbers of pixels.
    """
    bins = (fractions % 1 * _BINS).astype(int) % _BINS
    where = bins[:, 0] * _BINS + bins[:, 1]
    total, count = (
        np.fft.fft2(np.bincount(where, weights, _BINS**2).reshape(_BINS, _BINS))
        for weights in (values.astype(float), None)
    )
    both = np.concatenate([[[0, 0]], index, -index])
    difference = (both[:, None] - both[None]) % _BINS
    normal = count[difference[..., 0], difference[..., 1]] / len(values)
    right = total[tuple((both % _BINS).T)] / len(values)
    found = np.linalg.solve(normal + 1e-6 * np.eye(len(both)), right)[1 : len(index) + 1]
    middle = np.exp(-1j * np.pi / _BINS * index.sum(axis=1))  # bins stand for their middles
    return np.asarray(found * middle / np.sinc(index / _BINS).prod(axis=1))
