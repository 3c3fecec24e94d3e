"""How much the columns of an image are blurred beyond what atoms, probe and detector do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from ..crystals.crystal import Crystal
from ..scattering.responses import Responses
from .crystal_in_image import CrystalImage, Setting, Waves
from .probe_source import MOST, ProbeSource

Array = NDArray[np.float64]
_TRIED = (0.2, 0.5, 0.8, 1.2)  # Å, sizes of the source with which orientations are compared
_GRID = 48  # places of the cell's corner along each cell vector, tried before the fit
_AS_GOOD = 1.02  # times the least misfit: not told apart
_WIDEST = 3.0  # Å, of a source
_UNWANTED = 0.01  # misfit that an aberration of 1 rad must save, or it is left out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedBlur:
    """How the crystal lies, and the light it gave.

    Parameters
    ----------
    setting : the crystal's cell in the image.
    corner : (2,) px, a corner of a cell, before distortion.
    source : of the probe.
    contrast : (n_channels,) value per share of the beam.
    signal, vacuum : (n_channels,) mean share of the beam that the crystal, and no specimen, would send.
    misfit : (n_channels,) root mean square of mean cell less model, over that of the mean cell.
    waves : (n_channels, n) of the model, in values.
    """

    setting: Setting
    corner: Array
    source: ProbeSource
    contrast: Array
    signal: Array
    vacuum: Array
    misfit: Array
    waves: Waves


def fit_blur(
    found: CrystalImage,
    settings: Sequence[Setting],
    crystal: Crystal,
    responses: Responses,
    *,
    pixel_size: float,
    aperture: float,
    blurred: ArrayLike = (0.0, 0.0),
) -> FittedBlur:
    """The orientation whose columns are as bright as those of the image, and the size of the source.

    Parameters
    ----------
    settings : ways in which the crystal may lie, preferred ones first.
    responses : of the crystal's columns, without source size.
    aperture : 1/Å, of the probe.
    blurred : px², variances along y and x of blur that is known already; negative: of sharpening.
    """
    q = found.index @ found.lattice.reciprocal / pixel_size
    columns = _transform(responses, q)
    known = np.exp(-2 * (np.pi * pixel_size) ** 2 * (q**2 @ np.asarray(blurred)))
    area = abs(np.linalg.det(crystal.cell))

    def light(setting: Setting) -> Waves:
        phase = np.exp(-2j * np.pi * crystal.fractions @ (setting.steps @ found.index.T))
        return np.asarray((columns * phase[:, None]).sum(axis=0) * known / area)

    setting, size, corner = _best_setting(found, settings, light, q)
    sharp = light(setting)

    def model_of(x: Array) -> Waves:
        return np.asarray(sharp * _source(x[2:], aperture).transfer(q) * _moved(found, x[:2]))

    # Corner, size, two components of the smear, seven aberrations.
    start = np.array([*corner, size, 0, 0, 0.3, *[0.05] * 6])
    low = np.array([*(corner - 0.5), 0, -1, -1, *[-MOST] * 7])
    high = np.array([*(corner + 0.5), _WIDEST, 1, 1, *[MOST] * 7])
    penalty = _UNWANTED / np.sqrt(7)

    def miss(x: Array) -> Array:
        return np.concatenate([_difference(found, model_of(x)), penalty * x[5:]])

    x = least_squares(miss, start, bounds=(low, high), x_scale=0.1, max_nfev=60).x
    model = model_of(x)
    contrast = _contrast(found.waves, model)
    return FittedBlur(
        setting=setting,
        corner=found.lattice.positions(x[:2]),
        source=_source(x[2:], aperture),
        contrast=contrast,
        signal=responses.values.sum(axis=(0, 2, 3), dtype=float) * responses.step**2 / area,
        vacuum=responses.vacuum,
        misfit=_misfit(found, model),
        waves=contrast[:, None] * model,
    )


def _transform(responses: Responses, q: Array) -> Waves:
    """(n_columns, n_channels, n) Fourier transforms [Å²] of the tables at q (n, 2) 1/Å."""
    axis = responses.step * (np.arange(responses.values.shape[-1]) - responses.values.shape[-1] // 2)
    along_y, along_x = (np.exp(-2j * np.pi * np.outer(part, axis)) for part in q.T)
    rows = np.tensordot(responses.values.astype(float), along_x, axes=(3, 1))
    return np.asarray(np.einsum("cdyn,ny->cdn", rows, along_y) * responses.step**2)


def _best_setting(
    found: CrystalImage, settings: Sequence[Setting], light: Callable[[Setting], Waves], q: Array
) -> tuple[Setting, float, Array]:
    """The setting that fits best, or an earlier one as good; size of the source; the cell's corner."""
    tried = []
    for setting in settings:
        sharp = light(setting)
        own = []
        for size in _TRIED:
            model = sharp * ProbeSource(size=size).transfer(q)
            corner = _best_corner(found, model)
            own.append((float(_misfit(found, model * _moved(found, corner)).mean()), size, corner))
        tried.append((setting, *min(own, key=lambda one: one[0])))
    least = min(misfit for _, misfit, _, _ in tried)
    return next((s, size, corner) for s, misfit, size, corner in tried if misfit <= _AS_GOOD * least)


def _source(x: Array, aperture: float) -> ProbeSource:
    """Of size, two components of the smear, and the aberrations."""
    return ProbeSource(
        size=float(x[0]),
        smear=float(np.sqrt(np.hypot(x[1], x[2]))),
        direction=float(np.arctan2(x[2], x[1]) / 2 % np.pi),
        aberrations=tuple(map(float, x[3:])),
        aperture=aperture,
    )


def _moved(found: CrystalImage, corner: Array) -> Waves:
    return np.asarray(np.exp(-2j * np.pi * found.index @ corner))


def _best_corner(found: CrystalImage, model: Waves) -> Array:
    """(2,) fractions of the image's lattice at which a cell's corner fits best."""
    weight = 1 / np.sqrt((np.abs(found.waves) ** 2).sum(axis=1) * (np.abs(model) ** 2).sum(axis=1) + 1e-300)
    spectrum = np.zeros((_GRID, _GRID), complex)
    np.add.at(
        spectrum, tuple(found.index.T % _GRID), (weight[:, None] * found.waves * model.conj()).sum(axis=0)
    )
    match = np.fft.ifft2(spectrum).real
    return np.array(np.unravel_index(int(np.argmax(match)), match.shape)) / _GRID


def _contrast(waves: Waves, model: Waves) -> Array:
    """(n_channels,) by which the model is multiplied to fit best."""
    own = np.maximum((np.abs(model) ** 2).sum(axis=1), 1e-300)
    return np.asarray(np.maximum((waves * model.conj()).real.sum(axis=1) / own, 0))


def _difference(found: CrystalImage, model: Waves) -> Array:
    """(m,) model less mean cell, over the root mean square of the mean cell of each channel."""
    size = np.sqrt((np.abs(found.waves) ** 2).sum(axis=1, keepdims=True))
    left = ((_contrast(found.waves, model)[:, None] * model - found.waves) / size).ravel()
    return np.concatenate([left.real, left.imag])


def _misfit(found: CrystalImage, model: Waves) -> Array:
    left = np.abs(_contrast(found.waves, model)[:, None] * model - found.waves) ** 2
    return np.asarray(np.sqrt(left.sum(axis=1) / (np.abs(found.waves) ** 2).sum(axis=1)))
