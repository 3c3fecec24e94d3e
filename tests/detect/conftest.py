"""Scenes with lines and dislocations, seen as the search for them begins, with domains known roughly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from antisite.crystal.contrast import Floats, Mask, standardise
from antisite.crystal.lattice import Lattice
from antisite.crystal.lattice_phases import LatticePhases, measure_phases, visible_reflections
from antisite.crystal.windows import even_contrast
from antisite.detect.planar_defects import Structure
from antisite.detect.structure_search import find_structure
from antisite.simulate.crystals.scene import Scene
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.truth import Truth


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Prepared pixels of a scene, the lattices of its domains, and what is true."""

    pixels: Floats
    even: Floats
    mask: Mask
    domains: NDArray[np.int8]
    lattices: tuple[Lattice, ...]
    truth: Truth

    @property
    def lattice(self) -> Lattice:
        return self.lattices[0]

    @property
    def cell(self) -> float:
        return self.lattice.size

    @property
    def waves(self) -> NDArray[np.float64]:
        """Frequencies of the reflections of the first lattice."""
        return self.phases(1.0).index @ self.lattice.reciprocal

    def phases(self, window: float, **options: float) -> LatticePhases:
        """Those of the first domain; the window in cells."""
        hidden = self.mask | (self.domains != 0)
        index = visible_reflections(self.even, hidden, self.lattice)
        return measure_phases(self.even, hidden, self.lattice, index, window=window * self.cell, **options)

    def structure(self) -> Structure:
        return find_structure(self.pixels, self.mask, self.domains, self.lattices)


def see(
    scene: Scene,
    *,
    motions: Sequence[NDArray[np.float64]] = (np.eye(2),),
    domains: NDArray[np.int8] | None = None,
    mask: Mask | None = None,
    turns: int = 0,
    dose: float = 3e5,
    rng: int = 2,
    **options: float,
) -> Seen:
    """Render a scene and prepare it.

    Parameters
    ----------
    motions : (2, 2) of positions as rows, that make the crystal of each domain of that of the scene.
    domains : (y, x), all one domain when not given.
    turns : of the image by 90°, as `np.rot90` does.
    """
    image, truth = sketch_scene(scene, dose=dose, rng=rng, **options)
    pixels = np.ascontiguousarray(np.rot90(image.pixels, turns))
    mask = np.zeros(pixels.shape, dtype=bool) if mask is None else mask
    cell = truth.cell @ np.linalg.matrix_power(np.array([[0.0, 1.0], [-1.0, 0.0]]), turns)
    cell = cell if np.linalg.det(cell[::-1]) > 0 else cell * [[1.0], [-1.0]]  # b clockwise from a
    even = standardise(pixels, mask)
    return Seen(
        pixels=even,
        even=even_contrast(even, mask, spacing=math.sqrt(abs(np.linalg.det(cell)))),
        mask=mask,
        domains=np.zeros(pixels.shape, dtype=np.int8) if domains is None else domains,
        lattices=tuple(Lattice(vectors=cell @ motion, coherence=1.0) for motion in motions),
        truth=truth,
    )


@pytest.fixture(name="see", scope="session")
def _see() -> Callable[..., Seen]:
    return see


@pytest.fixture(name="scene", scope="session")
def _scene() -> Callable[..., Scene]:
    def make(crystal: str = "fe100", *, n: int = 256, px_per_cell: float = 12.0, **options: float) -> Scene:
        given = {"shape": (n, n), "rotation": 0.3, "rng": 1} | options
        return lay_sketch(crystal, px_per_cell=px_per_cell, **given)

    return make
