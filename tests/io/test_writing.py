from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from antisite.errors import OutputError
from antisite.io.writing import write_bytes


def test_a_file_is_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_bytes(tmp_path / "new" / "a.png", content)
        assert (tmp_path / "new" / "a.png").read_bytes() == content
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_failure_keeps_the_earlier_file_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    (tmp_path / "a.png").write_text("earlier")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"a\.png cannot be written: no space left on device"):
        write_bytes(tmp_path / "a.png", b"new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]


def test_two_that_write_one_file_both_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_are_ready, replace = Barrier(2, timeout=60), Path.replace

    def late(self: Path, target: Path) -> Path:
        both_are_ready.wait()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", late)
    with ThreadPoolExecutor(2) as pool:
        for task in [pool.submit(write_bytes, tmp_path / "a.npy", b"same") for _ in range(2)]:
            task.result()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"same"]
