from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from antisite.cli.main import app
from antisite.errors import ChoiceError, InputError, NoLatticeError
from antisite.image import Image
from antisite.io.results import read_tables
from antisite.result import Result
from antisite.run.settings import Settings
from antisite.run.settings_file import read_settings_file, tables_of


class Lab:
    """The steps of detect, replaced by quick ones that go by the name of the file."""

    def __init__(self, folder: Path, crystal: Result, carbon: Result) -> None:
        self.folder, self.crystal, self.carbon = folder, crystal, carbon
        self.read: list[tuple[str, dict[str, Any]]] = []

    def read_image(self, path: Path, **options: Any) -> Image:
        self.read.append((path.name, options))
        if path.stem.startswith("bad"):
            raise InputError(f"{path.name} must be an image")
        if path.stem.startswith("many"):
            raise ChoiceError(f"{path.name} holds several signals: HAADF, BF (choose one with --signal)")
        return (self.carbon if path.stem.startswith("carbon") else self.crystal).image

    def find_defects(self, image: Image, **options: Any) -> Result:
        self.options = options
        if image is self.carbon.image:
            raise NoLatticeError("no lattice found: no period stands out")
        return self.crystal

    def detect(self, *arguments: str) -> Any:
        return CliRunner().invoke(app, ["detect", *arguments, "--out", str(self.folder)])


@pytest.fixture
def lab(
    tmp_path: Path, make_result: Callable[..., Result], no_lattice: Result, monkeypatch: pytest.MonkeyPatch
) -> Lab:
    lab = Lab(
        tmp_path / "out", make_result(shape=(96, 96), n_each=1, warnings=["the scan drifted"]), no_lattice
    )
    monkeypatch.setattr("antisite.run.reading.read_image", lab.read_image)
    monkeypatch.setattr("antisite.run.detection.find_defects", lab.find_defects)
    monkeypatch.setattr("antisite.run.detection.no_lattice_result", lambda image, reason: lab.carbon)
    monkeypatch.setattr("antisite.run.detection.overlay_png", lambda result: b"PNG")
    monkeypatch.setattr("antisite.run.detection.report_html", lambda result: "<html>")
    return lab


def test_one_image_gives_one_screen_and_all_files(lab: Lab) -> None:
    answer = lab.detect("field.npy")
    assert answer.exit_code == 0
    assert answer.stderr == ""
    lines = answer.stdout.splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines[:-1]) <= 110
    for told in ("field.npy", "14.00 px = 3.500 Å", "0.25 Å/px, as given", "vacancy", "the scan drifted"):
        assert told in answer.stdout
    names = {path.name for path in (lab.folder / "field").iterdir()}
    assert names == {
        *(f"{table}.{suffix}" for table in ("defects", "sites") for suffix in ("csv", "parquet")),
        *("maps.npz", "overlay.png", "report.html", "result.json"),
    }


