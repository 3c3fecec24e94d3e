"""Where exactly a line between two crystals runs: one stops to explain the pixels, the other begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask
from ..crystal.demodulation import Demodulator
from .lines import Line, sample_line
from .strip import cut_strip

Array = NDArray[np.float64]
_REACH = 5.0  # √(cell area), of the strip on either side from which a crystal is carried on
_CLEAR = 0.7  # √(cell area), left out beside a line that is known roughly only
_WINDOW = 1.5  # √(cell area)
_SEARCH = 2.5  # √(cell area), how far a line may be off
_BIN_ALONG, _BIN_ACROSS = 0.5, 0.1  # √(cell area)
_SMOOTH_ALONG, _SMOOTH_ACROSS = 1.0, 0.2  # √(cell area)
_STRAIGHT = 0.35  # √(cell area), scatter of a line that is drawn straight
_CLOSED = 2.0  # √(cell area), between the ends of a line round a domain
_ENOUGH = 8.0  # pixels per √(cell area); finer ones are skipped
_BEND = 2.0  # √(cell area), over which a bent line is smoothed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refined:
    """A refined line.

    Parameters
    ----------
    path : (n, 2) px as (y, x).
    sd : px, scatter of the line across itself, a cell apart.
    """

    path: Array
    sd: float


def refine_line(
    flat: Floats, mask: Mask, path: Array, sides: tuple[Array, Array], *, cell: float, clear: float = _CLEAR
) -> Refined:
    """Move a path to where the crystal on its left stops to explain the pixels and that on its right begins.

    Each crystal is carried on across the line by the waves of its own side; at every place along the
    line the change point is the one of most likelihood.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.
    sides : (n, 2) 1/px each, the frequencies that make up the crystal to the left and to the right.
    cell : √(cell area), px.
    """
    line = sample_line(path, spacing=0.25 * cell)
    strip = cut_strip(flat, mask, line, reach=_REACH * cell)
    along, across, pixels, hidden = strip.along, strip.across, strip.pixels, strip.hidden
    at = np.argwhere(~hidden & (np.abs(across) < _SEARCH * cell))
    at = at[(at % max(1, int(cell / _ENOUGH)) == 0).all(axis=1)]
    near = (at[:, 0], at[:, 1])
    left, right = (
        (pixels[near] - _carry_on(pixels, hidden | ~own, side, at, cell=cell)) ** 2
        for side, own in zip(sides, (across < -clear * cell, across > clear * cell), strict=True)
    )
    offset = _change_points(right - left, along[near], across[near], line, cell)
    even = np.linspace(0, line.length, len(offset))
    places, normals = (
        np.column_stack([np.interp(even, line.along, v) for v in vectors.T])
        for vectors in (line.places, line.normals)
    )
    return _smooth(places + offset[:, None] * normals, cell=cell)


def _carry_on(
    pixels: Floats, hidden: Mask, reflections: Array, at: NDArray[np.int_], *, cell: float
) -> Array:
    """At places (n, 2) the image that the waves of the pixels which are not hidden make."""
    demodulator = Demodulator(pixels, hidden, sigma=_WINDOW * cell)
    nodes = (at / demodulator.step).T
    total = np.zeros(len(at))
    for g in reflections:
        wave = demodulator(g)
        here = ndimage.map_coordinates(wave, nodes, order=1, mode="nearest")
        total += 2 * (here * np.exp(2j * np.pi * (at @ g))).real
    return total


def _change_points(gain: Array, along: Array, across: Array, line: Line, cell: float) -> Array:
    """Offset (n,) px of the change point from the line, at even distances along it."""
    n = max(2, round(line.length / (_BIN_ALONG * cell)))
    m = round(2 * _SEARCH / _BIN_ACROSS)
    i = np.clip((along / line.length * n).astype(int), 0, n - 1)
    j = np.clip(((across / cell + _SEARCH) / _BIN_ACROSS).astype(int), 0, m - 1)
    flatten = i * m + j
    total, count = (
        np.bincount(flatten, w, minlength=n * m).reshape(n, m) for w in (gain, np.ones(len(gain)))
    )
    smooth = (_SMOOTH_ALONG / _BIN_ALONG, _SMOOTH_ACROSS / _BIN_ACROSS)
    total, count = (ndimage.gaussian_filter(t, smooth, mode=("nearest", "constant")) for t in (total, count))
    likelihood = np.cumsum(total / np.maximum(count, 1e-9), axis=1)
    best = np.clip(likelihood.argmax(axis=1), 1, m - 2)
    low, mid, high = (likelihood[np.arange(n), best + d] for d in (-1, 0, 1))
    bend = low - 2 * mid + high
    part = np.where(bend < 0, 0.5 * (low - high) / np.where(bend < 0, bend, -1), 0)
    return np.asarray(((best + 1 + np.clip(part, -1, 1)) * _BIN_ACROSS - _SEARCH) * cell)


def _smooth(places: Array, *, cell: float) -> Refined:
    """A straight line through places where they allow it, else a smooth one."""
    centre = np.median(places, axis=0)
    axis = places[-1] - places[0]
    for _ in range(10):  # robust: the ends may lie beyond the crystal
        axis = axis / np.hypot(*axis)
        away = (places - centre) @ np.array([axis[1], -axis[0]])
        weight = 1 / (1 + (away / (0.3 * cell)) ** 2)
        centre = np.average(places, axis=0, weights=weight)
        centred = places - centre
        new = np.linalg.eigh((centred * weight[:, None]).T @ centred)[1][:, -1]
        axis = new * np.sign(new @ axis)
    away = (places - centre) @ np.array([axis[1], -axis[0]])
    scatter = 1.4826 * float(np.median(np.abs(away - np.median(away))))
    if scatter < _STRAIGHT * cell and np.quantile(np.abs(away), 0.9) < 2 * _STRAIGHT * cell:
        ends = [(p - centre) @ axis for p in (places[0], places[-1])]
        return Refined(path=np.array([centre + e * axis for e in ends]), sd=scatter)
    sigma = _BEND / _BIN_ALONG
    if np.hypot(*(places[-1] - places[0])) < _CLOSED * cell:
        smooth = ndimage.gaussian_filter1d(places, sigma / 2, axis=0, mode="wrap")
        smooth = np.vstack([smooth, smooth[:1]])
        return Refined(path=smooth, sd=float(np.median(np.hypot(*(places - smooth[:-1]).T))))
    from_ends = np.vstack([2 * places[0] - places[:0:-1], places, 2 * places[-1] - places[-2::-1]])
    smooth = ndimage.gaussian_filter1d(ndimage.median_filter(from_ends, (5, 1)), sigma, axis=0)
    smooth = smooth[len(places) - 1 : 2 * len(places) - 1]
    scatter = 1.4826 * float(np.median(np.hypot(*(places - smooth).T)))
    return Refined(path=smooth, sd=scatter)
