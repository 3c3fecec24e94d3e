from __future__ import annotations

import os
import re
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite import Settings
from antisite.errors import InputError, OutputError
from antisite.run.choices import BY_FIELD, CHOICES
from antisite.run.settings import DEFAULTS
from antisite.run.settings_file import read_settings_file, tables_of, values_of
from antisite.run.settings_text import settings_text, write_settings_file

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
NUMBERS = st.floats(0, 1e9, allow_nan=False)
GIVEN = {
    "seed": st.integers(0, 2**70),
    "signal": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    "frame": st.integers(0, 10**6),
    "also": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\\\0"), min_size=1).map(
        lambda name: Path("/data") / f"x{name}"
    ),
    "region": st.just("0:5,7:9"),
    "pixel_size": st.floats(1e-300, 1e300),
    "lattice_constant": st.floats(1, 100),
    "method": st.sampled_from(BY_FIELD["method"].words),
    "fdr": st.floats(1e-12, 0.999),
    "min_dark": st.floats(0, 1),
    "min_bright": st.floats(0, 5),
    "patterson_input": st.sampled_from(BY_FIELD["patterson_input"].words),
    "patterson_model": st.sampled_from(BY_FIELD["patterson_model"].words),
    "self_check": st.booleans(),
}


def read(folder: Path, text: str | bytes) -> dict[str, Any]:
    path = folder / "run.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings_file(path)


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
@given(st.fixed_dictionaries({}, optional=GIVEN))
def test_what_is_written_is_read_again(values: dict[str, Any]) -> None:
    tables = tables_of(values)
    again = tomllib.loads(settings_text(tables))
    assert {name: table for name, table in again.items() if table != {}} == tables
    assert values_of(again, "run.toml", folder=Path()) == asdict(Settings()) | values


def test_every_key_is_explained_and_what_is_open_is_only_shown() -> None:
    lines = settings_text(tables_of({"frame": 2})).splitlines()
    assert max(map(len, lines)) <= 100
    assert "frame = 2" in lines
    assert '#mask = "mask.png"' in lines
    for choice in CHOICES:
        table = lines.index(f"[{choice.table}]") if choice.table else 0
        place = next(
            i for i, line in enumerate(lines) if i > table and line.lstrip("#").startswith(f"{choice.key} = ")
        )
        assert lines[place - 1].startswith("# ")
        assert lines[place - 1].endswith(choice.about[-12:])


def test_what_is_shown_behind_a_hash_is_right_when_the_hash_is_taken_away() -> None:
    text = re.sub(r"^#(?!frame)(\w+ = )", r"\1", settings_text({}), flags=re.MULTILINE)
    values = values_of(tomllib.loads(text), "run.toml", folder=Path())
    assert set(values) == set(BY_FIELD) - {"frame"}
    assert {field: values[field] for field in DEFAULTS} == DEFAULTS


