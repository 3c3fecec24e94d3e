from __future__ import annotations

from pathlib import Path

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
