from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import antisite
from antisite.cli.main import app
from antisite.image import Image
from antisite.result import Result
from antisite.run.settings_text import settings_text

DEMO = Path(antisite.__file__).parent / "data" / "demo_wse2.tif"
REDRAWN = {"overlay.png", "report.html"}


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_result: Callable[..., Result]) -> Path:
    """A finished result, of an image beside it, whose search was left out."""
    place, crystal = (
        tmp_path_factory.mktemp("finished"),
        make_result(shape=(96, 96), n_each=1, name="field.npy"),
    )
    np.save(place / "field.npy", crystal.image.pixels)

    def found(image: Image, **_: Any) -> Result:
        return replace(crystal, image=image)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("antisite.run.detection.find_defects", found)
        assert run("detect", place / "field.npy", "--region", "0:90,2:96", "--out", place).exit_code == 0
    return place / "field"


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out" / finished.name))


@pytest.fixture
def image(finished: Path) -> Path:
    return finished.with_suffix(".npy")


def spoil(folder: Path, **changes: Any) -> None:
    """Change the provenance of a result."""
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["provenance"] |= changes
    path.write_text(json.dumps(result), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_settings_and_pictures_of_a_result_come_again(tmp_path: Path) -> None:
    first, again, settings = tmp_path / "1" / DEMO.stem, tmp_path / "2" / DEMO.stem, tmp_path / "run.toml"
    options = ["--region", "0:180,10:190", "--fdr", "0.1", "--pixel-size", "0.21", "--seed", "5"]
    assert run("detect", DEMO, *options, "--out", first.parent).exit_code == 0
    told = json.loads((first / "result.json").read_text(encoding="utf-8"))
    assert (told["fdr"], told["pixel_size"]) == (0.1, 0.21)

    settings.write_text(settings_text(told["provenance"]["settings"]), encoding="utf-8")
    assert run("detect", DEMO, "--settings", settings, "--out", again.parent).exit_code == 0
    for name in REDRAWN:
        (again / name).unlink()
    assert run("report", again).exit_code == 0
    for name, content in contents(first).items():
        assert contents(again)[name] == content or name == "result.json", name
    repeated = json.loads((again / "result.json").read_text(encoding="utf-8"))
    del told["provenance"]["time"], repeated["provenance"]["time"]
    assert repeated == told


def test_pictures_come_back_as_they_were_and_nothing_else_is_touched(folder: Path) -> None:
    before = contents(folder)
    for name in REDRAWN:
        (folder / name).write_bytes(b"old")
    when = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name not in REDRAWN}
    answer = run("report", folder)
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout == f"{folder}/report.html and overlay.png drawn again\n"
    assert contents(folder) == before
    assert when == {name: (folder / name).stat().st_mtime_ns for name in when}


def test_pictures_that_are_gone_come_back(folder: Path) -> None:
    before = contents(folder)
    for name in REDRAWN:
        (folder / name).unlink()
    assert run("report", folder, "--quiet").stdout == ""
    assert contents(folder) == before


def test_an_image_that_moved_is_asked_for_and_taken(folder: Path, image: Path, tmp_path: Path) -> None:
    before = contents(folder)
    spoil(folder, input=str(tmp_path / "gone.tif"))
    answer = run("report", folder)
    assert answer.exit_code == 1
    assert answer.stderr == (
        f"antisite: {folder}: its image must be at {tmp_path / 'gone.tif'}, and is no longer there "
        f"(give it with --image)\n"
    )
    moved = Path(shutil.copy(image, tmp_path / "other_name.npy"))
    assert run("report", folder, "--image", moved).exit_code == 0
    after = contents(folder)
    assert all(after[name] == before[name] for name in REDRAWN)


