"""Labelled images in the layouts that other programs train on: YOLO-OBB, COCO, and TIFF beside JSON.

Pixels count from their corner there: half a pixel is added to every coordinate.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...defects import LINE_KINDS, POINT_KINDS
from ...errors import InputError
from ...image import Image
from ...io.image_files import tiff_bytes
from ...io.writing import write_bytes
from .oriented_boxes import box_corners, clip_polygon, oriented_boxes
from .truth import Truth, truth_json

LABEL_KINDS = (*POINT_KINDS, *LINE_KINDS)
"""The kinds in label files; a kind's number is its place here, COCO adds one."""

Labelled = tuple[str, Image, Truth]
"""Name of the file without its ending, the image, and what is in it."""


def yolo_text(boxes: pd.DataFrame, *, shape: tuple[int, int]) -> str:
    """Oriented boxes as lines `number x1 y1 … x4 y4`, from 0 to 1 of the frame, beyond which they are cut.

    Parameters
    ----------
    boxes : from `oriented_boxes`.
    shape : (y, x) px
    """
    lines = []
    for kind, corners in zip(boxes["kind"], box_corners(boxes), strict=True):
        shares = np.clip((corners[:, ::-1] + 0.5) / shape[::-1], 0, 1)
        lines.append(" ".join([str(_number(kind)), *(f"{share:.6f}" for share in shares.ravel())]) + "\n")
    return "".join(lines)


def coco_labels(images: Iterable[tuple[str, tuple[int, int], pd.DataFrame]]) -> dict[str, Any]:
    """Oriented boxes of several images as COCO's dictionary.

    `segmentation` is the box cut by the frame, `bbox` what stands upright round it; `angle` [rad] is kept,
    and `box` is the whole one: x, y of its centre, length, width [px].

    Parameters
    ----------
    images : file name, (y, x) px, and boxes from `oriented_boxes`.
    """
    heads: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for i, (name, (height, width), boxes) in enumerate(images, start=1):
        heads.append({"id": i, "file_name": name, "height": height, "width": width})
        rows = boxes.to_dict("records")
        for row, corners in zip(rows, box_corners(boxes), strict=True):
            polygon = clip_polygon(corners, shape=(height, width))[:, ::-1] + 0.5
            if len(polygon) < 3:
                continue
            low, high = polygon.min(axis=0), polygon.max(axis=0)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": _number(row["kind"]) + 1,
                    "bbox": _rounded([*low, *(high - low)]),
                    "segmentation": [_rounded(polygon.ravel())],
                    "area": round(_area(polygon), 3),
                    "iscrowd": 0,
                    "angle": round(row["angle"], 6),
                    "box": _rounded([row["x"] + 0.5, row["y"] + 0.5, row["length"], row["width"]]),
                }
            )
    kinds = [{"id": i + 1, "name": kind, "supercategory": "defect"} for i, kind in enumerate(LABEL_KINDS)]
    return {"images": heads, "annotations": annotations, "categories": kinds}


def write_yolo(items: Iterable[Labelled], folder: str | Path, *, channel: int = 0) -> None:
    """Write `images/*.png` (8 bit), `labels/*.txt` (YOLO-OBB), `kinds.txt` and, last, `dataset.yaml`.

    Parameters
    ----------
    channel : of the image, where there are several detectors.
    """
    folder, seen = Path(folder), set[str]()
    for name, image, truth in items:
        _check_name(name, seen)
        text = yolo_text(oriented_boxes(truth), shape=image.shape)
        write_bytes(folder / "images" / f"{name}.png", _png(image, channel))
        write_bytes(folder / "labels" / f"{name}.txt", text.encode())
    write_bytes(folder / "kinds.txt", "".join(f"{kind}\n" for kind in LABEL_KINDS).encode())
    names = "".join(f"  {i}: {kind}\n" for i, kind in enumerate(LABEL_KINDS))
    write_bytes(folder / "dataset.yaml", f"train: images\nval: images\nnames:\n{names}".encode())


def write_coco(items: Iterable[Labelled], folder: str | Path, *, channel: int = 0) -> None:
    """Write `images/*.png` (8 bit) and, last, `annotations.json` of all of them.

    Parameters
    ----------
    channel : of the image, where there are several detectors.
    """
    folder, seen, labels = Path(folder), set[str](), []
    for name, image, truth in items:
        _check_name(name, seen)
        labels.append((f"{name}.png", image.shape, oriented_boxes(truth)))
        write_bytes(folder / "images" / f"{name}.png", _png(image, channel))
    content = json.dumps(coco_labels(labels), indent=1) + "\n"
    write_bytes(folder / "annotations.json", content.encode())


def write_tiff_json(items: Iterable[Labelled], folder: str | Path) -> None:
    """Write `*.tif` (float32, calibrated) and `*.truth.json`, which `antisite evaluate --truth` reads.

    Each detector has a file of its own, `NAME_1.tif`, `NAME_2.tif` where there are several.
    """
    folder, seen = Path(folder), set[str]()
    for name, image, truth in items:
        _check_name(name, seen)
        endings = [""] if image.n_channels == 1 else [f"_{i + 1}" for i in range(image.n_channels)]
        files = [f"{name}{ending}.tif" for ending in endings]
        for file, pixels in zip(files, image.channels, strict=True):
            write_bytes(folder / file, tiff_bytes(pixels, image.pixel_size))
        text = truth_json(truth, image=files[0] if len(files) == 1 else files)
        write_bytes(folder / f"{name}.truth.json", text.encode())


LAYOUTS: dict[str, Callable[[Iterable[Labelled], str | Path], None]] = {
    "yolo": write_yolo,
    "coco": write_coco,
    "tiff": write_tiff_json,
}
"""Writers by the name of their layout; each takes labelled images and a folder."""


def _number(kind: str) -> int:
    if kind not in LABEL_KINDS:
        raise InputError(f"a kind in a label file must be one of {', '.join(LABEL_KINDS)}, got {kind!r}")
    return LABEL_KINDS.index(kind)


def _check_name(name: str, seen: set[str]) -> None:
    if not name or Path(name).name != name or name in seen:
        raise InputError(
            f"every labelled image must have a file name of its own, without folders, got {name!r}"
        )
    seen.add(name)


def _png(image: Image, channel: int) -> bytes:
    """The image in 256 greys, from its darkest to its brightest pixel."""
    from PIL import Image as Picture

    pixels = image.channels[channel]
    low, high = float(pixels.min()), float(pixels.max())
    greys = np.round((pixels - low) * (255 / (high - low if high > low else 1))).astype(np.uint8)
    buffer = io.BytesIO()
    Picture.fromarray(greys).save(buffer, format="PNG")
    return buffer.getvalue()


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]


def _area(polygon: NDArray[np.float64]) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
