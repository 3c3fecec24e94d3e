"""A probe through a few columns, slice by slice: how much of it reaches each detector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .optics import Optics
from .potentials import scattered_wave, scattering_factor
from .probe import WaveGrid

_VOLT = 47.87801  # V Å²
_BATCH = 2  # probes at a time: small enough for the cache of a processor


@dataclass(frozen=True, slots=True)
class PlacedAtom:
    """An atom in the box.

    Parameters
    ----------
    height : Å along the beam.
    y, x : Å from the middle of the table.
    """

    symbol: str
    height: float
    y: float = 0.0
    x: float = 0.0


def collect(
    atoms: Iterable[PlacedAtom],
    probes: NDArray[np.floating],
    optics: Optics,
    *,
    size: float,
    sampled: bool = False,
) -> NDArray[np.float64]:
    """Share of the beam that atoms send to each detector, less what reaches it without them.

    Multislice after J. M. Cowley and A. F. Moodie, Acta Cryst. 10, 609 (1957): every height is a slice.

    Parameters
    ----------
    atoms : near the origin.
    probes : (N, 2) Å (y, x), where the probe stands.
    size : Å, edge of the periodic box.
    sampled : potentials are put on the points of the grid, as multislice programs do, and are as coarse as
        that; otherwise the phase shift of each atom is exact.

    Returns
    -------
    NDArray
        (n_detectors, N)
    """
    grid = WaveGrid(optics, size, coarse=sampled)
    axis, band = grid.axis, grid.band
    slices = _slices(atoms, grid, sampled)
    probe, rings = grid.probe(), grid.detectors().reshape(len(optics.detectors), -1)
    outgoing = -1j * math.pi * optics.wavelength * grid.frequency**2
    steps = [np.where(band, np.exp(outgoing * gap), 0).astype(np.complex64) for _, gap in slices]
    steps.append(band.astype(np.complex64))
    collected = np.empty((len(optics.detectors), len(probes)))
    for start in range(0, len(probes), _BATCH):
        at = slice(start, start + _BATCH)
        shift = np.exp(-2j * math.pi * axis * np.asarray(probes)[at, :, None])
        wave = (probe * steps[0] * shift[:, 0, :, None] * shift[:, 1, None, :]).astype(np.complex64)
        for (transmission, _), step in zip(slices, steps[1:], strict=True):
            wave = _pass(wave, transmission, step)
        arrived = (wave.real**2 + wave.imag**2).reshape(len(wave), -1)
        collected[:, at] = rings @ arrived.T
    unscattered = rings @ (np.abs(probe) ** 2).reshape(-1)
    return np.asarray(collected - unscattered[:, None])


def _pass(
    wave: NDArray[np.complex64], transmission: NDArray[np.complex64], step: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """Waves (frequencies) behind a slice and a gap."""
    from scipy.fft import fft2, ifft2

    wave = ifft2(wave, overwrite_x=True)
    wave *= transmission
    wave = fft2(wave, overwrite_x=True)
    wave *= step
    return wave


def _slices(
    atoms: Iterable[PlacedAtom], grid: WaveGrid, sampled: bool
) -> list[tuple[NDArray[np.complex64], float]]:
    """Transmission of each slice, and the gap [Å] between it and the one before."""
    by_height: dict[float, list[PlacedAtom]] = {}
    for atom in atoms:
        by_height.setdefault(atom.height, []).append(atom)
    passed, last = [], 0.0
    for height in sorted(by_height):
        together = _sampled if sampled else _exact
        passed.append((together(by_height[height], grid).astype(np.complex64), height - last))
        last = height
    return passed


def _shift(atom: PlacedAtom, axis: NDArray[np.float64]) -> NDArray[np.complex128]:
    turns = -2j * math.pi
    return np.asarray(np.exp(turns * axis * atom.y)[:, None] * np.exp(turns * axis * atom.x))


def _exact(atoms: list[PlacedAtom], grid: WaveGrid) -> NDArray[np.complex128]:
    """Product of the atoms' transmissions, each without what the grid cannot hold."""
    product = np.ones((grid.n, grid.n), dtype=np.complex128)
    for atom in atoms:
        wave = np.where(grid.band, scattered_wave(atom.symbol, grid.frequency, grid.optics), 0)
        product *= 1 + np.fft.ifft2(wave * _shift(atom, grid.axis)) * (grid.n / grid.size) ** 2
    return product


def _sampled(atoms: list[PlacedAtom], grid: WaveGrid) -> NDArray[np.complex128]:
    """exp(i σ v) of potentials at the points of the grid.

    Each is made as abTEM does, whose correction for the width of a pixel is sin(x) / x with x the frequency
    times the pixel.
    """
    pixel = grid.size / grid.n
    width = np.sinc(grid.frequency * pixel / math.pi)
    potential = sum(
        scattering_factor(atom.symbol, grid.frequency) * _shift(atom, grid.axis) / width for atom in atoms
    )
    phase = grid.optics.interaction * _VOLT / pixel**2 * np.fft.ifft2(potential).real
    return np.asarray(np.fft.ifft2(np.where(grid.band, np.fft.fft2(np.exp(1j * phase)), 0)))
