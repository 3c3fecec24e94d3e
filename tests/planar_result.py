"""A result with grains, boundaries, a fault, dislocations and strain, as the pipeline would describe it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from antisite.defects import defect_table
from antisite.image import Image
from antisite.result import Result
from antisite.simulate.sketch.columns import draw_columns

SHAPE = (400, 480)
CELL = 14 * np.array([[0.0, 1.0], [math.sqrt(3) / 2, 0.5]])
BOUNDARY = np.array([[280.0, -0.5], [262.0, 150.0], [300.0, 280.0], [286.0, 399.5]])  # x, y
FAULT = np.array([[20.0, 230.0], [185.0, 230.0]])
CORES = ((185.0, 230.0), (120.0, 90.0), (205.0, 330.0))
TILT = math.radians(17.3)


def _side(points: np.ndarray) -> np.ndarray:
    """Whether points (n, 2) as (y, x) lie to the right of the grain boundary."""
    return points[:, 1] > np.interp(points[:, 0], BOUNDARY[:, 1], BOUNDARY[:, 0])


def _columns() -> np.ndarray:
    ij = np.stack(np.meshgrid(np.arange(-60, 61), np.arange(-60, 61)), axis=-1).reshape(-1, 2)
    places = ij @ CELL + np.array(SHAPE) / 2
    turn = np.array([[math.cos(TILT), -math.sin(TILT)], [math.sin(TILT), math.cos(TILT)]])
    first, second = places, (places - 200) @ turn + 200
    below = (first[:, 0] > 230) & (first[:, 1] < 185)
    first = np.where(below[:, None], first + CELL[0] / 3, first)
    return np.concatenate([first[~_side(first)], second[_side(second)]])


def _line(points: np.ndarray) -> str:
    return "LINESTRING (" + ", ".join(f"{x:g} {y:g}" for x, y in points) + ")"


def _length(points: np.ndarray) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _boundaries(pixel_size: float, first: int) -> list[dict[str, Any]]:
    shared = {
        "path_sd": 1.1,
        "width": 20.0,
        "grains": [0, 0],
        "mirror": None,
        "shift": None,
        "shift_sd": None,
    }
    angles = {"misorientation": None, "misorientation_sd": None}
    rows = [
        {
            "kind": "grain_boundary",
            "name": "",
            "points": BOUNDARY,
            "grains": [0, 1],
            "misorientation": TILT,
            "misorientation_sd": 0.0009,
            "mirror": False,
        },
        {
            "kind": "stacking_fault",
            "name": "intrinsic stacking fault",
            "points": FAULT,
            "shift": [1 / 3, -0.01],
            "shift_sd": [0.006, 0.009],
        },
    ]
    done = []
    for i, row in enumerate(rows):
        points = row.pop("points")
        length = _length(points)
        known = length * pixel_size / 10 if not math.isnan(pixel_size) else None
        own = {"id": first + i, "length": length, "length_nm": known, "path": points.tolist()}
        done.append(shared | angles | row | own)
    return done


def _dislocations(pixel_size: float, first: int) -> list[dict[str, Any]]:
    burgers = ([1 / 3, 0.0], [1.0, 0.0], None)
    rows = []
    for i, ((x, y), fractions) in enumerate(zip(CORES, burgers, strict=True)):
        vector = None if fractions is None else (np.array(fractions) @ CELL)[::-1]
        known = vector is not None and not math.isnan(pixel_size)
        rows.append(
            {
                "id": first + i,
                "x": x,
                "y": y,
                "sd": 2.5,
                "burgers": fractions,
                "burgers_px": None if vector is None else vector.tolist(),
                "burgers_A": (vector * pixel_size).tolist() if known else None,
                "partial": i == 0,
                "boundary": first - 1 if i == 0 else None,
                "grain": 0,
            }
        )
    return rows


def _densities(n_lines: int, n_cores: int, *, unit: str) -> dict[str, Any]:
    """Of lines in 1/unit, of cores and faults in 1/unit²."""
    count = {"value": 0.00125 * n_cores, "low": 0.00026 * n_cores, "high": 0.0036 * n_cores or 0.0046}
    lines = {"value": 0.0048 * n_lines, "low": 0.0006 * n_lines, "high": 0.0173 * n_lines or 0.005}
    return {
        "length_density": lines | {"unit": f"1/{unit}"},
        "dislocation_density": count | {"n": n_cores, "unit": f"1/{unit}2"},
        "fault_density": count | {"n": n_lines // 2, "unit": f"1/{unit}2"},
    }


def _strain(n_grains: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Maps with the field of a wave and some noise, nothing known near the frame."""
    window, step = 18.0, (13.8, 13.7)
    noise = {"strain": 0.0011, "rotation": 0.0008, "displacement": 0.04}
    m, n = (int((side - 1) / s) + 1 for side, s in zip(SHAPE, step, strict=True))
    y, x = np.meshgrid(np.arange(m) * step[0], np.arange(n) * step[1], indexing="ij")
    rng = np.random.default_rng(3)
    known = (y > 20) & (y < SHAPE[0] - 20) & (x > 20) & (x < SHAPE[1] - 20)
    if n_grains > 1:
        known &= np.abs(x - np.interp(y, BOUNDARY[:, 1], BOUNDARY[:, 0])) > 18
    maps = {}
    for i, name in enumerate(("exx", "eyy", "exy", "rotation", "uy", "ux")):
        values = 0.006 * np.sin(x / 60 + i) * np.cos(y / 75 - i) + rng.normal(0, 0.0011, x.shape)
        maps[name] = np.where(known, values * (1 if i < 4 else 100), np.nan).astype(np.float32)
    grains = [{"grain": i, "noise": noise, "rotation_mean": 0.0} for i in range(n_grains)]
    told = {"window": window, "resolution": 2.3548 * window, "step": list(step), "origin": [0.0, 0.0]}
    return told | {"noise": noise, "grains": grains}, maps


