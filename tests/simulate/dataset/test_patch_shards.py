import hashlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from antisite.errors import InputError, MissingExtraError, OutputError
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.patch_shards import (
    MANIFEST,
    find_shards,
    make_shard,
    shard_path,
    start_shards,
    write_shards,
)
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Recording
from antisite.simulate.scattering.optics import Optics

zarr = pytest.importorskip("zarr")

CASE = Case(
    specimen="graphene",
    defects=PointDefects(vacancies={"C": 0.1}),
    optics=Optics(beam_energy=60e3, static=True),
)


def open_stream(seed):
    return PatchStream(cases=(CASE,), size=16, shape=(48, 48), seed=seed)


@pytest.fixture(scope="module")
def stream():
    return open_stream(1)


def content(folder):
    """Checksum of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def leave_half_a_shard(folder, *, days):
    """What a process leaves that was killed so many days ago."""
    half = folder / ".shard_000002.zarr.0123456789abcdef.partial"
    half.mkdir()
    (half / "zarr.json").write_text("{")
    then = time.time() - days * 86400
    for path in (half / "zarr.json", half):
        os.utime(path, (then, then))
    return half


def test_shards_hold_the_stream(stream, tmp_path):
    paths = write_shards(stream, tmp_path, n_shards=2, fields_per_shard=3)
    groups = [zarr.open_group(str(path), mode="r") for path in paths]
    for name in ("patches", "kind", "species", "sublattice", "offset"):
        expected = np.concatenate([getattr(batch, name) for batch in stream.patches(0, 6)])
        np.testing.assert_array_equal(np.concatenate([group[name][:] for group in groups]), expected)
    fields = np.concatenate([group["field"][:] for group in groups])
    np.testing.assert_array_equal(fields, np.repeat(np.arange(6), [len(b) for b in stream.patches(0, 6)]))
    assert groups[1].attrs["fields"] == [3, 6]
    assert groups[0]["conditions"].shape == (len(groups[0]["kind"][:]), len(stream.condition_names))
    assert groups[0]["case"][:].max() == 0


def test_bytes_are_the_same_whatever_the_number_of_workers(stream, tmp_path):
    for workers in (1, 3):
        write_shards(stream, tmp_path / str(workers), n_shards=2, fields_per_shard=4, workers=workers)
    assert content(tmp_path / "1") == content(tmp_path / "3")


def test_interrupted_store_is_resumed_and_complete_shards_stay(stream, tmp_path):
    class StoppedError(Exception):
        pass

    def stop_after_two(numbers):
        yield from list(numbers)[:2]
        raise StoppedError

    with pytest.raises(StoppedError):
        write_shards(stream, tmp_path / "a", n_shards=4, fields_per_shard=2, progress=stop_after_two)
    half = leave_half_a_shard(tmp_path / "a", days=2)
    before = [shard_path(tmp_path / "a", n).stat().st_mtime_ns for n in (0, 1)]
    made = []
    write_shards(
        stream,
        tmp_path / "a",
        n_shards=4,
        fields_per_shard=2,
        progress=lambda numbers: made.extend(numbers) or iter(made),
    )
    assert made == [2, 3]
    assert not half.exists()
    assert before == [shard_path(tmp_path / "a", n).stat().st_mtime_ns for n in (0, 1)]
    write_shards(stream, tmp_path / "b", n_shards=4, fields_per_shard=2)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_what_another_process_is_writing_stays(stream, tmp_path):
    half = leave_half_a_shard(tmp_path, days=0.5)
    os.utime(half)
    write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)
    assert (half / "zarr.json").read_text() == "{"


def test_two_that_make_the_same_shard_leave_it_once(stream, tmp_path, monkeypatch):
    write_shards(stream, tmp_path / "alone", n_shards=1, fields_per_shard=2)
    both_are_ready = Barrier(2, timeout=60)

    rename = Path.rename

    def rename_at_the_same_time(self, target):
        both_are_ready.wait()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_at_the_same_time)
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(make_shard, stream, tmp_path / "both", 0, fields_per_shard=2) for _ in range(2)]
        assert {task.result() for task in tasks} == {shard_path(tmp_path / "both", 0)}
    assert [path.name for path in (tmp_path / "both").iterdir()] == ["shard_000000.zarr"]
    shard = shard_path("", 0)
    assert content(tmp_path / "both" / shard) == content(tmp_path / "alone" / shard)


def test_foreign_folders_are_no_shards(stream, tmp_path):
    then = time.time() - 2 * 86400
    for name in ("shard_notes.zarr", "shard_000001_notes.zarr", ".shard_notes.partial"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (then, then))
    before = set(tmp_path.iterdir())
    paths = write_shards(stream, tmp_path, n_shards=2, fields_per_shard=1)
    assert find_shards(tmp_path) == [0, 1]
    assert set(tmp_path.iterdir()) == before | {*paths, tmp_path / MANIFEST}


def test_two_that_start_a_store_agree_on_its_manifest(stream, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        tasks = [
            pool.submit(start_shards, stream, tmp_path, n_shards=2, fields_per_shard=2) for _ in range(32)
        ]
        assert [task.result() for task in tasks] == [[0, 1]] * 32
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_failing_field_leaves_no_shard(stream, tmp_path, monkeypatch):
    def fail(self, number):
        raise MemoryError

    monkeypatch.setattr(PatchStream, "patches_of", fail)
    with pytest.raises(MemoryError):
        make_shard(stream, tmp_path, 0, fields_per_shard=2)
    assert list(tmp_path.iterdir()) == []


def test_more_shards_may_follow(stream, tmp_path):
    write_shards(stream, tmp_path, n_shards=1, fields_per_shard=2)
    assert len(write_shards(stream, tmp_path, n_shards=2, fields_per_shard=2)) == 2


def test_other_settings_are_refused_by_name(stream, tmp_path):
    write_shards(stream, tmp_path, n_shards=1, fields_per_shard=2)
    with pytest.raises(InputError, match=r"made with other seed \(choose another folder"):
        write_shards(open_stream(2), tmp_path, n_shards=1, fields_per_shard=2)
    with pytest.raises(InputError, match="made with other fields_per_shard"):
        write_shards(stream, tmp_path, n_shards=1, fields_per_shard=3)


def test_damaged_or_missing_manifest_is_refused(stream, tmp_path):
    write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(InputError, match="must be the manifest of a store"):
        write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(InputError, match=r"must have the manifest\.json of its shards"):
        write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)


def test_manifest_says_what_the_shards_follow_from(stream, tmp_path):
    write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)
    said = json.loads((tmp_path / MANIFEST).read_text())
    assert said["seed"] == 1
    assert said["cases"][0]["specimen"] == "graphene"
    assert len(said["tables"]) == 64


def test_manifest_is_plain_json_without_a_dose_too(tmp_path):
    case = replace(CASE, recording=Recording())
    stream = PatchStream(cases=(case,), size=16, shape=(32, 32), seed=1)
    for _ in range(2):
        write_shards(stream, tmp_path, n_shards=1, fields_per_shard=1)

    def refuse(word):
        raise AssertionError(word)

    said = json.loads((tmp_path / MANIFEST).read_text(), parse_constant=refuse)
    assert said["cases"][0]["recording"]["dose"] == "inf"


def test_folder_that_cannot_be_written_is_one_sentence(stream, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_shards(stream, tmp_path / "file" / "store", n_shards=1)


def test_zarr_is_asked_for_by_its_extra(stream, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(
        MissingExtraError, match=r"antisite needs zarr here: pip install 'antisite\[dataset\]'"
    ):
        write_shards(stream, tmp_path, n_shards=1)
