from __future__ import annotations

import os
import time
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


def test_two_at_a_time_do_not_touch_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with partial_folder(folder) as first:
        (first / "image").write_text("first")
        with partial_folder(folder) as second:
            for name in ("image", "end"):
                (second / name).write_text("second")
            publish(second, folder, files=(), last="end")
        assert (folder / "image").read_text() == "second"
        (first / "end").write_text("first")
        publish(first, folder, files=(), last="end")
    assert [(folder / name).read_text() for name in ("image", "end")] == ["first"] * 2
    assert names(tmp_path) == {"a"}


def test_what_another_one_has_finished_meanwhile_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "a"

    def interrupted() -> None:
        with partial_folder(folder):
            with partial_folder(folder) as other:
                (other / "end").touch()
                publish(other, folder, files=(), last="end")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(folder) == {"end"}
    assert names(tmp_path / "out") == {"a"}


def test_a_move_that_fails_takes_back_those_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (folder / "sub").mkdir(parents=True)
    (folder / "mine").touch()

    def fail() -> None:
        with partial_folder(folder) as partial:
            (partial / "below").mkdir()
            for name in ("below/first", "sub", "end"):
                (partial / name).touch()
            publish(partial, folder, files=(), last="end")

    with pytest.raises(OutputError, match="a cannot be written: is a directory"):
        fail()
    assert names(folder) == {"sub", "mine"}
    assert names(tmp_path) == {"a"}


@pytest.mark.parametrize(
    ("name", "days", "stays"),
    [
        (".a[1].0123456789abcdef.partial", 2, False),
        (".a[1].0123456789abcdef.partial", 0.5, True),
        (".a[1].notes.partial", 2, True),
        (".a1.0123456789abcdef.partial", 2, True),
    ],
)
def test_what_a_killed_run_left_goes_a_day_later(tmp_path: Path, name: str, days: float, stays: bool) -> None:
    left = tmp_path / name
    left.mkdir()
    (left / "half").touch()
    then = time.time() - days * 86400
    for path in (left / "half", left):
        os.utime(path, (then, then))
    with partial_folder(tmp_path / "a[1]"):
        assert left.exists() == stays
