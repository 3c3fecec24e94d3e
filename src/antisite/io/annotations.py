"""What people or simulations say is in an image, read into one table of truth.

Label files are JSON: `{"objects": [{"x": 12.5, "y": 40, "label": "Se_vacancy"}, …]}`, lines with
`"points": [[x, y], …]` instead of `x` and `y`. Coordinates are px, the centre of a pixel is an integer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from ..defects import KINDS, path_text
from ..errors import InputError
from .images import read_image

KIND_OF_WORD = {
    "W": "none",
    "Se2": "none",
    "Se_vacancy": "partial_vacancy",
    "Se2_vacancy": "vacancy",
    "Cr_on_W": "substitution",
    "Ti_on_W": "substitution",
    "V_on_W": "substitution",
    "dim_metal_site": "substitution",
    "grain_boundary_dislocation_core": "dislocation",
}
NOT_SCORED = "uncertain"


def read_annotations(path: str | Path) -> pd.DataFrame:
    """The labels of one image, one row per object.

    Parameters
    ----------
    path : a JSON file with a list `objects`; each has a `label` and `x`, `y` or `points` [px].

    Returns
    -------
    columns `y`, `x` [px, for a line its centre of mass], `label` (the source's own word), `kind`
    (from the closed list), `path` (WKT for lines, else empty) and `scored` (False where the source
    itself is uncertain).

    Raises
    ------
    InputError
        The file cannot be read, or an object lacks a position or a word that is known.
    """
    path = Path(path)
    return _truth_table([_read_object(path.name, i, item) for i, item in enumerate(_read_objects(path))])


def labelled_images(path: str | Path) -> tuple[str, ...]:
    """File names of the images that a label file says it belongs to; none where it does not say.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    names = _read_content(Path(path)).get("image")
    names = names if isinstance(names, list) else [names]
    return tuple(name for name in names if isinstance(name, str) and name)


def read_label_map(path: str | Path, *, words: Mapping[int, str]) -> pd.DataFrame:
    """The truth of an image painted as a map: every connected patch of one value is an object.

    Parameters
    ----------
    path : an image file of whole numbers, 0 where nothing is.
    words : the label that each value stands for.

    Returns
    -------
    the same table as `read_annotations`, positions at the centres of the patches.

    Raises
    ------
    InputError
        The file cannot be read, or holds a value without a word.
    """
    values = read_image(path).pixels
    unknown = sorted(set(np.unique(values).tolist()) - {0.0} - {float(value) for value in words})
    if unknown:
        raise InputError(
            f"every value of a label map must have a word, "
            f"got {unknown[0]:g} in {Path(path).name} (known: {', '.join(map(str, sorted(words)))})"
        )
    rows = []
    for value, word in sorted(words.items()):
        patches, n = ndimage.label(values == value)
        centres = ndimage.center_of_mass(patches > 0, patches, range(1, n + 1))
        rows += [_truth_row(y, x, word, where=Path(path).name) for y, x in centres]
    return _truth_table(rows)


def _read_content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"a label file must be readable, got {path.name}: {error.strerror} (check the path)"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(
            f"a label file must be JSON, got {path.name}, which is not (give the labels, not the image)"
        ) from error
    return content if isinstance(content, dict) else {}


def _read_objects(path: Path) -> list[Any]:
    objects = _read_content(path).get("objects")
    if not isinstance(objects, list):
        raise InputError(
            f'a label file must hold a list "objects", got none in {path.name} '
            f'({{"objects": [{{"x": 1, "y": 2, "label": "vacancy"}}]}})'
        )
    return objects


def _read_object(name: str, index: int, item: object) -> dict[str, Any]:
    where = f"object {index} of {name}"
    if not isinstance(item, dict) or not isinstance(item.get("label"), str):
        raise InputError(f'every object must have a "label", got none in {where}')
    if "points" not in item:
        y, x = (_number(item.get(axis), axis, where) for axis in "yx")
        return _truth_row(y, x, item["label"], where=where)
    points = _read_points(item["points"], where)
    y, x = _centre_of_line(points)
    return _truth_row(y, x, item["label"], where=where, path=path_text(np.array(points)[:, ::-1]))


def _read_points(points: object, where: str) -> list[tuple[float, float]]:
    if not isinstance(points, list) or len(points) < 2:
        raise InputError(f'"points" must be at least two pairs [x, y], got {points!r:.40} in {where}')
    for pair in points:
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f'"points" must be pairs [x, y], got {pair!r:.40} in {where}')
    return [(_number(x, "x", where), _number(y, "y", where)) for x, y in points]


def _number(value: object, axis: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f'"{axis}" must be a finite number [px], got {value!r:.40} in {where}')
    return float(value)


def _truth_row(y: float, x: float, word: str, *, where: str, path: str = "") -> dict[str, Any]:
    scored = not word.startswith(NOT_SCORED)
    kind = _kind_of(word, where) if scored else "other"
    return {"y": y, "x": x, "label": word, "kind": kind, "path": path, "scored": scored}


def _kind_of(word: str, where: str) -> str:
    if word in KINDS:
        return word
    if word not in KIND_OF_WORD:
        nearest = get_close_matches(word, [*KIND_OF_WORD, *KINDS], n=1, cutoff=0)[0]
        raise InputError(
            f"a label must be a kind of defect or a known word, "
            f"got {word!r:.40} in {where} (nearest: {nearest})"
        )
    return KIND_OF_WORD[word]


def _centre_of_line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(y, x), every piece weighed by its length."""
    xy = np.asarray(points)
    lengths = np.hypot(*np.diff(xy, axis=0).T)
    weights = lengths if lengths.sum() > 0 else np.ones_like(lengths)
    x, y = np.average((xy[1:] + xy[:-1]) / 2, axis=0, weights=weights)
    return float(y), float(x)


def _truth_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    types = {"y": "float64", "x": "float64", "label": "str", "kind": "str", "path": "str", "scored": "bool"}
    return pd.DataFrame(list(rows), columns=list(types)).astype(types)
