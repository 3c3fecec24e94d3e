import hashlib
import sys

import pytest

from antisite.errors import InputError, MissingExtraError
from antisite.run.distribute import distribute_shards
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.patch_shards import shard_path, write_shards
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.scattering.optics import Optics

pytest.importorskip("zarr")
distributed = pytest.importorskip("distributed")

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
