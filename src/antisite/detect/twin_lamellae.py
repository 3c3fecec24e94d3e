"""Twin lamellae in the structure of an image: their two boundaries, the crystal inside, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.contrast import Floats, Mask
from ..crystal.lattice import Lattice, same_lattice
from ..crystal.lattice_phases import LatticePhases, measure_phases, visible_reflections
from ..crystal.lattice_relation import row_along
from .domain_cuts import cut_domain
from .domain_map import domains_along, domains_at, domains_beside
from .fault_ends import find_ends
from .faults import WINDOW, add_fault
from .lamellae import Lamella, find_lamellae
from .line_ends import TO_FRAME, reach_out
from .lines import sample_line
from .planar_defects import LEAST_CELLS, PlanarDefect, Structure
from .planar_kinds import PlanarKind, kind_of_boundary
from .strip import cut_strip

Array = NDArray[np.float64]
Domains = NDArray[np.int8]
_THIN, _LONG = 4.0, 4.0  # √(cell area) from the rim to the middle; times longer than broad
_FAULTS = 2.5  # layers; fewer are a stacking fault
_SLAB = 3.5  # layers; fewer are one line
_SD = 0.15  # √(cell area), where a boundary lies
_PARALLEL = np.radians(3)
_MOST = 40  # layers that are counted, gaps that are looked at
_WHOLE = 0.35  # of a layer, by which a count may miss a whole number


def without_slabs(found: Structure) -> Structure:
    """The structure with long thin domains given to their neighbours: windows do not tell what they are."""
    thin = np.zeros(found.domains.shape, dtype=bool)
    for k, lattice in enumerate(found.lattices[1:], 1):
        own = found.domains == k
        if _is_thin(own, cell=lattice.size):
            thin |= own
    if not thin.any():
        return found
    domains = _given(found.domains, thin)
    kept = [k for k in range(len(found.lattices)) if (domains == k).any()]
    numbers = np.full(len(found.lattices) + 1, -1, dtype=np.int8)
    numbers[kept] = np.arange(len(kept))
    return replace(found, domains=numbers[domains], lattices=tuple(found.lattices[k] for k in kept))


def _is_thin(own: NDArray[np.bool_], *, cell: float) -> bool:
    """Whether a region is a long strip of a few cells."""
    half = float(ndimage.distance_transform_edt(np.pad(own, 1, mode="edge")).max())
    return bool(0 < half < _THIN * cell and own.sum() > _LONG * (2 * half) ** 2)


def _given(domains: Domains, region: NDArray[np.bool_]) -> Domains:
    """The domains, the pixels of a region with the number of the nearest domain."""
    if not region.any():
        return domains
    missing = region | (domains < 0)
    y, x = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.where(region, domains[y, x], domains).astype(np.int8)


def _thin_gaps(found: Structure, mask: Mask) -> Domains:
    """(y, x) number of the long thin gap between domains in which a pixel lies, 0 for none."""
    label = ndimage.label((found.domains < 0) & ~mask)[0]
    cell = found.lattices[0].size
    large = np.flatnonzero(np.bincount(label.ravel())[1:] > LEAST_CELLS * cell**2) + 1
    thin = [k for k in large if _is_thin(label == k, cell=cell)]
    gaps = np.zeros(label.shape, dtype=np.int8)
    for n, k in enumerate(thin[:_MOST], 1):
        gaps[label == k] = n
    return gaps


def with_lamellae(even: Floats, mask: Mask, found: Structure) -> Structure:
    """The structure with the twin lamellae inside its domains: two boundaries each, one line if very thin."""
    before, gaps = found, _thin_gaps(found, mask)
    found = replace(found, domains=_given(found.domains, gaps > 0))
    for k, lattice in enumerate(found.lattices):
        hidden = mask | (found.domains != k)
        index = visible_reflections(even, hidden, lattice)
        lamellae = [one for one in find_lamellae(even, hidden, lattice, index) if one.layers > _FAULTS]
        if not lamellae:
            continue
        phases = measure_phases(even, hidden, lattice, index, window=WINDOW * lattice.size)
        parts = [k]
        for lamella in lamellae:
            n = len(found.lattices)
            found = _with_slab(found, parts, lamella, lattice) or _with_line(
                found, parts, lamella, lattice, phases
            )
            parts += range(n, len(found.lattices))
    if len(found.lines) == len(before.lines):
        return before
    filled = [domains_along(gaps, line.path) for line in found.lines[len(before.lines) :]]
    still = (gaps > 0) & ~np.isin(gaps, np.unique(np.concatenate([[0], *filled])))
    return replace(found, domains=np.where(still, -1, found.domains).astype(np.int8))


def _with_slab(
    found: Structure, parts: Sequence[int], lamella: Lamella, lattice: Lattice
) -> Structure | None:
    """The structure with a lamella as a domain between two boundaries, or None where it is none."""
    cell, layers = lamella.mirrored.size, round(lamella.layers)
    if layers < _SLAB:
        return None
    rims = [
        reach_out(lamella.rim(side, layers), found.domains, parts, cell=cell, far=TO_FRAME)
        for side in (-1, 1)
    ]
    domains, middle = found.domains, lamella.path.mean(axis=0)[None]
    least = LEAST_CELLS * lamella.mirrored.cell_area
    for n, rim in enumerate(rims, len(found.lattices)):
        number = int(domains_at(domains, middle)[0])
        cut = cut_domain(domains, number, rim, new=n, least=least, cell=cell)
        if number not in (*parts, n - 1) or cut is domains:
            return None
        domains = cut
    slab, new = int(domains_at(domains, middle)[0]), len(found.lattices) + 1
    numbers = np.arange(-1, new + 1, dtype=np.int8)
    numbers[[slab + 1, new + 1]] = new, slab  # the crystal outside keeps the numbers it had
    lattices = (*found.lattices, lattice, lamella.mirrored)
    kind = kind_of_boundary(lattice, lamella.mirrored, lamella.path[1] - lamella.path[0])
    kind = replace(kind, name=_name(layers))
    lines = [PlanarDefect(kind=kind, path=rim, sd=_SD * cell, cell=cell) for rim in rims]
    return replace(found, domains=numbers[domains + 1], lattices=lattices, lines=(*found.lines, *lines))


def _with_line(
    found: Structure, parts: Sequence[int], lamella: Lamella, lattice: Lattice, phases: LatticePhases
) -> Structure:
    """The structure with a lamella as one line, across which the crystal may be displaced.

    A thick one, which ends inside the crystal, is none of it: its pixels belong to no domain.
    """
    cell, layers = lattice.size, round(lamella.layers)
    rough = PlanarDefect(
        kind=PlanarKind(kind="planar_defect", name=_name(layers), misorientation=0.0),
        path=lamella.path,
        sd=_SD * cell,
        cell=cell,
        shift=np.zeros(2),
        shift_sd=np.full(2, 0.5),
    )
    others = [line.path for line in found.lines]
    ended = find_ends(rough, found.domains, parts, phases, lattice, others=others)
    with_line = add_fault(found, parts, ended.fault, ended.partials)
    if layers < _SLAB:
        return with_line
    line = sample_line(lamella.path, spacing=1.0)
    strip = cut_strip(found.domains, ~np.isin(found.domains, parts), line, reach=lamella.thickness)
    inside = ~strip.hidden & (np.abs(strip.across) < lamella.thickness / 2)
    inside &= (strip.along > 0) & (strip.along < line.length)
    domains = with_line.domains.copy()
    domains[strip.window][inside] = -1
    return replace(with_line, domains=domains)


def named_lamellae(found: Structure) -> Structure:
    """The structure with pairs of twin boundaries named by the number of layers between them."""
    lines = list(found.lines)
    beside = [domains_beside(found.domains, line.path, cell=line.cell) for line in lines]
    twins = [i for i, line in enumerate(lines) if line.kind.kind == "twin_boundary" and min(beside[i]) >= 0]
    counted = []
    for i, j in combinations(twins, 2):
        middles = [sample_line(lines[n].path, spacing=1.0).middle(0.1).places.mean(axis=0) for n in (i, j)]
        inside = int(domains_at(found.domains, np.mean(middles, axis=0)[None])[0])
        outside = [k for n in (i, j) if inside in beside[n] for k in beside[n] if k != inside]
        if len(outside) == 2 and same_lattice(*(found.lattices[k] for k in outside)):
            layers = _layers_between(lines[i], lines[j], found.lattices[inside])
            counted += [(layers, i, j)] if layers > _FAULTS else []
    named: set[int] = set()
    for layers, i, j in sorted(counted):  # between two lamellae lies no third
        if not named & {i, j}:
            named |= {i, j}
            for n in (i, j):
                lines[n] = replace(lines[n], kind=replace(lines[n].kind, name=_name(layers)))
    return replace(found, lines=tuple(lines))


def _layers_between(first: PlanarDefect, second: PlanarDefect, lattice: Lattice) -> int:
    """How many rows of a lattice lie between two lines, 0 where that is not clear."""
    direction = first.path[-1] - first.path[0]
    row = row_along(lattice, direction, tolerance=_PARALLEL)
    if row is None or row_along(lattice, second.path[-1] - second.path[0], tolerance=_PARALLEL) is None:
        return 0
    along = row @ lattice.vectors
    normal = np.array([along[1], -along[0]]) / np.hypot(*along)
    spacing = lattice.cell_area / float(np.hypot(*along))
    offset = [sample_line(line.path, spacing=1.0).places @ normal for line in (first, second)]
    layers = abs(float(np.median(offset[0]) - np.median(offset[1]))) / spacing
    clear = abs(layers - round(layers)) < _WHOLE and layers < _MOST
    return round(layers) if clear else 0


def _name(layers: int) -> str:
    return f"twin lamella of {layers} layers"
