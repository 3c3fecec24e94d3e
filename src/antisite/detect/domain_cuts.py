"""Domains redrawn along lines that are known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .lines import extend, sample_line
from .strip import cut_strip

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
_FAR = 3.0  # √(cell area), how far a line may have moved


def redraw_border(domains: Domains, path: Array, left: int, right: int, *, cell: float) -> Domains:
    """The pixels of two domains beside the line between them, given to the side on which they lie."""
    line = sample_line(extend(path, cell, over=4 * cell), spacing=0.25 * cell)
    strip = cut_strip(domains, domains < 0, line, reach=_FAR * cell)
    own = np.isin(strip.pixels, (left, right)) & ~strip.hidden
    redrawn = domains.copy()
    redrawn[strip.window][own] = np.where(strip.across < 0, left, right)[own]
    return redrawn


def cut_domain(domains: Domains, number: int, path: Array, *, new: int, least: float, cell: float) -> Domains:
    """Domain `number` cut in two along a path that divides it; the smaller part becomes `new`.

    The same is handed back where the path ends inside the domain, a part has fewer than `least` px², or
    there are no more numbers.
    """
    if new > np.iinfo(domains.dtype).max:
        return domains
    line = sample_line(path, spacing=0.25 * cell)
    strip = cut_strip(domains, domains != number, line, reach=_FAR * cell)
    on_line = ~strip.hidden & (np.abs(strip.across) <= 1) & (strip.along >= 0) & (strip.along <= line.length)
    own = domains == number
    own[strip.window] &= ~on_line
    part = ndimage.label(own)[0]
    beside = part[strip.window]
    near = ~strip.hidden & (beside > 0) & (strip.along > 0) & (strip.along < line.length)
    sides = [_most(beside[near & (sign * strip.across > 0)]) for sign in (-1, 1)]
    size = [int((part == side).sum()) if side else 0 for side in sides]
    if sides[0] == sides[1] or min(size) < least:
        return domains
    smaller = int(np.argmin(size))
    cut = domains.copy()
    cut[part == sides[smaller]] = new
    given = on_line & ((strip.across > 0) == (smaller == 1))
    cut[strip.window][given] = new
    return cut


def _most(labels: NDArray[np.signedinteger[Any]]) -> int:
    """The most frequent label, 0 where there is none."""
    return int(np.bincount(labels.ravel()).argmax()) if labels.size else 0
