"""Many fields of one specimen on disk: labelled patches as shards, or whole images in a layout of others."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from glob import escape
from pathlib import Path
from typing import Any

from .._optional import require
from ..errors import ChoiceError, InputError
from ..io.tables import to_json
from ..io.whole_folders import partial_folder, publish
from ..io.writing import write_bytes, writing
from ..simulate.dataset.cases import Case
from ..simulate.dataset.patch_shards import MANIFEST, find_shards, half_shards, shard_path, write_shards
from ..simulate.dataset.stream import PatchStream
from ..simulate.progress import Progress
from ..simulate.truth.label_files import LAYOUTS
from .distribute import check_scheduler, distribute_shards
from .provenance import origin
from .simulation import Simulation, saturation
from .simulation_files import SCHEMA, SUMMARY

SHARDS = "zarr"
FORMATS = (SHARDS, *LAYOUTS)
_ONE_DETECTOR = ("yolo", "coco")
PATCH = 32
"""px, edge of a patch unless said otherwise."""
MOST_FIELDS = 1_000_000
"""What the names of files have digits for."""
_MOST = 16  # fields of a shard
_FIELD = "_" + "[0-9]" * 8


def run_fields(
    chosen: Simulation,
    out: Path,
    *,
    count: int,
    layout: str,
    patch: int = PATCH,
    scheduler: str = "",
    overwrite: bool = False,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
    count_done: Callable[[Iterable[Any], int], Iterable[Any]] = lambda items, _: items,
) -> tuple[Path, dict[str, Any]]:
    """Simulate many fields, each with its own seed, direction and place, and write them.

    Shards that are there already stay; images are written all or not at all.

    Parameters
    ----------
    chosen : its rotation is not used.
    count : how many fields.
    layout : one of `FORMATS`.
    patch : px, edge of the patches in shards.
    scheduler : address of Dask's scheduler, which makes shards.
    progress, count_done : wrap the tables, and the images or shards with their number.

    Returns
    -------
    The folder `out`/<name of the specimen>_fields, and the summary in it.

    Raises
    ------
    InputError
        A value that no stream has, or no scheduler answers.
    ChoiceError
        Other files or more shards are there, and `overwrite` is False.
    MissingExtraError
        Shards are asked for, and what writes them is not installed.
    """
    crystal = chosen.find_crystal()
    n_detectors = len(chosen.optics.detectors)
    check_fields(count=count, layout=layout, scheduler=scheduler, n_detectors=n_detectors)
    chosen.check(crystal)
    folder = out / f"{crystal.name}_fields"
    if not overwrite:
        _refuse_fields(folder, crystal.name, layout=layout, count=count)
    distributed = layout == SHARDS and bool(scheduler or workers > 1)
    if layout == SHARDS:
        require("zarr", extra="dataset")
    if distributed:
        require("distributed", extra="dataset")
    if scheduler:
        check_scheduler(scheduler)
    stream = PatchStream(
        cases=(_case(chosen),),
        size=patch if layout == SHARDS else 1,
        shape=chosen.shape,
        pixel_size=chosen.pixel_size,
        seed=chosen.seed,
        cache=cache,
        workers=workers,
        progress=progress,
    )
    about: dict[str, Any] = {"chosen": chosen, "name": crystal.name, "count": count, "layout": layout}
    about["cautions"] = [*chosen.optics.cautions, *_saturation(stream, chosen)]
    if layout != SHARDS:
        summary = _summary(**about)
        with partial_folder(folder) as partial:
            LAYOUTS[layout](count_done(stream.images(0, count, workers=workers), count), partial)
            write_bytes(partial / SUMMARY, to_json(summary).encode())
            _remove_fields(folder, crystal.name)
            publish(partial, folder, files=(), last=SUMMARY)
        return folder, summary
    if overwrite:
        _remove_fields(folder, crystal.name)
    size = fields_per_shard(count)
    paths = [shard_path(folder, number) for number in range(count // size)]
    n_missing = sum(not path.exists() for path in paths)
    how: dict[str, Any] = {
        "n_shards": len(paths),
        "fields_per_shard": size,
        "progress": lambda shards: count_done(shards, n_missing),
    }
    if distributed:
        distribute_shards(stream, folder, scheduler=scheduler, workers=workers, **how)
    else:
        write_shards(stream, folder, **how)
    summary = _summary(
        **about,
        patch=patch,
        n_patches=sum(map(_n_patches, paths)),
        n_shards=len(paths),
        fields_per_shard=size,
    )
    write_bytes(folder / SUMMARY, to_json(summary).encode())
    return folder, summary


def check_fields(*, count: int, layout: str, scheduler: str = "", n_detectors: int = 1) -> None:
    """Refuse what no fields can be written as, before anything is computed."""
    if not 1 <= count <= MOST_FIELDS:
        raise InputError(
            f"the number of fields must be 1 to {MOST_FIELDS:,}, got {count:,} (for more take several seeds)"
        )
    if layout not in FORMATS:
        near = get_close_matches(layout.casefold(), FORMATS, n=1, cutoff=0)[0]
        raise InputError(f"the format must be one of {', '.join(FORMATS)}, got {layout!r} (nearest: {near})")
    if n_detectors > 1 and layout in _ONE_DETECTOR:
        raise InputError(
            f"{layout} images hold one detector, got {n_detectors} (choose {SHARDS} or tiff, or one detector)"
        )
    if scheduler and layout != SHARDS:
        raise InputError(f"a scheduler makes shards, not {layout} files (choose {SHARDS}, or leave it out)")


def fields_per_shard(count: int) -> int:
    """The largest number up to 16 that divides the fields into equal shards.

    Examples
    --------
    >>> fields_per_shard(64), fields_per_shard(100), fields_per_shard(7)
    (16, 10, 7)
    """
    return next(size for size in range(min(count, _MOST), 0, -1) if count % size == 0)


def _case(chosen: Simulation) -> Case:
    return Case(
        specimen=chosen.specimen,
        zone_axis=chosen.zone_axis,
        thickness=chosen.thickness,
        defects=chosen.defects,
        optics=chosen.optics,
        recording=chosen.recording,
    )


def _n_patches(path: Path) -> int:
    return int(require("zarr", extra="dataset").open_array(str(path / "kind"), mode="r").shape[0])


def _saturation(stream: PatchStream, chosen: Simulation) -> list[str]:
    """What the first field has lost to whole numbers of few bits."""
    readout = chosen.recording.readout
    first = stream.images(0, 1) if readout.bits else ()
    return [f"in the first field {words}" for _, image, _ in first for words in saturation(image, readout)]


def _summary(
    *, chosen: Simulation, name: str, count: int, layout: str, cautions: list[str], **told: int
) -> dict[str, Any]:
    settings = chosen.settings()
    del settings["rotation"]
    return {
        "schema": SCHEMA,
        "name": name,
        "format": layout,
        "n_fields": count,
        "shape": list(chosen.shape),
        "pixel_size": chosen.pixel_size,
        **told,
        "settings": settings,
        "warnings": cautions,
        "provenance": origin(chosen.source, seed=chosen.seed),
    }


def _fields_there(folder: Path, name: str) -> list[Path]:
    """What an earlier run left; nobody else's files."""
    field = f"{escape(name)}{_FIELD}"
    images = [f"images/{field}.png", f"labels/{field}.txt", f"{field}.truth.json"]
    images += [f"{field}.tif", f"{field}_[0-9]*.tif"]
    others = [SUMMARY, MANIFEST, "dataset.yaml", "kinds.txt", "annotations.json"]
    with writing(folder):
        shards = [shard_path(folder, number) for number in find_shards(folder)] + half_shards(folder)
        return [*shards, *(path for pattern in images + others for path in sorted(folder.glob(pattern)))]


def _refuse_fields(folder: Path, name: str, *, layout: str, count: int) -> None:
    """Refuse to replace earlier fields; shards go on where they were left, and are not made fewer."""
    there = _fields_there(folder, name)
    resumes = layout == SHARDS and (folder / MANIFEST).exists()
    if there and not resumes:
        raise ChoiceError(
            f"a simulation is kept unless you say otherwise, and {folder} holds "
            f"{there[0].relative_to(folder)} (give --overwrite or another --out)"
        )
    more = [number for number in find_shards(folder) if number >= count // fields_per_shard(count)]
    if more:
        raise ChoiceError(
            f"shards are kept unless you say otherwise, and {folder} holds {shard_path('', more[0])}, "
            f"before which {count} fields end (give a larger --count, --overwrite or another --out)"
        )


def _remove_fields(folder: Path, name: str) -> None:
    """Remove what an earlier run left, the manifest after its shards."""
    with writing(folder):
        for path in _fields_there(folder, name):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        for place in (folder / "images", folder / "labels"):
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
