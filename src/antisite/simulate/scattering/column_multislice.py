"""A probe through a few columns, slice by slice: how much of it reaches each detector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .probe import WaveGrid

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


def collect(atoms: Iterable[PlacedAtom], probes: NDArray[np.floating], grid: WaveGrid) -> NDArray[np.float64]:
    """Share of the beam that atoms send to each detector, less what reaches it without them.

    Multislice after J. M. Cowley and A. F. Moodie, Acta Cryst. 10, 609 (1957): every height is a slice.

    Parameters
    ----------
    atoms : near the origin.
    probes : (N, 2) Å (y, x), where the probe stands.
    grid : the waves; on a coarse one potentials are put on its points, as multislice programs do, otherwise
        the phase shift of each atom is exact.

    Returns
    -------
    NDArray
        (n_detectors, N)
    """
    slices = _slices(atoms, grid)
    outgoing = -1j * math.pi * grid.optics.wavelength * grid.frequency**2
    steps = [np.where(grid.band, np.exp(outgoing * gap), 0).astype(np.complex64) for _, gap in slices]
    steps.append(grid.band.astype(np.complex64))
    entering = (grid.probe * steps[0]).astype(np.complex64)
    shift = np.exp(-2j * math.pi * grid.axis * np.asarray(probes)[:, :, None]).astype(np.complex64)
    rings = grid.detectors.reshape(len(grid.detectors), -1)
    parts = np.repeat(rings, 2, axis=1)  # real and imaginary
    collected = np.empty((len(rings), len(probes)))
    for start in range(0, len(probes), _BATCH):
        at = slice(start, start + _BATCH)
        wave = shift[at, 0, :, None] * shift[at, 1, None, :]
        wave *= entering
        for (transmission, _), step in zip(slices, steps[1:], strict=True):
            wave = _pass(wave, transmission, step)
        arrived = wave.reshape(len(wave), -1).view(np.float32)
        arrived *= arrived
        collected[:, at] = parts @ arrived.T
    unscattered = rings @ (np.abs(grid.probe) ** 2).reshape(-1)
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


def _slices(atoms: Iterable[PlacedAtom], grid: WaveGrid) -> list[tuple[NDArray[np.complex64], float]]:
    """Transmission of each slice, and the gap [Å] between it and the one before."""
    by_height: dict[float, list[PlacedAtom]] = {}
    for atom in atoms:
        by_height.setdefault(atom.height, []).append(atom)
    passed, last = [], 0.0
    together = _sampled if grid.coarse else _exact
    for height in sorted(by_height):
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
        product *= 1 + np.fft.ifft2(grid.atom(atom.symbol) * _shift(atom, grid.axis))
    return product


def _sampled(atoms: list[PlacedAtom], grid: WaveGrid) -> NDArray[np.complex128]:
    """exp(i σ v) of potentials at the points of the grid, without what the grid cannot hold."""
    potential = sum(grid.atom(atom.symbol) * _shift(atom, grid.axis) for atom in atoms)
    phase = np.fft.ifft2(potential).real
    return np.asarray(np.fft.ifft2(np.where(grid.band, np.fft.fft2(np.exp(1j * phase)), 0)))