def test_options_arrive_where_they_matter(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "other.npy"
    other.touch()
    reading = ["--signal", "HAADF", "--frame", "2", "--region", "1:50,2:60", "--pixel-size", "0.2"]
    looking = ["--lattice-constant", "3.5", "--fdr", "0.1", "--min-dark", "0.4", "--min-bright", "0.5"]
    looking += ["--method", "patterson", "--patterson-input", "raw", "--patterson-model", "one-class-svm"]
    looking += ["--no-self-check", "--seed", "4"]
    lab.detect("field.npy", *reading, *looking, "--also", str(other), "--mask", str(other))
    (_, read), options = lab.read[0], lab.options
    assert read["region"] == (slice(1, 50), slice(2, 60))
    assert (read["signal"], read["frame"], read["sum_frames"]) == ("HAADF", 2, False)
    assert (read["also"], read["mask"], read["pixel_size"]) == (other, other, 0.2)
    assert options["lattice_constant"] == 3.5
    assert options["settings"] == Settings(
        method="patterson",
        fdr=0.1,
        min_dark=0.4,
        min_bright=0.5,
        patterson_input="raw",
        patterson_model="one-class-svm",
        self_check=False,
        seed=4,
    )


def test_provenance_tells_input_settings_and_pixels(lab: Lab) -> None:
    lab.detect("field.npy", "--seed", "3", "--region", "1:50,2:60")
    block = read_tables(lab.folder / "field")[2]["provenance"]
    assert block["input"] == str(Path("field.npy").absolute())
    assert block["seed"] == 3
    assert block["settings"]["read"] == {"region": "1:50,2:60"}
    assert block["settings"] == tables_of({"seed": 3, "region": "1:50,2:60"})
    assert len(block["pixels_sha256"]) == 64


def test_nothing_given_is_what_settings_are_by_default(lab: Lab) -> None:
    lab.detect("field.npy")
    (_, read), options = lab.read[0], lab.options
    assert options["settings"] == Settings()
    assert (read["signal"], read["frame"], read["sum_frames"], read["region"]) == ("", None, False, None)
    assert math.isnan(read["pixel_size"])
    assert math.isnan(options["lattice_constant"])


def test_settings_that_were_saved_do_the_same_again(lab: Lab, tmp_path: Path) -> None:
    run_toml = tmp_path / "deep" / "run.toml"
    options = ["--region", "1:50,2:60", "--fdr", "0.1", "--lattice-constant", "3.5", "--no-self-check"]
    assert lab.detect("a.npy", *options, "--save-settings", str(run_toml)).exit_code == 0
    first = (lab.read[-1][1], lab.options)
    assert lab.detect("b.npy", "--settings", str(run_toml)).exit_code == 0
    assert repr((lab.read[-1][1], lab.options)) == repr(first)
    blocks = [read_tables(lab.folder / name)[2]["provenance"]["settings"] for name in "ab"]
    assert blocks[0] == blocks[1]


def test_settings_are_saved_before_the_run_and_a_run_that_is_refused_saves_none(
    lab: Lab, tmp_path: Path
) -> None:
    saving = ["--save-settings", str(tmp_path / "run.toml"), "--fdr", "0.2"]
    assert lab.detect("bad.npy", *saving).exit_code == 1
    assert read_settings_file(tmp_path / "run.toml")["fdr"] == 0.2
    refused = lab.detect("a.npy", *saving)
    assert refused.exit_code == 2
    assert "run.toml exists (give --overwrite or another name)" in refused.stderr
    assert lab.read[1:] == []
    assert lab.detect("a.npy", "b/a.npy", "--save-settings", str(tmp_path / "new.toml")).exit_code == 2
    assert not (tmp_path / "new.toml").exists()


def test_a_wrong_settings_file_is_refused_before_any_work(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[detect]\nfrd = 0.1")
    answer = lab.detect("a.npy", "--settings", str(tmp_path / "run.toml"))
    assert answer.exit_code == 2
    told = "antisite: frd in [detect] of run.toml is no setting (did you mean fdr?)\n"
    assert answer.stderr == told
    assert lab.read == []


def test_a_failed_input_costs_the_others_nothing(lab: Lab) -> None:
    answer = lab.detect("a.npy", "bad.npy", "b.npy")
    assert answer.exit_code == 1
    assert answer.stderr == "antisite: bad.npy must be an image\n"
    assert sorted(path.name for path in lab.folder.iterdir()) == ["a", "b"]


def test_an_image_without_lattice_leaves_a_result_that_says_so(lab: Lab) -> None:
    answer = lab.detect("carbon.npy")
    assert answer.exit_code == 3
    assert answer.stderr == f"antisite: carbon.npy: {lab.carbon.summary['reason']}\n"
    sites, defects, summary = read_tables(lab.folder / "carbon")
    assert (len(sites), len(defects), summary["lattice_found"]) == (0, 0, False)
    assert (lab.folder / "carbon" / "defects.csv").read_text().startswith("id,image,frame,kind")
    assert (lab.folder / "carbon" / "report.html").exists()


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ("carbon1.npy carbon2.npy", 3),
        ("carbon.npy a.npy", 0),
        ("carbon.npy bad.npy", 1),
        ("many.npy", 2),
        ("many.npy a.npy", 2),
        ("many.npy bad.npy", 1),
    ],
)
def test_mixtures_end_with_the_status_of_the_contract(lab: Lab, files: str, status: int) -> None:
    assert lab.detect(*files.split()).exit_code == status


