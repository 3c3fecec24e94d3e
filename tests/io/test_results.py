from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from antisite.defects import defect_table
from antisite.errors import InputError, OutputError
from antisite.image import Image
from antisite.io import results
from antisite.io.results import FILES, check_folder, read_maps, read_result, read_tables, write_result
from antisite.result import Result

EXTRA = {"overlay.png": b"png", "report.html": b"<html>"}


@pytest.fixture
def result() -> Result:
    sites = defect_table({"y": [1.0, 2.0, 3.0], "kind": ["none", "vacancy", "none"], "image": "a.tif"})
    return Result(
        image=Image(np.eye(8), name="a.tif"),
        sites=sites,
        defects=sites[sites["kind"] != "none"].reset_index(drop=True),
        domains=pd.DataFrame({"domain": [0], "coherence": [0.9], "analysed": [True]}),
        maps={"motif": np.eye(4, dtype=np.float32), "domain": np.zeros((8, 8), np.int8)},
        summary={"schema": 2, "image": "a.tif", "area": float("nan"), "counts": {"vacancy": 1}},
        provenance={"host": "somewhere"},
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_result_leaves_the_files_of_the_contract_and_nothing_else(tmp_path: Path, result: Result) -> None:
    folder = write_result(result, tmp_path / "out" / "a", extra=EXTRA)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_the_same_result_gives_the_same_bytes(tmp_path: Path, result: Result) -> None:
    first = contents(write_result(result, tmp_path / "a", extra=EXTRA))
    assert contents(write_result(result, tmp_path / "b", extra=EXTRA)) == first


def test_what_is_written_is_read_back(tmp_path: Path, result: Result) -> None:
    back = read_result(write_result(result, tmp_path / "a"), image=result.image)
    pd.testing.assert_frame_equal(back.sites, result.sites)
    pd.testing.assert_frame_equal(back.defects, result.defects)
    pd.testing.assert_frame_equal(back.domains, result.domains)
    assert back.summary == {"schema": 2, "image": "a.tif", "area": None, "counts": {"vacancy": 1}}
    assert back.provenance == result.provenance
    assert {name: array.tolist() for name, array in back.maps.items()} == {
        name: array.tolist() for name, array in result.maps.items()
    }


def test_tables_are_read_from_csv_where_parquet_is_gone(tmp_path: Path, result: Result) -> None:
    folder = write_result(result, tmp_path / "a")
    (folder / "sites.parquet").unlink()
    sites, defects, summary = read_tables(folder)
    assert (len(sites), len(defects), summary["provenance"]) == (3, 1, {"host": "somewhere"})


def test_a_result_without_maps_writes_none(tmp_path: Path, result: Result) -> None:
    folder = write_result(replace(result, maps={}), tmp_path / "a")
    assert not (folder / "maps.npz").exists()
    assert read_maps(folder) == {}


def test_a_result_is_not_replaced_unasked(tmp_path: Path, result: Result) -> None:
    folder = write_result(result, tmp_path / "a")
    before = contents(folder)
    with pytest.raises(
        OutputError, match=r"holds a result already \(result\.json\); replace it with --overwrite$"
    ):
        write_result(replace(result, summary={}), folder)
    assert contents(folder) == before


def test_files_of_an_interrupted_result_are_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"sites\.csv"):
        check_folder(tmp_path)
    check_folder(tmp_path, overwrite=True)


def test_overwriting_removes_what_is_stale_and_keeps_what_is_foreign(tmp_path: Path, result: Result) -> None:
    folder = write_result(result, tmp_path / "a", extra=EXTRA)
    (folder / "notes.txt").write_text("mine")
    write_result(replace(result, maps={}), folder, overwrite=True)
    names = {path.name for path in folder.iterdir()}
    assert names == {*FILES, "notes.txt"} - {"maps.npz", "overlay.png", "report.html"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("step", ["write_json", "_publish"])
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, result: Result, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        with results.writing(tmp_path / "out" / "a"):
            raise error

    monkeypatch.setattr(results, step, fail)
    with pytest.raises((OutputError, KeyboardInterrupt)) as caught:
        write_result(result, tmp_path / "out" / "a")
    assert list(tmp_path.iterdir()) == []
    if isinstance(error, OSError):
        assert str(caught.value).endswith(
            "a cannot be written: no space left on device (choose another folder with --out)"
        )


def test_a_failure_while_overwriting_leaves_the_old_result(
    tmp_path: Path, result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_result(result, tmp_path / "a")
    before = contents(folder)
    monkeypatch.setattr(results, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_result(result, folder, overwrite=True)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_a_file_or_lies_in_one_is_refused(tmp_path: Path, result: Result) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(OutputError, match="must be a folder, and is a file"):
        write_result(result, tmp_path / "a")
    with pytest.raises(OutputError, match="cannot be written: not a directory"):
        write_result(result, tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["../a.png", "a/b.png", "result.json", "sites.csv", ".hidden", ""])
def test_an_extra_file_has_a_plain_name_of_its_own(tmp_path: Path, result: Result, name: str) -> None:
    with pytest.raises(InputError, match="an extra file must have a plain name of its own"):
        write_result(result, tmp_path / "a", extra={name: b""})


def test_a_folder_without_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be the folder of a result, and has no result\.json$"):
        read_tables(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "must name its schema"),
        ("{}", "must name its schema"),
        (json.dumps({"schema": 99}), r"must have schema 2, got 99 \(update antisite\)"),
        (json.dumps({"schema": 1}), r"must have schema 2, got 1 \(run detect again\)"),
    ],
)
def test_a_summary_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_tables(tmp_path)


def test_damaged_maps_are_refused(tmp_path: Path) -> None:
    (tmp_path / "maps.npz").write_bytes(b"PK\3\4")
    with pytest.raises(InputError, match="it looks damaged"):
        read_maps(tmp_path)


def test_the_shared_example_comes_back_whole(tmp_path: Path, make_result: Callable[..., Result]) -> None:
    result = make_result(n_channels=2)
    sites, defects, summary = read_tables(write_result(result, tmp_path / "a"))
    pd.testing.assert_frame_equal(sites, result.sites, rtol=1e-6)
    assert (len(defects), summary["counts"]) == (len(result.defects), result.summary["counts"])
