from __future__ import annotations

from pathlib import Path

import pytest
from typer.models import CommandInfo
from typer.testing import CliRunner

from antisite.cli import options as o
from antisite.cli.main import app


def usage_error(*arguments: str) -> str:
    """The sentence on stderr, after a check that it is one line and the status is 2."""
    answer = CliRunner().invoke(app, ["detect", *arguments])
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    return answer.stderr.strip()


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "field.npy"
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--fdr", "2", "must lie between 0 and 1, got 2"),
        ("--fdr", "0", "must lie between 0 and 1, got 0"),
        ("--fdr", "nan", "must lie between 0 and 1, got nan"),
        ("--pixel-size", "-1", "must be a positive number of Å per pixel, got -1"),
        ("--pixel-size", "0", "got 0"),
        ("--pixel-size", "nan", "got nan"),
        ("--pixel-size", "inf", "got inf"),
        ("--lattice-constant", "0.332", "must be 1 to 100 Å, got 0.332 (did you mean 3.32?)"),
        ("--lattice-constant", "-3", "must be 1 to 100 Å, got -3"),
        ("--lattice-constant", "nan", "got nan"),
        ("--region", "5", "must be y0:y1,x0:x1 in whole pixels, such as 0:512,100:400, got '5'"),
        ("--region", "0:5,-3:4", "got '0:5,-3:4'"),
        ("--region", "9:5,0:4", "must end after it begins (y0 < y1 and x0 < x1), got '9:5,0:4'"),
        ("--region", "0:5,4:4", "must end after it begins"),
        ("--workers", "0", "it must be a whole number from 1, got 0"),
        ("--workers", "two", "integer"),
        ("--fdr", "few", "number"),
        ("--seed", "-1", "it must be 0 or more, got -1"),
        ("--frame", "-1", "it must be 0 or more, got -1"),
        ("--min-dark", "-1", "it must be 0 to 1, got -1 (30 % is 0.3)"),
        ("--min-bright", "inf", "it must be 0 to 5, got inf"),
        (
            "--method",
            "patersson",
            "it must be deviation or patterson, got 'patersson' (did you mean patterson?)",
        ),
        ("--patterson-input", "rew", "it must be raw or semantic, got 'rew' (did you mean raw?)"),
        ("--patterson-model", "svm", "it must be one-class-svm or mahalanobis, got 'svm'"),
        ("--save-settings", "field.npy", "it must end in .toml, got 'field.npy'"),
        ("--mask", "no/such.png", "does not exist"),
        ("--also", "no/such.dm4", "does not exist"),
        ("--out", "", "it must name a folder, got nothing (the current folder is .)"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(image: str, option: str, value: str, told: str) -> None:
    sentence = usage_error(image, option, value)
    assert told in sentence
    assert option in sentence


def test_a_frame_and_the_sum_of_all_exclude_each_other(image: str) -> None:
    assert "--frame and --sum exclude each other (give one of them)" in usage_error(
        image, "--frame", "0", "--sum"
    )


def test_a_second_detector_needs_exactly_one_file(image: str, tmp_path: Path) -> None:
    assert "--also needs exactly one FILE, whose second detector it is, got 2" in usage_error(
        image, "other.npy", "--also", image
    )


def test_a_command_without_files_is_refused() -> None:
    assert "FILE" in usage_error()


def test_an_option_that_does_not_exist_is_one_sentence_too(image: str) -> None:
    assert "No such option: --nope" in usage_error(image, "--nope")


@pytest.mark.parametrize("value", ["1", "100"])
def test_limits_of_the_lattice_constant_are_allowed(image: str, value: str) -> None:
    assert "lattice" not in usage_error(image, "--lattice-constant", value, "--workers", "0")


@pytest.mark.parametrize("settings", ["no.toml", "."])
def test_a_settings_file_that_cannot_be_read_is_refused(image: str, settings: str) -> None:
    assert f"the settings file {settings} cannot be read: " in usage_error(image, "--settings", settings)


def test_help_tells_the_default_of_what_settles_itself() -> None:
    told = CliRunner().invoke(app, ["detect", "--help"], env={"COLUMNS": "300"}).stdout
    for option, default in [("fdr", "0.05"), ("seed", "0"), ("method", "deviation"), ("min-dark", "0.2")]:
        (line,) = [line for line in told.splitlines() if line.startswith(f"│ --{option} ")]
        assert f"[default: {default}]" in line


def test_the_current_folder_may_be_named() -> None:
    assert o.parse_out(".") == Path()


@pytest.mark.parametrize("command", ["detect", "inspect"])
def test_a_folder_is_named_where_a_file_is_wanted(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, [command, "."])
    assert answer.exit_code == 1
    assert answer.stderr == "antisite: . must be an image file, and is a folder (name the files in it)\n"


@pytest.mark.parametrize("command", ["", "detect", "inspect", "evaluate", "report"])
def test_help_shows_no_types_of_python_beside_options(command: str) -> None:
    told = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "120"}).stdout
    own = [line for line in told.splitlines() if "--" in line]
    assert own
    assert not [line for line in own if "<" in line and "<stem>" not in line]


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda command: command.callback.__name__)
def test_help_loses_no_word(command: CommandInfo) -> None:
    assert command.callback
    name = command.name or command.callback.__name__
    told = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "300"}).stdout
    assert set((command.callback.__doc__ or "").split()) <= set(told.split())