def test_signals_are_listed_when_none_was_chosen(lab: Lab) -> None:
    assert "HAADF, BF (choose one with --signal)" in lab.detect("many.npy").stderr


def test_several_images_get_a_line_each(lab: Lab) -> None:
    answer = lab.detect("a.npy", "carbon.npy", "bad.npy")
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("a.npy")
    assert "1 vacancy" in lines[0]
    assert lines[1].split(maxsplit=1) == ["warning", "the scan drifted"]
    assert lines[2].split() == ["carbon.npy", "no", "lattice"]
    assert lines[3].split() == ["bad.npy", "failed"]
    assert lines[4].endswith("<stem>/report.html")


def test_json_is_all_there_is_on_stdout(lab: Lab) -> None:
    answer = lab.detect("a.npy", "bad.npy", "carbon.npy", "--json")
    told = json.loads(answer.stdout)
    assert told["exit_status"] == answer.exit_code == 1
    assert [one["status"] for one in told["inputs"]] == ["done", "failed", "no_lattice"]
    assert told["inputs"][0]["summary"]["counts"] == lab.crystal.summary["counts"]
    assert told["inputs"][1]["summary"] is None
    assert told["inputs"][1]["message"] == "bad.npy must be an image"
    assert told["inputs"][2]["folder"] == str(lab.folder / "carbon")


def test_quiet_prints_errors_only(lab: Lab) -> None:
    answer = lab.detect("a.npy", "bad.npy", "--quiet")
    assert answer.stdout == ""
    assert answer.stderr == "antisite: bad.npy must be an image\n"


def test_an_earlier_result_is_refused_before_any_work(lab: Lab) -> None:
    assert lab.detect("a.npy").exit_code == 0
    lab.read.clear()
    answer = lab.detect("b.npy", "a.npy")
    assert answer.exit_code == 2
    assert "give --overwrite or another --out" in answer.stderr
    assert lab.read == []
    assert lab.detect("b.npy", "a.npy", "--overwrite").exit_code == 0


def test_two_inputs_with_one_stem_are_refused_before_any_work(lab: Lab) -> None:
    answer = lab.detect("a.npy", "b/a.tif")
    assert answer.exit_code == 2
    assert "must not have the same stem" in answer.stderr
    assert lab.read == []


def test_an_output_that_is_a_file_is_refused_before_any_work(lab: Lab) -> None:
    lab.folder.touch()
    answer = lab.detect("a.npy")
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "give another --out" in answer.stderr
    assert lab.read == []


def test_a_disk_that_fills_up_is_one_sentence(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("antisite.io.results.np.savez_compressed", full)
    answer = lab.detect("a.npy")
    assert answer.exit_code == 1
    assert "no space left on device" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not lab.folder.exists()


def test_an_interrupt_ends_with_130_and_says_how_far_it_came(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(image: Image, **_: Any) -> Result:
        if len(lab.read) == 2:
            raise KeyboardInterrupt
        return lab.crystal

    monkeypatch.setattr("antisite.run.detection.find_defects", interrupted)
    answer = lab.detect("a.npy", "b.npy", "c.npy")
    assert answer.exit_code == 130
    assert answer.stdout == ""
    assert answer.stderr == "antisite: interrupted after 1 of 3 inputs; what is written is complete\n"
    assert [path.name for path in lab.folder.iterdir()] == ["a"]


def test_a_fault_of_the_program_is_named_without_a_traceback(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(image: Image, **_: Any) -> Result:
        raise IndexError("list index out of range")

    monkeypatch.setattr("antisite.run.detection.find_defects", broken)
    answer = lab.detect("a.npy")
    assert answer.exit_code == 1
    assert "IndexError: list index out of range (ANTISITE_DEBUG=1 shows where)" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_folder_of_an_input_that_failed_is_told(lab: Lab) -> None:
    answer = lab.detect("a/bad.npy", "b/bad2.npy")
    assert answer.stderr == "antisite: a/bad.npy must be an image\nantisite: b/bad2.npy must be an image\n"
