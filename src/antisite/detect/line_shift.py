"""How far the crystal on one side of a line is displaced against that on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask
from ..crystal.demodulation import Demodulator
from ..crystal.lattice import Lattice
from .lines import Line, sample_line
from .strip import Strip, cut_strip

Array = NDArray[np.float64]
_WINDOW = 0.75  # √(cell area)
_CLEAR = 0.8  # √(cell area), left out on either side: a thin layer may lie there
_DEPTHS = np.arange(2.2, 6.3, 0.8)  # √(cell area), where the phases of a side are read
_SHORT, _NEAREST = 20.0, 0.5  # √(cell area) of line; beside a shorter one all is read nearer, down to half
_BENT = 0.12  # of a cell, by which the field of partial dislocations misleads beside a very short fault
_CROWDED = 0.2  # of a cell, likewise by other lines very near
_GRID = 24  # first guesses of the displacement along either cell vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """Displacement of the right side of a line against its left.

    Parameters
    ----------
    value : (2,) fractions of a and b, each in [-1/2, 1/2).
    sd : (2,), of the mean along the line.
    constancy : how far the phase steps agree along the line, 1 where they are the same everywhere.
    trend : by how much of a cell the displacement changes evenly from one end to the other.
    """

    value: Array
    sd: Array
    constancy: float
    trend: float = 0.0


def measure_shift(
    flat: Floats,
    mask: Mask,
    path: Array,
    lattice: Lattice,
    index: NDArray[np.int_],
    *,
    weight: Array,
    room: float = np.inf,
) -> Shift:
    """Rigid displacement across a line inside one lattice.

    The phases of either side are read at several depths and carried on to the line; their step is
    -2π g·R for every reflection g.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.
    path : (n, 2) px as (y, x).
    index : (n, 2) indices of the reflections.
    weight : (n,), what each tells.
    room : px to the next line; the phases are read nearer.
    """
    cell = lattice.size
    line = sample_line(path, spacing=0.5 * cell)
    short = float(np.clip(line.length / (_SHORT * cell), _NEAREST, 1))
    near = float(np.clip((room / cell - 1) / _DEPTHS.max(), _NEAREST, short))
    if short < 1:  # near its ends a short fault is bent by its partial dislocations
        line = line.middle(0.5)
    strip = cut_strip(flat, mask, line, reach=(_DEPTHS.max() + 2) * cell)
    waves = [
        _read_waves(strip, sign, line, index @ lattice.reciprocal, near * cell, window=_WINDOW * cell)
        for sign in (-1, 1)
    ]
    step = _steps(*waves)
    known = (np.abs(step) > 0.02).all(axis=0)
    if known.sum() < 3:
        return Shift(value=np.full(2, np.nan), sd=np.full(2, np.nan), constancy=0.0)
    unit = step[:, known] / np.abs(step[:, known])
    mean = unit.mean(axis=1)
    value = nearest_shift(np.angle(mean), index, weight * np.abs(mean))
    rest = np.angle(unit * np.exp(2j * np.pi * index @ value)[:, None])
    design = -2 * np.pi * index * np.sqrt(weight)[:, None]
    local = np.linalg.lstsq(design, rest * np.sqrt(weight)[:, None], rcond=None)[0]
    value = value + local.mean(axis=1)
    n = max(1.0, known.sum() * 0.5 / (2 * np.sqrt(np.pi) * _WINDOW))
    return Shift(
        value=(value + 0.5) % 1 - 0.5,
        sd=np.hypot(local.std(axis=1) / np.sqrt(n), _BENT * (1 - short) + _CROWDED * (short - near)),
        constancy=float(np.average(np.abs(mean), weights=weight)),
        trend=float(np.abs(np.polyfit(np.linspace(0, 1, known.sum()), local.T, 1)[0]).max()),
    )


def _read_waves(
    strip: Strip, sign: int, line: Line, reflections: Array, depth: float, *, window: float
) -> NDArray[np.complex128]:
    """Waves (n, depths, places) of the left (-1) or right (1) side, from its own pixels alone."""
    hidden = strip.hidden | (sign * strip.across < _CLEAR * depth)
    demodulator = Demodulator(strip.pixels, hidden, sigma=window)
    places = line.places - strip.corner + sign * _DEPTHS[:, None, None] * depth * line.normals
    nodes = np.moveaxis(places / demodulator.step, -1, 0)
    seen = ndimage.map_coordinates(demodulator.weight, nodes, order=1, mode="constant") > 0.3
    waves = [ndimage.map_coordinates(demodulator(g), nodes, order=1, mode="nearest") for g in reflections]
    return np.asarray(np.array(waves) * seen)


def _steps(left: NDArray[np.complex128], right: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Phase step (n, places) from left to right at the line, as a wave of about unit amplitude.

    Both sides share a phase that grows evenly with the distance from the line; what bends it alike on
    both sides makes no step.
    """
    across = np.concatenate([-_DEPTHS, _DEPTHS])
    design = np.column_stack([across > 0, np.ones(len(across)), across]).astype(float)
    reader = np.linalg.pinv(design)[0]
    phase = np.concatenate([np.unwrap(np.angle(side), axis=1) for side in (left, right)], axis=1)
    amplitude = np.abs(np.concatenate([left, right], axis=1)).min(axis=1)
    typical = np.quantile(amplitude, 0.75, axis=1, keepdims=True)
    step = np.einsum("d,ndp->np", reader, phase)
    return np.asarray(amplitude / np.maximum(typical, 1e-12) * np.exp(1j * step))


def nearest_shift(step: Array, index: NDArray[np.int_], weight: Array) -> Array:
    """The displacement (2,) in cell vectors that explains phase steps (n,) best: grid, then least squares."""
    axis = np.arange(_GRID) / _GRID
    guess = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    fit = np.cos(step + 2 * np.pi * guess @ index.T) @ weight
    value = guess[int(np.argmax(fit))]
    for _ in range(3):
        rest = np.angle(np.exp(1j * (step + 2 * np.pi * index @ value)))
        root = np.sqrt(weight)
        value = value + np.linalg.lstsq(-2 * np.pi * index * root[:, None], rest * root, rcond=None)[0]
    return np.asarray(value)
