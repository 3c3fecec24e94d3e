"""The simulated scenes of `planar.py`: which kinds there are, and which scenes can be judged.

A scene is in when its lines lie six cells or more from the frame (four at 40 px per cell) over 60 % of their
length and its dislocations as far; a wall of dislocations holds three or more there. Fields are 40 cells or
more across up to 12 px per cell and never larger than 1024² px. A crystal takes part at a sampling at which
its nearest columns are 4 px apart or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from antisite.image import Image
from antisite.simulate.crystals.scene import Scene, nearest_spacing, perfect_scene
from antisite.simulate.extended_defects.boundaries import fault, lamella, tilt_boundary, twin_boundary
from antisite.simulate.extended_defects.dislocations import (
    Dislocation,
    add_dislocations,
    faulted_pair,
    tilt_wall,
)
from antisite.simulate.sketch.crystals import DOMAIN_SKETCHES, SKETCHES
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene
from antisite.simulate.truth.truth import Truth

DEGREE = math.pi / 180
SAMPLINGS = (6.5, 8, 12, 20, 40)  # px per cell; below 6 px an image is refused, and drift alone can pass it
DOSES = (1e6, 1e5, 1e4)  # e/Å²
DRIFTS = (0.0, 1.5)  # px
LARGEST = 1024
_FIELD: dict[float, int] = {6.5: 320, 8: 384, 12: 512, 20: 640, 40: 1024}
_LEAST_SPACING = 4.0  # px between nearest columns
_TRIES = 50


def _near_middle(scene: Scene, rng: Generator) -> np.ndarray:
    return scene.centre + rng.uniform(-0.1, 0.1, 2) * scene.shape


def _wall(scene: Scene, rng: Generator) -> Scene:
    cells = max(scene.shape) / cell_size(scene.cell) - 2 * _away(scene)
    least = max(2.0, 3.3 / cells / DEGREE)  # three cores in sight
    angle = rng.uniform(least, 10) * rng.choice([-1, 1]) * DEGREE
    return tilt_wall(scene, angle, at=_near_middle(scene, rng), phase=rng.random())


def _tilt(scene: Scene, rng: Generator) -> Scene:
    while True:
        angle = rng.uniform(10, 40) * rng.choice([-1, 1]) * DEGREE
        tilted = tilt_boundary(scene, angle, at=_near_middle(scene, rng), direction=rng.uniform(0, math.pi))
        if tilted.lines[0].least_rotation >= 10 * DEGREE:
            return tilted


def _twin(scene: Scene, rng: Generator) -> Scene:
    options = _STYLE.get(scene.crystal.name, {})
    return twin_boundary(scene, _ROW.get(scene.crystal.name, (0, 1)), at=_near_middle(scene, rng), **options)


def _lamella(layers: int) -> Callable[[Scene, Generator], Scene]:
    def put(scene: Scene, rng: Generator) -> Scene:
        name = scene.crystal.name
        options = _STYLE.get(name, {})
        n = layers or (1 if name == "square_dumbbell" else 3)
        return lamella(scene, n, _ROW.get(name, (0, 1)), at=_near_middle(scene, rng), **options)

    return put


def _thick_lamella(scene: Scene, rng: Generator) -> Scene:
    return _lamella(int(rng.integers(4, 13)))(scene, rng)


def _antiphase(scene: Scene, rng: Generator) -> Scene:
    shift = (0.5, 0.5) if scene.crystal.name == "srtio3" else (0.5, 0.0)
    return fault(scene, shift, (1, 0), at=_near_middle(scene, rng))


def _shift(scene: Scene, rng: Generator) -> Scene:
    shift = (float(rng.uniform(0.2, 0.45) * rng.choice([-1, 1])), 0.0)
    return fault(scene, shift, (1, 0), at=_near_middle(scene, rng))


def _pair(scene: Scene, rng: Generator) -> Scene:
    size = cell_size(scene.cell)
    burgers = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]][rng.integers(4)])
    far = (8 if size < 40 else 6) * size
    while True:
        places = rng.uniform(far, np.array(scene.shape) - far, (2, 2))
        if np.hypot(*(places[0] - places[1])) > 10 * size:
            break
    pair = [
        Dislocation(
            position=(float(y), float(x)), burgers=(float(sign * burgers[0]), float(sign * burgers[1]))
        )
        for (y, x), sign in zip(places, (1, -1), strict=True)
    ]
    return add_dislocations(scene, pair, direction=rng.uniform(0, math.pi))


def _partials(scene: Scene, rng: Generator) -> Scene:
    size = cell_size(scene.cell)
    total = ((0, 0), (0, 1))[rng.integers(2)]
    return faulted_pair(
        scene, (0, 1 / 3), (0, 1), at=_near_middle(scene, rng), length=rng.uniform(10, 12) * size, total=total
    )


# crystal: how it is twinned
_STYLE = {"cdte110": {"rotate": True}, "square_dumbbell": {"through": "gap"}}
_ROW = {"square_dumbbell": (1, 0)}
# kind: (what is put into the scene, the crystals it is put into)
KINDS: dict[str, tuple[Callable[[Scene, Generator], Scene], tuple[str, ...]]] = {
    "tilt 2–10°": (_wall, ("fe100", "au110", "wse2", "au100")),
    "tilt 10–40°": (_tilt, ("fe100", "wse2", "srtio3", "au110")),
    "twin": (_twin, ("au110", "cdte110", "monoclinic", "triclinic")),
    "intrinsic fault": (_lamella(1), ("au110", "cdte110")),
    "extrinsic fault": (_lamella(2), ("au110", "cdte110")),
    "lamella, R = 0": (_lamella(0), ("au110", "cdte110", "square_dumbbell")),
    "antiphase boundary": (_antiphase, ("srtio3", "wse2", "fe100", "triclinic")),
    "shift along a row": (_shift, ("fe100", "wse2", "monoclinic", "au100")),
    "dislocation pair": (_pair, ("fe100", "au110", "wse2", "srtio3")),
    "fault with partials": (_partials, ("au110",)),
    "lamella, 4–12 layers": (_thick_lamella, ("au110", "cdte110")),
}


def cell_size(cell: np.ndarray) -> float:
    """Root of the area of a cell [px]: the a0 of the scores."""
    return math.sqrt(abs(float(np.linalg.det(cell))))


def _away(scene: Scene) -> float:
    """Cells from the frame beyond which lines and cores count."""
    return 4.0 if cell_size(scene.cell) > 30 else 6.0


def fits(crystal: str, px_per_cell: float) -> bool:
    """Whether the columns of a crystal stand far enough apart at a sampling."""
    return nearest_spacing(lay_sketch(crystal, shape=(8, 8), px_per_cell=px_per_cell)) >= _LEAST_SPACING


def possible(kind: str, px_per_cell: float) -> bool:
    """Whether scenes of a kind exist at a sampling (40 px per cell: no field holds three cores)."""
    put, crystals = KINDS[kind]
    if put is _wall and px_per_cell > 20:
        return False
    return any(fits(crystal, px_per_cell) for crystal in crystals)


def make_scene(kind: str, seed: int, *, px_per_cell: float, dose: float, drift: float) -> tuple[Image, Truth]:
    """An image with one object of a kind, the crystal and the rest drawn by the seed.

    Parameters
    ----------
    kind : a key of `KINDS`.
    dose : e/Å²
    drift : px
    """
    rng = np.random.default_rng(seed)
    put, names = KINDS[kind]
    crystals = [name for name in names if fits(name, px_per_cell)]
    side = _FIELD[px_per_cell]
    if put is _wall:
        side = min(LARGEST, 2 * side)
    crystal = crystals[rng.integers(len(crystals))]
    for _ in range(_TRIES):
        rotation = rng.uniform(0, 2 * math.pi)
        plain = perfect_scene(
            crystal, shape=(side, side), px_per_cell=px_per_cell, rotation=rotation, rng=rng
        )
        scene = put(plain, rng)
        image, truth = sketch_scene(scene, dose=dose, drift=drift, jitter=0.1 * drift, rng=rng)
        if in_sight(truth, image.shape, _away(scene) * cell_size(scene.cell), cores=3 if put is _wall else 0):
            return image, truth
    raise RuntimeError(f"no scene of {kind} at {px_per_cell} px per cell can be judged, seed {seed}")


def in_sight(truth: Truth, shape: tuple[int, int], away: float, *, cores: int = 0) -> bool:
    """Whether lines and cores lie far enough from the frame to be judged.

    Parameters
    ----------
    away : px from the frame.
    cores : how many cores must; all of a pair.
    """

    def inner(places: np.ndarray) -> np.ndarray:
        return ((places >= away) & (places <= np.array(shape) - 1 - away)).all(axis=1)

    inside = inner(np.array([core.position for core in truth.cores]).reshape(-1, 2))
    enough = inside.sum() >= cores if cores else bool(inside.all())
    return enough and all(inner(line.path).mean() >= 0.6 for line in truth.lines)


def perfect_image(seed: int) -> tuple[Image, float]:
    """A crystal without any defect, at a random sampling, dose, drift and background; and its drift [px]."""
    rng = np.random.default_rng(seed)
    px_per_cell = float(rng.choice(SAMPLINGS))
    names = [name for name in (*SKETCHES, *DOMAIN_SKETCHES) if fits(name, px_per_cell)]
    side = min(512, _FIELD[px_per_cell])
    rotation = rng.uniform(0, 2 * math.pi)
    scene = perfect_scene(
        names[rng.integers(len(names))],
        shape=(side, side),
        px_per_cell=px_per_cell,
        rotation=rotation,
        rng=rng,
    )
    drift = float(rng.uniform(0, 2)) if seed % 2 else 0.0
    dose, contamination = 10 ** rng.uniform(4, 6), rng.uniform(0, 0.1)
    image, _ = sketch_scene(scene, dose=dose, drift=drift, contamination=contamination, rng=rng)
    return image, drift
