"""What is really in a simulated image."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...io.writing import write_bytes
from ..crystals.crystal import sublattice_name
from ..crystals.scene import Scene, nearest_spacing
from ..recording.scan_distortion import drift_positions
from .lines import TrueCore, TrueLine

Move = Callable[[NDArray[np.float64]], NDArray[np.float64]]
CONVENTION = "x = column, y = row, px, pixel centre = integer, origin top left"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Every column of an image, what is wrong with it, and the lines and dislocations among them.

    Parameters
    ----------
    sites : one row per site inside the frame: `y`, `x` [px], `kind`, `species` (empty where no
        atom is), `sublattice` ("A", "B", … or "hollow"); in a scene with lines also `grain`, a number of its
        own for every side of every boundary; in a sketch also `brightness` (peak before blur; 0 where no atom
        is).
    crystal : name of the crystal.
    cell : (2, 2) px, rows `a` and `b`, each (y, x), of the crystal before anything was turned; NaN: unknown.
    spacing : px between nearest columns of the perfect crystal; NaN: unknown.
    lines, cores : those inside the frame.
    """

    sites: pd.DataFrame
    crystal: str = ""
    cell: NDArray[np.float64] = field(default_factory=lambda: np.full((2, 2), np.nan))
    spacing: float = np.nan
    lines: tuple[TrueLine, ...] = ()
    cores: tuple[TrueCore, ...] = ()

    @property
    def defects(self) -> pd.DataFrame:
        """The sites that are not perfect."""
        return self.sites[self.sites["kind"] != "none"].reset_index(drop=True)


def scene_truth(scene: Scene, *, drift: NDArray[np.float64] | None = None) -> Truth:
    """What a perfect observer sees in the frame of a scene.

    Parameters
    ----------
    scene : with point defects in it or not.
    drift : (rows, 2) px, path of the specimen as `drift_path` draws it; none by default.
    """
    path = np.zeros((scene.shape[0], 2)) if drift is None else drift
    positions = drift_positions(scene.positions, path)
    inside = _inside(positions, scene.shape)
    sites = scene.sites[inside].reset_index(drop=True)
    y, x = positions[inside].T
    index = sites["index"].to_numpy()
    sites = sites.drop(columns=["index", "atoms"], errors="ignore").assign(y=y, x=x)
    columns = scene.crystal.columns
    for name, values in (
        ("kind", ["none"] * (len(columns) + 1)),
        ("species", [*(column.species for column in columns), ""]),
        ("sublattice", [sublattice_name(i) for i in (*range(len(columns)), -1)]),
    ):
        if name not in sites:
            sites[name] = pd.array(values, dtype="str").take(index % len(values))
    move = partial(drift_positions, path=path)
    return Truth(
        sites,
        crystal=scene.crystal.name,
        cell=scene.cell,
        spacing=nearest_spacing(scene),
        lines=_seen_lines(scene.lines, move, scene.shape),
        cores=_seen_cores(scene.cores, move, scene.shape),
    )


def crop_truth(truth: Truth, margin: int, *, shape: tuple[int, int]) -> Truth:
    """What is true of the frame inside a margin.

    Parameters
    ----------
    margin : px, on all sides.
    shape : (y, x) px of the frame inside.
    """

    def move(positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return positions - margin

    positions = move(truth.sites[["y", "x"]].to_numpy())
    y, x = positions.T
    return replace(
        truth,
        sites=truth.sites.assign(y=y, x=x)[_inside(positions, shape)].reset_index(drop=True),
        lines=_seen_lines(truth.lines, move, shape),
        cores=_seen_cores(truth.cores, move, shape),
    )


def truth_json(truth: Truth, *, image: str | list[str] = "") -> str:
    """The truth in the layout of a label file, positions rounded to a hundredth of a pixel.

    Parameters
    ----------
    image : file name of the image it belongs to, or of the files of its detectors.
    """
    head = {
        "image": image,
        "material": truth.crystal,
        "convention": CONVENTION,
        "label_source": "simulated with antisite: exact",
        "note": "every site inside the frame; label is the kind of defect, none where the site is perfect",
    }
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in _objects(truth))
    return json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "objects": [\n{lines}\n]\n}}\n'


def write_truth(truth: Truth, path: str | Path, *, image: str = "") -> None:
    """Write the truth as a label file that `antisite evaluate --truth` reads, whole or not at all."""
    write_bytes(Path(path), truth_json(truth, image=image).encode())


def _objects(truth: Truth) -> Iterator[dict[str, Any]]:
    """Sites from top to bottom, then lines, then dislocations."""
    for row in truth.sites.sort_values(["y", "x"]).to_dict("records"):
        yield {
            "x": round(row["x"], 2),
            "y": round(row["y"], 2),
            "label": row["kind"],
            "kind": "point",
            "species": row["species"],
            "sublattice": row["sublattice"],
        }
    for line in truth.lines:
        item: dict[str, Any] = {
            "points": np.round(thinned(line.path)[:, ::-1], 2).tolist(),
            "label": line.kind,
            "kind": "line",
        }
        if line.shift is not None:
            item["shift"] = list(line.shift)
        yield item | {"misorientation": line.misorientation, "mirror": line.mirror}
    for core in truth.cores:
        y, x = core.position
        yield {
            "x": round(x, 2),
            "y": round(y, 2),
            "label": "dislocation",
            "kind": "point",
            "burgers": list(core.burgers),
        }


def thinned(path: NDArray[np.float64], *, tolerance: float = 0.05) -> NDArray[np.float64]:
    """A path without the points that lie on the way between others.

    Parameters
    ----------
    path : (n, 2) px
    tolerance : px, how far a point that is left out may lie off the path.

    Examples
    --------
    >>> thinned(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [2.0, 5.0]])).tolist()
    [[0.0, 0.0], [2.0, 2.0], [2.0, 5.0]]
    """
    from skimage.measure import approximate_polygon

    return np.asarray(approximate_polygon(path, tolerance)) if len(path) > 2 else path


def _seen_lines(lines: Sequence[TrueLine], move: Move, shape: tuple[int, int]) -> tuple[TrueLine, ...]:
    """Lines where they are moved to, those inside the frame."""
    moved = [replace(true, path=_clip(move(true.path), shape)) for true in lines]
    return tuple(true for true in moved if len(true.path) > 1)


def _seen_cores(cores: Sequence[TrueCore], move: Move, shape: tuple[int, int]) -> tuple[TrueCore, ...]:
    """Dislocations where they are moved to, those inside the frame."""
    places = move(np.array([core.position for core in cores]).reshape(-1, 2))
    return tuple(
        replace(core, position=(float(y), float(x)))
        for core, (y, x), seen in zip(cores, places, _inside(places, shape), strict=True)
        if seen
    )


def _inside(positions: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(((positions >= -0.5) & (positions <= np.array(shape) - 0.5)).all(axis=1))


def _clip(path: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    return path[_inside(path, shape)]