def test_the_example_of_the_documents_is_a_settings_file() -> None:
    (example,) = [part.split("```")[0] for part in DOCS.read_text(encoding="utf-8").split("```toml\n")[1:]]
    values = values_of(tomllib.loads(example), "docs/cli.md", folder=Path())
    assert (values["method"], values["region"]) == ("patterson", "0:512,100:400")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fdr = 0.1", "fdr in run.toml is no setting (it belongs in [detect])"),
        (
            "[detect]\nseed = 1",
            "seed in [detect] of run.toml is no setting (it belongs at the top of the file)",
        ),
        (
            "[detect]\ninput = 'raw'",
            "input in [detect] of run.toml is no setting (it belongs in [patterson])",
        ),
        (
            "[detect]\npatterson_input = 'raw'",
            "patterson_input in [detect] of run.toml is no setting (input belongs in [patterson])",
        ),
        ("[detect]\nfrd = 0.1", "frd in [detect] of run.toml is no setting (did you mean fdr?)"),
        (
            "[detect]\nmin-dark = 0.1",
            "min-dark in [detect] of run.toml is no setting (did you mean min_dark?)",
        ),
        ("[read]\nsum_frames = true", "sum_frames in [read] of run.toml is no setting (did you mean sum?)"),
        (
            "[detect]\nregions = ''",
            "regions in [detect] of run.toml is no setting (did you mean region in [read]?)",
        ),
        (
            "[patterson]\nzzz = 1",
            "zzz in [patterson] of run.toml is no setting (there is input, model)",
        ),
        (
            "zzz = 1",
            "zzz in run.toml is no setting "
            "(there is seed and the tables [read], [detect], [patterson], [planar], [self_check])",
        ),
        ("[detekt]\nfdr = 0.1", "[detekt] in run.toml is no table of settings (did you mean [detect]?)"),
        ("[Self-Check]", "[Self-Check] in run.toml is no table of settings (did you mean [self_check]?)"),
        (
            "[zzz]",
            "[zzz] in run.toml is no table of settings "
            "(there is [read], [detect], [patterson], [planar], [self_check])",
        ),
        ("read = 5", "read in run.toml must be a table, [read], got 5"),
        ("[[read]]", "read in run.toml must be a table, [read], got a list"),
        ("[seed]", "seed in run.toml must be a whole number, got a table"),
        ("seed = 2020-01-01", "seed in run.toml must be a whole number, got 2020-01-01"),
        ("[detect.fdr]", "fdr in [detect] of run.toml must be a number, got a table"),
        ("[detect]\nfdr = 2", "fdr in [detect] of run.toml must lie between 0 and 1, got 2 (5 % is 0.05)"),
        ("[read]\nframe = 1\nsum = true", "frame and sum in [read] of run.toml exclude each other"),
        (
            "[read]\nlattice_constant = 0.332",
            "lattice_constant in [read] of run.toml must be 1 to 100 Å, got 0.332 (did you mean 3.32?)",
        ),
        ("[read]\nregion = '5'", "region in [read] of run.toml must be y0:y1,x0:x1 in whole pixels"),
        (
            "[read]\npixel_size = nan",
            "pixel_size in [read] of run.toml must be a positive number of Å per pixel",
        ),
        (f"[read]\npixel_size = 1{'0' * 400}", "pixel_size in [read] of run.toml must be a positive number"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_key_and_cure(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[detect]\nfdr 0.1", "run.toml is not: expected '=' after a key in a key/value pair (at line 2"),
        (b"seed = 1\nseed = 2", "run.toml is not: cannot overwrite a value"),
        (b"seed = " + b"[" * 90_000, "must be TOML"),
        (b"seed = \xff", "must be text in UTF-8"),
        (b"#" * 1_000_001, "must be smaller than 1 MB"),
    ],
)
def test_what_is_no_settings_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=r"^a settings file must be ") as caught:
        read(tmp_path, content)
    assert told in str(caught.value)


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.toml cannot be read: no such file or directory$"):
        read_settings_file(tmp_path / "no.toml")
    with pytest.raises(InputError, match="cannot be read: "):
        read_settings_file(tmp_path)


def test_a_mark_of_byte_order_and_an_empty_file_are_taken(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffseed = 3") == {"seed": 3}
    assert read(tmp_path, "") == {}


def test_whole_numbers_are_numbers(tmp_path: Path) -> None:
    values = read(tmp_path, "[read]\npixel_size = 1")
    assert values == {"pixel_size": 1.0}
    assert isinstance(values["pixel_size"], float)


def test_a_relative_path_counts_from_the_folder_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^mask in \[read\] of run\.toml must be a file that exists"):
        read(tmp_path, "[read]\nmask = 'mask.png'")
    (tmp_path / "mask.png").touch()
    assert read(tmp_path, "[read]\nmask = 'mask.png'") == {"mask": tmp_path / "mask.png"}


def test_paths_within_the_folder_are_written_from_there_and_others_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home, other = tmp_path / "home", tmp_path / "other.tif"
    (home / "masks").mkdir(parents=True)
    for path in (home / "masks" / "m.png", other):
        path.touch()
    write_settings_file({"mask": Path("home/masks/m.png"), "also": Path("other.tif")}, home / "run.toml")
    told = tomllib.loads((home / "run.toml").read_text(encoding="utf-8"))["read"]
    assert told == {"also": other.as_posix(), "mask": "masks/m.png"}
    home.rename(tmp_path / "moved")
    values = read_settings_file(tmp_path / "moved" / "run.toml")
    assert values["mask"] == tmp_path / "moved" / "masks" / "m.png"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 1")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"no space left on device \(choose another place\)$"):
        write_settings_file({}, path)
    assert [one.name for one in tmp_path.iterdir()] == ["run.toml"]
    assert path.read_text() == "seed = 1"


def test_a_path_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a name in UTF-8"):
        write_settings_file({"mask": Path("\udcff.png")}, tmp_path / "run.toml")
