from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from antisite.cli import main
from antisite.cli.follow import counted, exit_status, follow, sentence
from antisite.cli.options import UsageError
from antisite.errors import AntisiteError, ChoiceError, InputError, NoLatticeError, OutputError
from antisite.run.batch import Outcome, Status

FILES = [Path("a.tif"), Path("b.tif")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(path: Path) -> Outcome:
    return Outcome(path=path, status="done")


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ([], 0),
        (["done", "done"], 0),
        (["done", "no_lattice"], 0),
        (["no_lattice", "no_lattice"], 3),
        (["done", "failed"], 1),
        (["no_lattice", "failed"], 1),
        (["choice", "failed"], 1),
        (["choice", "done"], 2),
        (["choice", "no_lattice"], 2),
    ],
)
def test_status_is_that_of_the_contract(seen: list[Status], status: int) -> None:
    assert exit_status(Outcome(path=Path("f.tif"), status=one) for one in seen) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [(InputError, 1), (ChoiceError, 2), (NoLatticeError, 3), (OutputError, 1), (UsageError, 2)],
)
def test_every_error_has_its_status(error: type[AntisiteError], status: int) -> None:
    assert main.exit_status(error("why")) == status


def test_a_person_at_a_terminal_sees_a_bar_over_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert follow(FILES, work) == [work(path) for path in FILES]
    assert "2/2" in sys.stderr.getvalue()


def test_items_of_unknown_number_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert list(counted(iter("abc"), words="tables of columns")) == ["a", "b", "c"]
    assert "3 tables of columns" in sys.stderr.getvalue()


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_there_is_no_bar_where_nobody_watches(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    follow(FILES, work, bar=not stream.isatty())
    assert stream.getvalue() == ""


def test_an_interrupt_tells_how_far_it_came() -> None:
    def interrupted(path: Path) -> Outcome:
        if path == FILES[1]:
            raise KeyboardInterrupt
        return work(path)

    with pytest.raises(KeyboardInterrupt, match="interrupted after 1 of 2 inputs"):
        follow(FILES, interrupted)


@pytest.mark.parametrize(
    ("path", "message", "told"),
    [
        ("b/x.tif", "x.tif is empty", "b/x.tif is empty"),
        ("x.tif", "x.tif is empty", "x.tif is empty"),
        ("b/x.tif", "b/x.tif does not exist", "b/x.tif does not exist"),
        ("b/x.tif", "frame must be 0 to 1 in x.tif, got 2", "frame must be 0 to 1 in b/x.tif, got 2"),
        ("b/x.tif", "no period stands out", "b/x.tif: no period stands out"),
        ("b/x.tif", "c/x.tif is empty", "b/x.tif: c/x.tif is empty"),
        ("b/a", "it must be a file", "b/a: it must be a file"),
        (".", ". must be an image file", ". must be an image file"),
    ],
)
def test_the_path_of_an_input_is_told_once(path: str, message: str, told: str) -> None:
    assert sentence(Path(path), message) == told
