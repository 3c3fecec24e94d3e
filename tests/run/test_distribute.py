import hashlib
import json
import os
import subprocess
import sys
import time

import pytest

from antisite.errors import InputError, MissingExtraError, OutputError
from antisite.run.distribute import distribute_shards
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.patch_shards import find_shards, make_shard, shard_path, write_shards
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.scattering.optics import Optics

pytest.importorskip("zarr")
distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

SIZES = {"n_shards": 3, "fields_per_shard": 2}


@pytest.fixture(scope="module")
def stream():
    defects = PointDefects(vacancies={"C": 0.1})
    case = Case(specimen="graphene", defects=defects, optics=Optics(beam_energy=60e3, static=True))
    return PatchStream(cases=(case,), size=16, shape=(48, 48), seed=1)


def content(folder):
    """Checksum of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def start_dask(what, *options):
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def wait_for(read):
    """What it reads, as soon as it can."""
    for _ in range(600):
        try:
            return read()
        except (OSError, ValueError):
            time.sleep(0.1)
    return read()


def test_shards_are_the_same_bytes_whoever_makes_them(stream, tmp_path):
    write_shards(stream, tmp_path / "here", **SIZES)
    paths = distribute_shards(stream, tmp_path / "two processes", workers=2, **SIZES)
    assert [path.name for path in paths] == [f"shard_00000{i}.zarr" for i in range(3)]
    with (
        distributed.LocalCluster(
            n_workers=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            protocol="tcp",
            local_directory=str(tmp_path / "scratch"),
        ) as cluster,
    ):
        address = cluster.scheduler_address
        assert address.startswith("tcp://")
        distribute_shards(stream, tmp_path / "scheduler", scheduler=address, **SIZES)
    here = content(tmp_path / "here")
    assert len(here) > 10
    assert content(tmp_path / "two processes") == content(tmp_path / "scheduler") == here


def test_shard_of_a_process_that_died_is_made_by_another(stream, tmp_path, monkeypatch):
    def make_or_die(shared, folder, number, **options):
        died = folder / "died"
        if number == 1 and not died.exists():
            died.touch()
            os._exit(1)
        return make_shard(shared, folder, number, **options)

    monkeypatch.setattr("antisite.run.distribute.make_shard", make_or_die)
    distribute_shards(stream, tmp_path / "a", workers=1, **SIZES)
    assert (tmp_path / "a" / "died").exists()
    (tmp_path / "a" / "died").unlink()
    write_shards(stream, tmp_path / "b", **SIZES)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_processes_that_die_again_and_again_are_one_sentence(stream, tmp_path, monkeypatch):
    def die(*args, **options):
        os._exit(1)

    monkeypatch.setattr("antisite.run.distribute.make_shard", die)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(OutputError, match="processes died again and again"),
    ):
        distribute_shards(stream, tmp_path, workers=1, **SIZES)


@pytest.fixture
def scheduler(tmp_path):
    """A process, and its address."""
    told = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    with start_dask("scheduler", *options) as process:
        yield process, wait_for(lambda: json.loads(told.read_text())["address"])
        process.kill()


def test_scheduler_that_dies_before_a_shard_is_made_is_one_sentence(stream, tmp_path, scheduler, monkeypatch):
    monkeypatch.setattr("antisite.run.distribute._PATIENCE", 2.0)
    process, address = scheduler
    with pytest.raises(OutputError, match="and the connection was lost"):
        distribute_shards(
            stream, tmp_path, scheduler=address, progress=lambda tasks: process.kill() or tasks, **SIZES
        )


def test_scheduler_that_dies_after_a_shard_is_made_is_one_sentence_and_the_shard_stays(
    stream, tmp_path, scheduler, monkeypatch
):
    monkeypatch.setattr("antisite.run.distribute._PATIENCE", 2.0)
    process, address = scheduler

    def die(tasks):
        for task in tasks:
            process.kill()
            process.wait()
            yield task

    with start_dask(
        "worker", address, "--no-nanny", "--local-directory", str(tmp_path / "scratch")
    ) as worker:
        with pytest.raises(OutputError, match="and the connection was lost"):
            distribute_shards(stream, tmp_path / "a", scheduler=address, progress=die, **SIZES)
        worker.kill()
    assert find_shards(tmp_path / "a")
    distribute_shards(stream, tmp_path / "a", workers=1, **SIZES)
    write_shards(stream, tmp_path / "b", **SIZES)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_shard_that_fails_is_tried_once(stream, tmp_path, monkeypatch):
    def fail(shared, folder, number, **options):
        with (folder / "tries").open("a") as tries:
            tries.write(f"{number} ")
        raise InputError("no such luck")

    monkeypatch.setattr("antisite.run.distribute.make_shard", fail)
    with pytest.raises(InputError, match="no such luck"):
        distribute_shards(stream, tmp_path, workers=1, **SIZES)
    tries = (tmp_path / "tries").read_text().split()
    assert len(tries) == len(set(tries))


def test_complete_shards_stay_and_need_no_workers(stream, tmp_path):
    write_shards(stream, tmp_path, **SIZES)
    before = shard_path(tmp_path, 0).stat().st_mtime_ns
    distribute_shards(stream, tmp_path, scheduler="tcp://nobody.invalid:1", **SIZES)
    assert shard_path(tmp_path, 0).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("localhost:8786", "scheduler must be an address"),
        ("tcp://127.0.0.1", "scheduler must be an address"),
        ("tcp://", "scheduler must be an address"),
        ("tls://127.0.0.1:9", "scheduler must be an address"),
        ("tcp://127.0.0.1:9", "must answer at tcp://127.0.0.1:9"),
    ],
)
def test_scheduler_that_is_none_is_refused_in_a_sentence(stream, tmp_path, address, message, monkeypatch):
    monkeypatch.setattr("antisite.run.distribute._PATIENCE", 0.5)
    with pytest.raises(InputError, match=message):
        distribute_shards(stream, tmp_path, scheduler=address, **SIZES)


def test_distributed_is_asked_for_by_its_extra(stream, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        MissingExtraError, match=r"antisite needs distributed here: pip install 'antisite\[dataset\]'"
    ):
        distribute_shards(stream, tmp_path, **SIZES)
