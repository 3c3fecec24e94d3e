from __future__ import annotations

from pathlib import Path

import pytest

from antisite.errors import OutputError
from antisite.io.whole_folders import partial_folder, publish


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_whole_is_moved_in_and_what_is_stale_goes(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("old.txt", "mine.txt", "end.json"):
        (folder / name).write_text("old")
    with partial_folder(folder) as partial:
        (partial / "end.json").write_text("new")
        publish(partial, folder, files=["old.txt"], last="end.json")
    assert names(folder) == {"mine.txt", "end.json"}
    assert (folder / "end.json").read_text() == "new"
    assert names(tmp_path) == {"a"}


def test_folders_below_are_moved_and_keep_what_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "sub" / "mine").touch()
    with partial_folder(tmp_path / "a") as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "new").touch()
        (partial / "end").touch()
        publish(partial, tmp_path / "a", files=(), last="end")
    assert names(tmp_path / "a") == {"sub", "end"}
    assert names(tmp_path / "a" / "sub") == {"mine", "new"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputError])
def test_whatever_goes_wrong_nothing_of_it_stays(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with partial_folder(tmp_path / "b" / "a") as partial:
            (partial / "half").touch()
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == set()


def test_the_current_folder_can_be_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "here"
    inside.mkdir()
    monkeypatch.chdir(inside)
    with partial_folder(Path()) as partial:
        (partial / "end").touch()
        publish(partial, Path(), files=(), last="end")
    assert names(inside) == {"end"}
    assert names(tmp_path) == {"here"}
