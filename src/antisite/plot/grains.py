"""Grains in colour: neighbours apart, seams filled, a place for each name."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..result import Result
from .defects import not_analysed

# Light colours, most after Tol, far from each other and from those of the lines.
GRAINS = ("#77aadd", "#ee8866", "#44bb99", "#cc99ee", "#bbcc33", "#ff99bb", "#aaf0f0")
_OPACITY = 0.4
_ACROSS = 5  # of so many pixels of a coarse map that lie between them, two grains are neighbours


def grain_colours(domain: NDArray[np.generic]) -> tuple[str, ...]:
    """The colour of each grain: its own as long as there are enough, then one that no neighbour has."""
    n = max(int(domain.max(initial=-1)) + 1, 0)
    if n <= len(GRAINS):
        return GRAINS[:n]
    coarse = max(math.ceil(max(domain.shape) / 256), 1)
    seen = domain[::coarse, ::coarse].astype(int)
    beside = np.zeros((n, n), dtype=bool)
    for step in (1, _ACROSS):
        for first, second in ((seen[:-step], seen[step:]), (seen[:, :-step], seen[:, step:])):
            both = (first >= 0) & (second >= 0)
            beside[first[both], second[both]] = True
    beside |= beside.T
    chosen: list[int] = []
    for grain in range(n):
        used = [chosen[other] for other in range(grain) if beside[grain, other]]
        free = [i for i in range(len(GRAINS)) if i not in used] or list(range(len(GRAINS)))
        chosen.append(min(free, key=chosen.count))
    return tuple(GRAINS[i] for i in chosen)


def grain_sheet(domain: NDArray[np.generic], *, opacity: float = _OPACITY) -> NDArray[np.uint8]:
    """(y, x, 4) the colour of each grain over its area, clear where there is none."""
    colours = grain_colours(domain)
    table = [[int(c[k : k + 2], 16) for k in (1, 3, 5)] + [round(255 * opacity)] for c in colours]
    return np.asarray(np.array([*table, [0, 0, 0, 0]], dtype=np.uint8)[domain.astype(int)])


def shown_grains(result: Result, *, factor: int = 1) -> NDArray[np.int_]:
    """Every `factor`-th pixel of the map of grains, seams without a crystal given to the nearest grain."""
    from scipy.ndimage import distance_transform_edt

    domain = np.asarray(result.maps["domain"][::factor, ::factor], dtype=int)
    none = domain < 0
    seam = none & ~not_analysed(result)[::factor, ::factor]
    if not seam.any() or none.all():
        return domain
    y, x = distance_transform_edt(none, return_distances=False, return_indices=True)
    return np.where(seam, domain[y, x], domain)


def grain_places(domain: NDArray[np.generic]) -> dict[int, tuple[float, float]]:
    """For each grain the (x, y) px that lies deepest in it."""
    from scipy.ndimage import distance_transform_edt

    coarse = max(math.ceil(max(domain.shape) / 256), 1)
    seen = np.pad(domain[::coarse, ::coarse], 1, constant_values=-1)
    places = {}
    for grain in range(int(seen.max()) + 1):
        if (seen == grain).any():
            depth = distance_transform_edt(seen == grain)
            y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
            places[grain] = (float(x - 1) * coarse, float(y - 1) * coarse)
    return places
