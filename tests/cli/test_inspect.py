from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from antisite.cli.main import app
from antisite.cli.show_lattice import comparison_lines
from antisite.conditions import Conditions, Detector
from antisite.errors import ChoiceError, InputError, NoLatticeError
from antisite.image import Image
from antisite.io.images import SignalInfo
from antisite.result import Result

HAADF = SignalInfo(
    title="HAADF",
    shape=(96, 96),
    dtype="uint16",
    n_frames=1,
    pixel_size=0.25,
    conditions=Conditions(beam_energy=80e3, convergence=30, detectors=(Detector(inner=70, outer=200),)),
    is_image=True,
    reason="",
)
EDS = replace(
    HAADF,
    title="EDS",
    shape=(96, 96, 2048),
    n_frames=0,
    pixel_size=math.nan,
    conditions=Conditions(),
    is_image=False,
    reason="a spectrum at every pixel",
)


class Bench:
    """The steps of inspect, replaced by quick ones."""

    def __init__(self, folder: Path, crystal: Result) -> None:
        self.folder, self.crystal = folder, crystal
        self.signals = [HAADF, EDS]
        self.error: Exception | None = None

    def read_image(self, path: Path, **options: Any) -> Image:
        self.options = options
        if self.error:
            raise self.error
        return self.crystal.image

    def inspect(self, *arguments: str) -> Any:
        return CliRunner().invoke(app, ["inspect", "field.emd", *arguments, "--out", str(self.folder)])


@pytest.fixture
def bench(tmp_path: Path, make_result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Bench:
    crystal = make_result(shape=(96, 96), n_each=1)
    (grain,) = crystal.grains
    told = {"grains": [grain | {"lattice": grain["lattice"] | {"repeat": 14.0}}]}
    bench = Bench(tmp_path / "out", replace(crystal, summary=crystal.summary | told))
    monkeypatch.setattr("antisite.run.inspection.describe_file", lambda path: bench.signals)
    monkeypatch.setattr("antisite.run.reading.read_image", bench.read_image)
    monkeypatch.setattr("antisite.run.inspection.inspect_crystal", lambda image, **_: bench.crystal)
    monkeypatch.setattr("antisite.run.inspection.inspect_png", lambda result: b"PNG")
    return bench


def test_says_what_the_file_holds(bench: Bench) -> None:
    answer = bench.inspect()
    assert answer.exit_code == 0
    assert (
        "'HAADF': 96 × 96 uint16 · 0.25 Å/px · 80 keV · probe 30 mrad · detector 70 to 200 mrad"
        in answer.stdout
    )
    assert "'EDS': 96 × 96 × 2048 uint16 · no image: a spectrum at every pixel" in answer.stdout


def test_says_what_lattice_is_seen(bench: Bench) -> None:
    told = bench.inspect().stdout
    assert "a 14.00 px = 3.500 Å · b 14.00 px = 3.500 Å · 60.0° · cell 169.7 px² · coherence 0.93" in told
    assert "A at (0.15, 0.20), " in told
    assert "B at (0.48, 0.53), " in told
    assert " sites, 65 % of the brightness" in told
    assert "hollow at" not in told
    assert "drift       0.50 px rms" in told


def test_a_stack_and_an_unknown_scale_are_said(bench: Bench) -> None:
    bench.signals = [replace(HAADF, n_frames=20, pixel_size=math.nan, conditions=Conditions())]
    assert "'HAADF': 96 × 96 uint16 · 20 frames · no scale\n" in bench.inspect().stdout


def test_says_how_well_the_recorded_scale_agrees_with_the_lattice_constant() -> None:
    told = {"pixel_size": 0.252, "pixel_size_recorded": 0.25, "lattice_constant": 3.53, "warnings": []}
    (line,) = comparison_lines(told)
    assert "recorded 0.250 Å/px, 0.8 % apart from lattice constant 3.53 Å" in line
    assert not comparison_lines(told | {"pixel_size_recorded": None})
    assert not comparison_lines(told | {"lattice_constant": None})
    assert not comparison_lines(told | {"warnings": ["the lattice constant 3.36 Å implies …"]})


def test_leaves_a_picture_and_nothing_else(bench: Bench) -> None:
    for _ in range(2):
        assert bench.inspect().exit_code == 0
    assert [path.relative_to(bench.folder) for path in bench.folder.rglob("*.*")] == [
        Path("field/inspect.png")
    ]
    assert (bench.folder / "field" / "inspect.png").read_bytes() == b"PNG"


def test_a_picture_that_cannot_be_written_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = bench.inspect()
    assert answer.exit_code == 1
    assert "no space left on device" in answer.stderr
    assert list((bench.folder / "field").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ChoiceError("several signals: HAADF, BF (choose one with --signal)"), 2),
        (InputError("it must hold an image"), 1),
        (NoLatticeError("no lattice found: no period stands out"), 3),
    ],
)
def test_signals_are_listed_even_when_no_lattice_can_be_seen(
    bench: Bench, error: Exception, status: int
) -> None:
    bench.error = error
    answer = bench.inspect()
    assert answer.exit_code == status
    assert answer.stderr == f"antisite: field.emd: {error}\n"
    assert "'HAADF'" in answer.stdout
    assert not bench.folder.exists()


def test_json_holds_signals_and_lattice_and_null_for_the_unknown(bench: Bench) -> None:
    (told,) = json.loads(bench.inspect("--json").stdout)["inputs"]
    assert told["summary"]["grains"][0]["lattice"]["a"] == 14.0
    assert told["summary"]["pixel_size"] == 0.25
    assert told["signals"][0]["conditions"]["beam_energy"] == 80e3
    assert told["signals"][1]["pixel_size"] is None


def test_quiet_leaves_the_picture_only(bench: Bench) -> None:
    answer = bench.inspect("--quiet")
    assert answer.stdout == answer.stderr == ""
    assert (bench.folder / "field" / "inspect.png").exists()


def test_a_settings_file_tells_how_to_read(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[read]\nsignal = 'HAADF'\npixel_size = 0.3\n[detect]\nfdr = 0.1")
    assert bench.inspect("--settings", str(tmp_path / "run.toml"), "--pixel-size", "0.2").exit_code == 0
    assert (bench.options["signal"], bench.options["pixel_size"]) == ("HAADF", 0.2)
