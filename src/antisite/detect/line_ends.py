"""Where lines end: at the frame, at another domain, or inside a crystal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .domain_map import domains_along, domains_at
from .lines import extend, sample_line

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
_NEAR = 5.0  # √(cell area); a line that ends so near to the rim of its crystal goes on to it
TO_FRAME = 8.0  # √(cell area); a border cannot end inside a crystal
_OVER = 8.0  # √(cell area) that tell the direction of an end


def reach_out(
    path: Array, domains: Domains, members: Sequence[int], *, cell: float, far: float = _NEAR
) -> Array:
    """A path carried on to the rim of its domains where that is near, and cut there where it goes beyond.

    Parameters
    ----------
    domains : (y, x), -1 where there is no crystal.
    members : numbers of the domains in or between which the line runs.
    far : √(cell area), what is near.
    """
    by = min(far, float(np.hypot(*domains.shape)) / cell) * cell
    whole = sample_line(extend(path, by, over=_OVER * cell), spacing=0.25)
    inside = np.isin(domains_at(domains, whole.places), members)
    core = (whole.along >= by) & (whole.along <= whole.length - by)
    low, high = np.flatnonzero(core)[[0, -1]]
    middle = (low + high) // 2
    outside = np.flatnonzero(~inside)
    start = outside[outside < middle].max(initial=-1) + 1
    stop = outside[outside > middle].min(initial=len(inside))
    # an end inside the crystal stays where it was
    start = start if start > 0 or not inside[0] or far == np.inf else low
    stop = stop if stop < len(inside) or not inside[-1] or far == np.inf else high + 1
    corner = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()]) + by
    kept = (corner > whole.along[start]) & (corner < whole.along[stop - 1])
    return np.vstack([whole.places[start], path[kept], whole.places[stop - 1]])


def ends_inside(path: Array, domains: Domains, *, cell: float) -> tuple[bool, bool]:
    """Whether the start and the end of a path lie inside a crystal, clear of its rim."""
    beyond = extend(path, 1.5 * cell, over=_OVER * cell)[[0, -1]]
    own = int(np.median(domains_along(domains, path)))
    start, end = domains_at(domains, beyond) == own
    return bool(start), bool(end)
