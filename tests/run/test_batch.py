from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antisite.errors import ChoiceError, InputError, OutputError
from antisite.run.batch import Outcome, attempt, check_inputs, check_output, run_batch

PATHS = [Path("a.tif"), Path("b.tif"), Path("c.tif")]


def work(path: Path) -> Outcome:
    if path.stem == "b":
        raise InputError("b must be an image")
    return Outcome(path=path, status="done", summary={"stem": path.stem})


def test_one_input_that_fails_does_not_stop_the_others() -> None:
    outcomes = list(run_batch(PATHS, work))
    assert [(o.path, o.status) for o in outcomes] == list(zip(PATHS, ["done", "failed", "done"], strict=True))
    assert outcomes[1].message == "b must be an image"


def test_outcomes_come_one_by_one() -> None:
    begun = []

    def watched(path: Path) -> Outcome:
        begun.append(path)
        return work(path)

    outcomes: Iterator[Outcome] = run_batch(PATHS, watched)
    next(outcomes)
    assert begun == PATHS[:1]


def test_no_inputs_give_no_outcomes() -> None:
    assert list(run_batch([], work, workers=4)) == []


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (ChoiceError("choose a signal"), "choice", "choose a signal"),
        (OutputError("no room"), "failed", "no room"),
        (MemoryError(), "failed", "the image must fit in memory"),
        (
            ZeroDivisionError("of\nthings"),
            "failed",
            "a fault of antisite, please report it: ZeroDivisionError: of things",
        ),
    ],
)
def test_every_error_becomes_an_outcome_of_one_line(error: Exception, status: str, told: str) -> None:
    def fail(path: Path) -> Outcome:
        raise error

    outcome = attempt(fail, PATHS[0])
    assert outcome.status == status
    assert outcome.message.startswith(told)
    assert "\n" not in outcome.message


def test_an_interrupt_is_not_an_outcome() -> None:
    def interrupted(path: Path) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_batch(PATHS, interrupted))


def test_two_inputs_with_one_stem_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"must not have the same stem, got x/a\.tif and y/A\.dm4: .* different --out"
    ):
        check_inputs([Path("x/a.tif"), Path("b.tif"), Path("y/A.dm4")], out=tmp_path)
    check_inputs([Path("x/a.tif"), Path("x/b.tif")], out=tmp_path, overwrite=False)


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="same stem"):
        check_inputs([Path("a.tif"), Path("a.tif")], out=tmp_path)


def test_a_result_that_exists_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    for stem in "ab":
        (tmp_path / stem).mkdir()
        (tmp_path / stem / "result.json").touch()
    with pytest.raises(InputError, match=r"exists in .*a and 1 more \(give --overwrite or another --out\)"):
        check_inputs(PATHS, out=tmp_path, overwrite=False)
    check_inputs(PATHS, out=tmp_path, overwrite=True)


def test_a_picture_of_inspect_alone_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inspect.png").touch()
    check_inputs(PATHS, out=tmp_path, overwrite=False)


def test_output_below_a_file_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "deeper" / "still"):
        with pytest.raises(
            OutputError, match=r"must be a folder, got .*file is a file \(give another --out\)"
        ):
            check_output(out)
    check_output(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == [file]


def test_output_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # the superuser may write everywhere
    with pytest.raises(OutputError, match="must be writable"):
        check_output(tmp_path / "new")
