from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import graphene
from ase.io import write

from antisite.errors import AntisiteError, ChoiceError, InputError
from antisite.io.annotations import read_annotations
from antisite.io.images import read_image
from antisite.run.simulated_fields import fields_per_shard, run_fields
from antisite.run.simulation import Simulation
from antisite.run.simulation_files import SCHEMA
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.patch_shards import write_shards
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Readout, Recording
from antisite.simulate.scattering.optics import Optics

DEFECTS = PointDefects(vacancies={"C": 0.1})
OPTICS = Optics(beam_energy=60e3, static=True)
CHOSEN = Simulation(
    specimen="graphene",
    defects=DEFECTS,
    optics=OPTICS,
    recording=Recording(dose=1e5),
    shape=(48, 48),
    seed=3,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture
def run(cache: Path, tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    def ran(chosen: Simulation = CHOSEN, out: str = "out", **more: Any) -> tuple[Path, dict[str, Any]]:
        return run_fields(chosen, tmp_path / out, **({"count": 3, "cache": cache} | more))

    return ran


def content(folder: Path) -> dict[str, str]:
    """Checksum of every file but the summary, which knows the time."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "simulation.json"
    }


def test_images_are_those_of_the_stream_and_differ(run: Any, cache: Path) -> None:
    folder, summary = run(layout="tiff")
    case = Case(specimen="graphene", defects=DEFECTS, optics=OPTICS, recording=Recording(dose=1e5))
    stream = PatchStream(cases=(case,), shape=(48, 48), seed=3, cache=cache)
    pixels = []
    for name, image, truth in stream.images(0, 3):
        pixels.append(read_image(folder / f"{name}.tif").pixels)
        np.testing.assert_array_equal(pixels[-1], image.pixels)
        assert len(read_annotations(folder / f"{name}.truth.json")) == len(truth.sites)
    assert not (pixels[0] == pixels[1]).all()
    assert (folder.name, summary["n_fields"], len(list(folder.iterdir()))) == ("graphene_fields", 3, 7)
    assert json.loads((folder / "simulation.json").read_text(encoding="utf-8"))["format"] == "tiff"


@pytest.mark.parametrize("layout", ["yolo", "coco"])
def test_other_layouts_have_their_labels_and_workers_change_nothing(run: Any, layout: str) -> None:
    folder, _ = run(layout=layout)
    assert len(list((folder / "images").glob("graphene_0000000?.png"))) == 3
    assert (folder / ("annotations.json" if layout == "coco" else "dataset.yaml")).exists()
    again, _ = run(layout=layout, workers=2, out="other")
    assert content(folder) == content(again)


def test_images_are_kept_unless_told_otherwise_and_other_files_always(run: Any) -> None:
    folder, _ = run(layout="yolo")
    (folder / "images" / "mine.png").write_bytes(b"mine")
    before = content(folder)
    for layout in ("yolo", "tiff", "zarr"):
        with pytest.raises(ChoiceError, match="give --overwrite or another --out"):
            run(layout=layout)
    assert content(folder) == before
    run(layout="tiff", count=1, overwrite=True)
    left = {"graphene_00000000.tif", "graphene_00000000.truth.json", str(Path("images", "mine.png"))}
    assert set(content(folder)) == left
    assert not (folder / "labels").exists()


def test_names_with_brackets_are_overwritten_too(run: Any, tmp_path: Path) -> None:
    source = tmp_path / "a[1].cif"
    write(source, graphene(vacuum=2))
    chosen = replace(CHOSEN, specimen=str(source))
    folder, _ = run(chosen, layout="tiff")
    assert len(list(folder.iterdir())) == 7
    run(chosen, layout="tiff", count=1, overwrite=True)
    name = f"{folder.name.removesuffix('_fields')}_00000000"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.tif",
        f"{name}.truth.json",
        "simulation.json",
    }


def test_images_that_are_interrupted_leave_nothing(run: Any, tmp_path: Path) -> None:
    def stopped(items: Iterable[Any], _: int) -> Iterable[Any]:
        yield next(iter(items))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(layout="coco", count_done=stopped)
    assert not (tmp_path / "out").exists()


def test_a_thick_crystal_is_seen_along_the_axis_asked_for(run: Any) -> None:
    chosen = Simulation(specimen="Al", zone_axis=(1, 1, 0), thickness=6, optics=OPTICS, shape=(24, 24))
    folder, summary = run(chosen, layout="tiff", count=1)
    assert folder.name.startswith(chosen.find_crystal().name)
    assert summary["settings"]["zone_axis"] == (1, 1, 0)
    assert "rotation" not in summary["settings"]


def test_fields_whose_values_are_cut_to_few_bits_say_so(run: Any) -> None:
    bright = Recording(dose=1e5, readout=Readout(gain=50, bits=8))
    _, summary = run(replace(CHOSEN, recording=bright), layout="tiff", count=1)
    assert len(summary["warnings"]) == 1
    assert re.match(r"in the first field [\d.]+ % of the pixels are at 255, the", summary["warnings"][0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0, "layout": "zarr"}, "number of fields must be 1 to 1,000,000, got 0"),
        ({"count": 10**12, "layout": "zarr"}, r"got 1,000,000,000,000 \(for more take several seeds\)"),
        ({"layout": "zar"}, r"must be one of zarr, yolo, coco, tiff, got 'zar' \(nearest: zarr\)"),
        ({"layout": "coco", "scheduler": "tcp://127.0.0.1:9"}, "a scheduler makes shards, not coco files"),
    ],
)
def test_what_no_fields_can_be_is_refused(run: Any, tmp_path: Path, options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(**options)
    assert not (tmp_path / "out").exists()


def test_shards_are_equal_and_at_most_sixteen_fields() -> None:
    assert [fields_per_shard(count) for count in (1, 16, 17, 20, 64, 1000)] == [1, 16, 1, 10, 16, 10]


def test_shards_go_on_where_they_were_stopped(run: Any, cache: Path, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    totals: list[int] = []

    def stopped(shards: Iterable[Any], total: int) -> Iterable[Any]:
        totals.append(total)
        yield next(iter(shards))
        raise KeyboardInterrupt

    def counted(shards: Iterable[Any], total: int) -> Iterable[Any]:
        totals.append(total)
        return shards

    many: dict[str, Any] = {"layout": "zarr", "patch": 8, "count": 34}
    with pytest.raises(KeyboardInterrupt):
        run(**many, count_done=stopped)
    folder, summary = run(**many, count_done=counted)
    assert totals == [17, 16]
    assert (summary["n_shards"], summary["fields_per_shard"], summary["patch"]) == (17, 2, 8)
    case = Case(specimen="graphene", defects=DEFECTS, optics=OPTICS, recording=Recording(dose=1e5))
    stream = PatchStream(cases=(case,), size=8, shape=(48, 48), seed=3, cache=cache)
    write_shards(stream, tmp_path / "whole", n_shards=17, fields_per_shard=2)
    assert content(folder) == content(tmp_path / "whole")
    assert summary["n_patches"] == sum(map(len, stream.patches(0, 34)))


def test_shards_of_other_settings_need_to_be_overwritten(run: Any) -> None:
    pytest.importorskip("zarr")
    folder, _ = run(layout="zarr", patch=8)
    before = content(folder)
    with pytest.raises(InputError, match="shards made with other size"):
        run(layout="zarr", patch=12)
    assert content(folder) == before
    run(layout="zarr", patch=12, overwrite=True)
    fresh, _ = run(layout="zarr", patch=12, out="fresh")
    assert content(folder) == content(fresh) != before


def test_fewer_fields_than_are_there_need_to_be_overwritten(run: Any) -> None:
    pytest.importorskip("zarr")
    folder, _ = run(layout="zarr", patch=8, count=32)
    for foreign in ("shard_notes.zarr", ".shard_notes.partial"):
        (folder / foreign).mkdir()
    before, summary = content(folder), (folder / "simulation.json").read_bytes()
    with pytest.raises(ChoiceError, match=r"holds shard_000001\.zarr, before which 16 fields end \(give a"):
        run(layout="zarr", patch=8, count=16)
    assert (content(folder), (folder / "simulation.json").read_bytes()) == (before, summary)
    run(layout="zarr", patch=8, count=16, overwrite=True)
    left = {"shard_000000.zarr", "shard_notes.zarr", ".shard_notes.partial", "manifest.json"}
    assert {path.name for path in folder.iterdir()} == left | {"simulation.json"}
    _, more = run(layout="zarr", patch=8, count=32)
    assert (more["n_fields"], more["schema"]) == (32, SCHEMA)
    assert content(folder) == before


def test_processes_make_the_same_shards(run: Any) -> None:
    pytest.importorskip("zarr")
    pytest.importorskip("distributed")
    one, _ = run(layout="zarr", patch=8)
    two, _ = run(layout="zarr", patch=8, workers=2, out="two")
    assert content(one) == content(two)


def test_nothing_is_computed_for_a_scheduler_that_does_not_answer(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("zarr")
    pytest.importorskip("distributed")
    monkeypatch.setattr("antisite.run.distribute._PATIENCE", 0.5)
    monkeypatch.delattr("antisite.run.simulated_fields.PatchStream")
    with pytest.raises(InputError, match=r"must answer at tcp://127\.0\.0\.1:9"):
        run(layout="zarr", scheduler="tcp://127.0.0.1:9")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("module", ["zarr", "distributed"])
def test_what_writes_shards_is_asked_for_by_its_extra(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    if module == "distributed":
        pytest.importorskip("zarr")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AntisiteError, match=rf"needs {module} here: pip install 'antisite\[dataset\]'"):
        run(layout="zarr", workers=2)
    assert not (tmp_path / "out").exists()
