"""What a map of domains holds: at places, along and beside a line, at the nodes of a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lines import sample_line

Array = NDArray[np.float64]
Domains = NDArray[np.int8]


def domains_at(domains: Domains, places: Array) -> Domains:
    """Numbers (n,) of the domains at places (n, 2) px, -1 outside the frame."""
    at = np.round(places).astype(int)
    seen = np.all((at >= 0) & (at < domains.shape), axis=1)
    numbers = np.full(len(at), -1, dtype=np.int8)
    numbers[seen] = domains[at[seen, 0], at[seen, 1]]
    return numbers


def domains_along(domains: Domains, path: Array) -> Domains:
    """Numbers of the domains that a path (n, 2) runs through, a pixel apart."""
    return domains_at(domains, sample_line(path, spacing=1.0).places)


def domains_beside(domains: Domains, path: Array, *, cell: float) -> tuple[int, int]:
    """Numbers of the domains to the left and to the right of a path (n, 2), -1 for none."""
    line = sample_line(path, spacing=cell)
    found = []
    for sign in (-1, 1):
        numbers = domains_at(domains, line.places + sign * cell * line.normals)
        numbers = numbers[numbers >= 0]
        found.append(int(np.bincount(numbers).argmax()) if len(numbers) else -1)
    return found[0], found[1]


def domains_at_nodes(domains: Domains, nodes: tuple[int, ...], step: tuple[float, float]) -> Domains:
    """(my, mx) numbers at the nodes of a grid whose first lies on pixel (0, 0).

    Parameters
    ----------
    nodes : how many there are along y and x.
    step : (y, x) px between two.
    """
    at = (
        np.minimum(np.round(np.arange(n) * s), size - 1).astype(int)
        for n, s, size in zip(nodes, step, domains.shape, strict=True)
    )
    return domains[np.ix_(*at)]
