"""How results are compared with the truth in `planar.py`: one scene in, one tally out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import planar_scenes as scenes

from antisite.defects import PLANAR_KINDS
from antisite.errors import AntisiteError
from antisite.evaluate.lines import distance_to_path, score_cores, score_lines
from antisite.image import Image
from antisite.result import Result
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings
from antisite.simulate.truth.lines import TrueLine
from antisite.simulate.truth.truth import Truth

NEAR = 1.5  # cells, how near a line or a core counts as found
COUNTED = 3  # layers of a lamella; fewer are a stacking fault, or too few to be told


@dataclass(kw_only=True)
class Tally:
    """What came of some scenes; lists hold one number per object."""

    scenes: int = 0
    refused: int = 0
    lines: int = 0
    lines_found: int = 0
    cores: int = 0
    cores_found: int = 0
    false: int = 0
    covered: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)  # cells, median of each line
    core_error: list[float] = field(default_factory=list)  # cells
    burgers: list[bool] = field(default_factory=list)
    turn_error: list[float] = field(default_factory=list)  # degrees
    shift_error: list[float] = field(default_factory=list)  # cells
    mirror: list[bool] = field(default_factory=list)
    kind: list[bool] = field(default_factory=list)  # not asked of a lamella without displacement
    layers: list[bool] = field(default_factory=list)  # of lamellae whose layers are counted
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass(frozen=True, kw_only=True)
class Job:
    """A scene to be made and looked at."""

    kind: str
    px_per_cell: float
    dose: float
    drift: float
    seed: int


def look(image: Image) -> Result:
    """The search at default settings, without planting."""
    return find_defects(image, settings=Settings(self_check=False))


def found_lines(result: Result) -> list[dict[str, Any]]:
    """The boundaries and faults of a result."""
    return list((result.summary.get("planar") or {}).get("boundaries", []))


def found_cores(result: Result) -> list[dict[str, Any]]:
    """The dislocations of a result."""
    return list((result.summary.get("planar") or {}).get("dislocations", []))


def n_rows(result: Result) -> int:
    """How many planar objects stand in the table of defects."""
    return int(result.defects["kind"].isin([*PLANAR_KINDS, "dislocation"]).sum())


def paths_of(lines: Iterable[dict[str, Any]]) -> list[np.ndarray]:
    """(n, 2) px (y, x) each."""
    return [np.array(line["path"], dtype=float)[:, ::-1] for line in lines]


def places_of(cores: Iterable[dict[str, Any]]) -> np.ndarray:
    """(N, 2) px (y, x)."""
    return np.array([(core["y"], core["x"]) for core in cores], dtype=float).reshape(-1, 2)


def judge(job: Job) -> tuple[Job, Tally]:
    """Make a scene, search it, compare."""
    image, truth = scenes.make_scene(
        job.kind, job.seed, px_per_cell=job.px_per_cell, dose=job.dose, drift=job.drift
    )
    tally = Tally(scenes=1)
    start = time.perf_counter()
    try:
        result = look(image)
    except AntisiteError:
        tally.refused, tally.lines, tally.cores = 1, len(truth.lines), len(truth.cores)
        return job, tally
    tally.seconds.append(time.perf_counter() - start)
    _judge_lines(tally, result, truth, job)
    _judge_cores(tally, result, truth, job, image.shape)
    return job, tally


def _judge_lines(tally: Tally, result: Result, truth: Truth, job: Job) -> None:
    lines = found_lines(result)
    scores = score_lines(paths_of(lines), [line.path for line in truth.lines], within=NEAR * job.px_per_cell)
    tally.lines, tally.lines_found = len(truth.lines), int(scores.found.sum())
    tally.false += len(scores.false)
    tally.covered += scores.covered.tolist()
    tally.distance += (scores.median[np.isfinite(scores.median)] / job.px_per_cell).tolist()
    longest: dict[int, dict[str, Any]] = {}
    for i, j in scores.pairs.tolist():
        if j not in longest or lines[i]["length"] > longest[j]["length"]:
            longest[j] = lines[i]
    for j, line in longest.items():
        _judge_numbers(tally, line, truth.lines[j], truth.cell, result)


def _judge_numbers(
    tally: Tally, line: dict[str, Any], true: TrueLine, cell: np.ndarray, result: Result
) -> None:
    """Angle, mirror and displacement of a line that was found; a number not given is as wrong as can be."""
    if true.kind == "grain_boundary":
        given = line["misorientation"]
        tally.turn_error.append(90.0 if given is None else abs(math.degrees(given - true.least_rotation)))
    if true.kind != "planar_defect":
        tally.kind.append(line["kind"] == true.kind)
    if true.mirror:
        tally.mirror.append(bool(line["mirror"]))
    if true.layers >= COUNTED:
        tally.layers.append(line["name"] == f"twin lamella of {true.layers} layers")
    if true.shift is not None:
        if line["shift"] is None:
            tally.shift_error.append(0.5)
            return
        own = np.array(result.grains[line["grains"][0]]["lattice"]["vectors"])
        tally.shift_error.append(
            shift_error(np.array(line["shift"]) @ own, np.array(true.shift) @ cell, cell)
        )


def shift_error(found: np.ndarray, true: np.ndarray, cell: np.ndarray) -> float:
    """How far two displacements [px] differ, in cells, either sign and whole cell vectors being the same."""
    steps = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 2), axis=-1).reshape(-1, 2) @ cell
    misses = [np.hypot(*(found - sign * true - steps).T).min() for sign in (-1, 1)]
    return float(min(misses)) / scenes.cell_size(cell)


def _judge_cores(tally: Tally, result: Result, truth: Truth, job: Job, shape: tuple[int, int]) -> None:
    """Cores near the frame are neither asked for nor false, nor those in a boundary of a large angle."""
    cores, size = found_cores(result), job.px_per_cell
    places, true_places = places_of(cores), np.array([c.position for c in truth.cores]).reshape(-1, 2)
    unknown = (math.nan, math.nan)
    burgers = [(c["burgers_px"] or unknown)[::-1] for c in cores]
    true_burgers = np.array([c.burgers for c in truth.cores]).reshape(-1, 2) @ truth.cell
    scores = score_cores(
        places, true_places, within=NEAR * size, found_burgers=burgers, true_burgers=true_burgers
    )
    away = (4 if size > 30 else 6) * size

    def inner(points: np.ndarray) -> np.ndarray:
        return ((points >= away) & (points <= np.array(shape) - 1 - away)).all(axis=1)

    asked = inner(true_places)
    kept = asked[scores.pairs[:, 1]]
    tally.cores, tally.cores_found = int(asked.sum()), int(kept.sum())
    tally.core_error += (scores.distance[kept] / size).tolist()
    tally.burgers += scores.burgers_right[kept].tolist()
    alone = np.setdiff1d(np.arange(len(places)), scores.pairs[:, 0])
    excused = ~inner(places)
    for line in truth.lines:
        if line.kind == "grain_boundary" and not truth.cores:
            excused |= distance_to_path(places, line.path) <= 2 * NEAR * size
    tally.false += int((~excused[alone]).sum())


def judge_perfect(seed: int) -> dict[str, float]:
    """Objects and grains in a perfect image, and how its strain noise compares with what is stated."""
    image, drift = scenes.perfect_image(seed)
    try:
        result = look(image)
    except AntisiteError:
        return {"refused": 1}
    told = {"objects": n_rows(result), "grains": len(result.grains), "seed": seed}
    strain, exx = result.summary.get("strain"), result.maps.get("exx")
    if strain and exx is not None and not drift and np.isfinite(exx).sum() > 30:
        told["noise"] = float(np.nanstd(exx)) / strain["noise"]["strain"]
    return told
