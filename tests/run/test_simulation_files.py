from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from antisite.errors import ChoiceError, OutputError
from antisite.image import Image
from antisite.run.simulation_files import (
    defect_counts,
    refuse_simulation,
    simulation_files,
    write_simulation,
    write_structure_image,
)
from antisite.simulate.truth.truth import Truth

TRUTH = Truth(
    pd.DataFrame(
        {
            "y": [5.0, 9.0, 13.0],
            "x": [4.0, 8.0, 12.0],
            "kind": ["none", "vacancy", "vacancy"],
            "species": ["C", "", ""],
            "sublattice": ["A", "A", "B"],
        }
    ),
    crystal="graphene",
    spacing=6.0,
)
IMAGE = Image(np.arange(400.0).reshape(20, 20), pixel_size=0.2, name="a.tif")


STRUCTURE: dict[str, Any] = {"settings": {}, "source": Path("model.xyz"), "cautions": []}


def write(folder: Path, image: Image = IMAGE, **more: object) -> dict[str, object]:
    told: dict[str, object] = {"name": "a", "settings": {"seed": 3}, "source": "graphene"}
    return write_simulation(image, TRUTH, folder, **(told | more))  # type: ignore[arg-type]


def test_the_summary_is_what_is_written(tmp_path: Path) -> None:
    told = write(tmp_path / "a", cautions=["mind this"])
    assert json.loads((tmp_path / "a" / "simulation.json").read_text(encoding="utf-8")) == told
    assert told["defects"] == [{"kind": "vacancy", "species": "", "n": 2}]
    assert (told["n_sites"], told["warnings"], told["mean"]) == (3, ["mind this"], [199.5])
    provenance = told["provenance"]
    assert isinstance(provenance, dict)
    assert (provenance["input"], provenance["seed"]) == ("graphene", 3)
    assert {path.name for path in (tmp_path / "a").iterdir()} == set(simulation_files("a", 1))


def test_a_file_as_specimen_is_told_in_full_in_the_provenance_only(tmp_path: Path) -> None:
    source = tmp_path / "b.cif"
    source.write_text("data_b")
    told = write(tmp_path / "a", source=source)
    text = json.dumps({key: value for key, value in told.items() if key != "provenance"})
    assert str(tmp_path) not in text
    assert told["provenance"]["input"] == str(source)  # type: ignore[index]


def test_overwriting_removes_all_of_the_earlier_run_and_keeps_what_is_foreign(tmp_path: Path) -> None:
    many = Image(np.ones((18, 20, 20), np.float32), pixel_size=0.2)
    told = write(tmp_path / "a", image=many, extra={"twins.png": b"old"})
    assert told["files"][-1] == "twins.png"  # type: ignore[index]
    assert (tmp_path / "a" / "a_18.hspy").exists()
    for name in ("notes.txt", "a_19.tif"):
        (tmp_path / "a" / name).write_text("mine")
    write(tmp_path / "a")
    left = {"notes.txt", "a_19.tif", *simulation_files("a", 1)}
    assert {path.name for path in (tmp_path / "a").iterdir()} == left
    write_structure_image(np.ones((1, 4, 5), np.float32), tmp_path / "a", **STRUCTURE)
    left = {"notes.txt", "a_19.tif", "image.npy", "simulation.json"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == left


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": ["../b", "sub/c", "..", 4]}'])
def test_a_summary_that_is_none_costs_no_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "b").touch()
    (tmp_path / "a" / "sub" / "c").touch()
    (tmp_path / "a" / "simulation.json").write_text(text)
    write(tmp_path / "a")
    assert (tmp_path / "b").exists()
    assert (tmp_path / "a" / "sub" / "c").exists()


def test_what_is_there_is_refused_by_name(tmp_path: Path) -> None:
    refuse_simulation(tmp_path / "none", files=["a.tif"])
    (tmp_path / "a.tif").touch()
    with pytest.raises(ChoiceError, match=r"holds a.tif \(give --overwrite or another --out\)"):
        refuse_simulation(tmp_path, files=["b.tif", "a.tif"])
    refuse_simulation(tmp_path, files=["a.tif"], overwrite=True)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("cannot be written: no space left on device")

    monkeypatch.setattr("antisite.run.simulation_files.write_hspy", full)
    with pytest.raises(OutputError, match="no space left"):
        write(tmp_path / "out" / "a")
    assert list(tmp_path.iterdir()) == []


def test_one_detector_of_a_structure_is_two_dimensional(tmp_path: Path) -> None:
    pixels = np.ones((2, 4, 5), np.float32)
    for n in (1, 2):
        told = write_structure_image(pixels[:n], tmp_path / str(n), **STRUCTURE)
        written = np.load(tmp_path / str(n) / "image.npy")
        assert (written.ndim, written.dtype) == (1 + n, np.float32)
        assert (told["shape"], told["mean"]) == ([4, 5], [1.0] * n)


def test_perfect_crystals_have_no_counts() -> None:
    assert defect_counts(Truth(TRUTH.sites.iloc[:1])) == []