def test_another_image_is_refused_and_nothing_is_replaced(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    np.save(tmp_path / "other.npy", np.arange(96.0 * 96).reshape(96, 96))
    answer = run("report", folder, "--image", tmp_path / "other.npy")
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "its image must have the pixels that were looked at, and those of " in answer.stderr
    assert "(give the right one with --image, or run detect again)" in answer.stderr
    assert contents(folder) == before


def test_an_image_that_moved_belongs_to_one_result(folder: Path, image: Path) -> None:
    answer = run("report", folder, folder, "--image", image)
    assert answer.exit_code == 2
    assert answer.stderr == "antisite: --image needs exactly one RESULT_DIR, whose image it is, got 2\n"


def test_one_that_fails_does_not_stop_the_others(folder: Path, tmp_path: Path) -> None:
    (folder / "overlay.png").unlink()
    answer = run("report", tmp_path / "nothing", folder, "--json")
    assert answer.exit_code == 1
    assert (folder / "overlay.png").exists()
    told = json.loads(answer.stdout)
    assert told["exit_status"] == 1
    assert [one["status"] for one in told["inputs"]] == ["failed", "done"]
    assert told["inputs"][1]["summary"]["lattice_found"] is True
    assert "must be the folder of a result, and has no result.json" in answer.stderr


def test_the_folder_around_results_is_not_one(folder: Path) -> None:
    answer = run("report", folder.parent)
    assert answer.exit_code == 1
    assert answer.stderr == (
        f"antisite: {folder.parent} must be the folder of one image, and holds such folders "
        f"(give them: {folder})\n"
    )


@pytest.mark.parametrize(
    "changes", [{"settings": None}, {"pixels_sha256": None, "settings": 3}, {"input": 5}]
)
def test_a_result_that_does_not_say_where_it_comes_from_is_refused(folder: Path, changes: Any) -> None:
    spoil(folder, **changes)
    answer = run("report", folder)
    assert answer.exit_code == 1
    assert answer.stderr.endswith(
        "result.json must say what image it is of, and how that was read (run detect again)\n"
    )


def test_a_result_whose_reading_is_nonsense_is_refused(folder: Path) -> None:
    spoil(folder, settings={"read": {"region": "all"}})
    answer = run("report", folder)
    assert answer.exit_code == 1
    assert "region in [read] of " in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    before = contents(folder)
    monkeypatch.setattr(Path, "write_bytes", full)
    answer = run("report", folder)
    assert answer.exit_code == 1
    assert "cannot be written: no space left on device" in answer.stderr
    assert contents(folder) == before


def test_a_result_without_lattice_is_drawn_again_too(tmp_path: Path) -> None:
    np.save(tmp_path / "carbon.npy", np.random.default_rng(0).normal(size=(96, 96)))
    assert run("detect", tmp_path / "carbon.npy", "--out", tmp_path).exit_code == 3
    before = contents(tmp_path / "carbon")
    (tmp_path / "carbon" / "overlay.png").unlink()
    answer = run("report", tmp_path / "carbon")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert contents(tmp_path / "carbon") == before


def test_mask_and_second_detector_are_found_beside_an_image_that_moved(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 96, 96))
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    for name, pixels in {"a": noise[0], "b": noise[1], "mask": np.eye(96)}.items():
        np.save(old / f"{name}.npy", pixels)
    run("detect", old / "a.npy", "--also", old / "b.npy", "--mask", old / "mask.npy", "--out", tmp_path)
    before = contents(tmp_path / "a")
    old.rename(new)
    (tmp_path / "a" / "report.html").unlink()
    assert run("report", tmp_path / "a", "--image", new / "a.npy").exit_code == 0
    assert contents(tmp_path / "a") == before


@pytest.mark.parametrize(
    "changes", [{"grains": [{"lattice": None}]}, {"self_check": {"recall": []}}, {"grains": [1]}]
)
def test_a_garbled_result_is_refused_in_one_sentence(folder: Path, changes: dict[str, Any]) -> None:
    path = folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    before = (folder / "report.html").read_bytes()
    told = run("report", folder)
    assert told.exit_code == 1
    assert "must be as detect wrote it" in told.stderr
    assert "fault of antisite" not in told.stderr
    assert (folder / "report.html").read_bytes() == before