def with_planar(result: Result, *, found: bool = True, pixel_size: float = 0.25) -> Result:
    """The result around an image of two grains with a fault and dislocations, or of one with none of it."""
    rng = np.random.default_rng(7)
    columns = _columns()
    pixels = draw_columns(columns, np.ones(len(columns)), shape=SHAPE, sigma=2.2)
    image = Image(pixels + rng.normal(0, 0.08, SHAPE), pixel_size=pixel_size, name=result.image.name)
    domain = np.zeros(SHAPE, dtype=np.int8)
    domain[:28, :150] = -1
    if found:
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        right = _side(np.column_stack([y.ravel(), x.ravel()])).reshape(SHAPE)
        domain[right & (domain == 0)] = 1
    first = int(result.sites["id"].to_numpy().max(initial=-1)) + 1
    boundaries = _boundaries(pixel_size, first) if found else []
    dislocations = _dislocations(pixel_size, first + len(boundaries)) if found else []
    table = [result.defects]
    if found:
        table += [_line_rows(boundaries), _core_rows(dislocations)]
    strain, maps = _strain(1 + found)
    unit = "px" if math.isnan(pixel_size) else "nm"
    planar = {"boundaries": boundaries, "dislocations": dislocations, "warnings": []}
    planar |= _densities(len(boundaries), len(dislocations), unit=unit)
    grains = [{**grain, "grain": i} for grain in result.summary["grains"][:1] for i in range(1 + found)]
    counts = {kind: int(n) for kind, n in _join(table)["kind"].value_counts().items()}
    known = {
        "planar": planar,
        "strain": strain,
        "counts": counts,
        "shape": list(SHAPE),
        "n_domains": 1 + found,
    }
    known["grains"] = grains
    known["pixel_size"] = None if math.isnan(pixel_size) else pixel_size
    return replace(
        result,
        image=image,
        defects=_join(table),
        maps=result.maps | {"domain": domain} | maps,
        summary=result.summary | known,
    )


def _join(tables: list[Any]) -> Any:
    import pandas as pd

    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]


def _line_rows(boundaries: list[dict[str, Any]]) -> Any:
    paths = [np.array(one["path"]) for one in boundaries]
    shift = [one["shift"] or (math.nan, math.nan) for one in boundaries]
    return defect_table(
        {
            "id": [one["id"] for one in boundaries],
            "kind": [one["kind"] for one in boundaries],
            "path": [_line(path) for path in paths],
            "x": [path[:, 0].mean() for path in paths],
            "y": [path[:, 1].mean() for path in paths],
            "length": [one["length"] for one in boundaries],
            "width": 20.0,
            "angle": 0.0,
            "misorientation": [one["misorientation"] or math.nan for one in boundaries],
            "rx": [one[0] for one in shift],
            "ry": [one[1] for one in shift],
            "method": "planar",
        }
    )


def _core_rows(dislocations: list[dict[str, Any]]) -> Any:
    vectors = [one["burgers_A"] or (math.nan, math.nan) for one in dislocations]
    return defect_table(
        {
            "id": [one["id"] for one in dislocations],
            "kind": "dislocation",
            "x": [one["x"] for one in dislocations],
            "y": [one["y"] for one in dislocations],
            "bx": [one[0] for one in vectors],
            "by": [one[1] for one in vectors],
            "method": "planar",
        }
    )
