"""The command as a program of its own: what only shows outside this interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import antisite

PROGRAM = (sys.executable, "-m", "antisite.cli.main")
FILES = ("defects.csv", "defects.parquet", "sites.csv", "sites.parquet", "overlay.png", "maps.npz")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=120)


def hexagonal_files(folder: Path, n: int, *, side: int = 128) -> list[str]:
    """Images of a noisy hexagonal crystal, each with noise of its own."""
    y, x = np.mgrid[:side, :side]
    waves = [np.cos(2 * np.pi * (x * np.cos(t) + y * np.sin(t)) / 10) for t in np.pi * np.arange(3) / 3]
    crystal = np.sum(waves, axis=0)
    paths = [folder / f"field{i}.npy" for i in range(n)]
    for i, path in enumerate(paths):
        noise = np.random.default_rng(i).normal(scale=0.3, size=(side, side))
        np.save(path, (crystal + noise).astype(np.float32))
    return [str(path) for path in paths]


def test_help_comes_at_once() -> None:
    run("--help")
    begin = time.perf_counter()
    answer = run("--help")
    assert time.perf_counter() - begin < 2  # 0.6 s on a machine that does nothing else
    assert answer.returncode == 0
    for command in ("detect", "inspect", "evaluate"):
        assert command in answer.stdout


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, antisite.cli.main; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "matplotlib", "scipy", "skimage", "sklearn"} & set(loaded.stdout.split())


def test_version_is_told() -> None:
    answer = run("--version")
    assert answer.stdout == f"antisite {antisite.__version__}\n"
    assert answer.returncode == 0


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.npy"), (b"this is text\n" * 50, "text.tif"), (b"\0" * 4000, "zeros.dm4")],
)
def test_a_file_that_is_no_image_is_one_sentence_and_status_1(
    tmp_path: Path, content: bytes, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    out = tmp_path / "out"
    answer = run("detect", str(path), "--out", str(out))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"antisite: {path} is ")
    assert answer.stderr.count("\n") == 1
    assert not out.exists()


def test_several_workers_give_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    files = hexagonal_files(tmp_path, 3)
    files.insert(1, str(tmp_path / "missing.npy"))
    told = {}
    for workers in ("1", "2"):
        out = tmp_path / workers
        answer = run("detect", *files, "--out", str(out), "--workers", workers, "--json")
        assert answer.returncode == 1
        told[workers] = [without_place(one, out) for one in json.loads(answer.stdout)["inputs"]]
    assert told["1"] == told["2"]
    assert [one["status"] for one in told["1"]] == ["done", "failed", "done", "done"]
    for path in (Path(file) for file in files if "missing" not in file):
        for name in FILES:
            serial, parallel = (tmp_path / workers / path.stem / name for workers in ("1", "2"))
            assert serial.read_bytes() == parallel.read_bytes(), name


def without_place(one: dict[str, str], out: Path) -> dict[str, str]:
    return {key: value for key, value in one.items() if key != "folder"}


@pytest.mark.skipif(os.name == "nt", reason="signals to a group of processes are a matter of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_whole_results_and_no_process(tmp_path: Path, workers: str) -> None:
    files, out = hexagonal_files(tmp_path, 60), tmp_path / "out"
    with running("detect", *files, "--out", str(out), "--workers", workers) as process:
        wait_for_result(out, process)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.startswith("antisite: interrupted after ")
    assert stderr.count("\n") == 1
    assert 1 <= len(list(out.iterdir())) < len(files)
    for folder in out.iterdir():
        assert (folder / "result.json").exists(), "half-written"
    assert ends_soon(process.pid), "a process was left behind"


@pytest.mark.skipif(os.name == "nt", reason="signals to a group of processes are a matter of POSIX")
def test_ctrl_c_ends_processes_that_make_shards_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("zarr")
    pytest.importorskip("distributed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = ["--count", "640", "--format", "zarr", "--size", "256", "--static", "--workers", "2"]
    with running("simulate", "graphene", *options, "--out", str(tmp_path / "out")) as process:
        wait_for_result(tmp_path / "out", process, what="shard_*")
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "antisite: interrupted\n"
    assert ends_soon(process.pid), "a process was left behind"


def ends_soon(group: int) -> bool:
    """Whether every process of a group is gone within seconds (one of Python's own sees the others out)."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program with a group of processes of its own, as at a terminal."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*PROGRAM, *arguments], text=True, start_new_session=True, **streams) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for_result(out: Path, process: subprocess.Popen[str], what: str = "result.json") -> None:
    deadline = time.monotonic() + 60
    while not list(out.glob(f"[!.]*/{what}")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no result after a minute"
        time.sleep(0.02)
