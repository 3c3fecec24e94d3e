from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from antisite.errors import InputError
from antisite.run.simulation import Simulation, check_memory, free_memory
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.point_defects.planting import PointDefects

GRAPHENE = find_specimen("graphene")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"shape": (0, 5)}, "an image must be at least 1 × 1 px, got 0 × 5"),
        ({"pixel_size": math.nan}, "pixel_size must be positive and finite"),
        ({"seed": -2}, "seed must be 0 or more, got -2"),
    ],
)
def test_what_no_image_has_is_refused(chosen: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Simulation(specimen="graphene", **chosen)


def test_defects_are_refused_before_anything_is_computed() -> None:
    chosen = Simulation(specimen="graphene", defects=PointDefects(vacancies={"Se": 0.1}))
    with pytest.raises(InputError, match=r"must name its elements \(C\), got Se"):
        chosen.check(chosen.find_crystal())


def test_memory_grows_with_area_and_detectors_and_is_refused_with_the_number() -> None:
    with pytest.raises(
        InputError, match=r"1000 × 2000 px, which takes about 0.\d+ GB where 0.01 GB are free"
    ):
        check_memory((1000, 2000), 0.2, GRAPHENE, available=1e7)
    check_memory((1000, 2000), 0.2, GRAPHENE, available=1e9)
    with pytest.raises(InputError, match="must fit into memory"):
        check_memory((1000, 2000), 0.2, GRAPHENE, n_detectors=20, available=1e9)
    with pytest.raises(InputError, match="must fit into memory"):
        check_memory((1000, 2000), 2.0, GRAPHENE, available=1e9)


def test_a_system_that_does_not_say_what_is_free_is_given_8_gigabytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert free_memory() > 1e6
    monkeypatch.delattr("os.sysconf")
    assert free_memory() == 8 * 2**30


def test_settings_are_plain_and_name_no_place(tmp_path: Path) -> None:
    chosen = Simulation(
        specimen=str(tmp_path / "sheet.cif"), defects=PointDefects(vacancies={"C": 0.1}), rotation=0.5
    )
    told = json.loads(json.dumps(chosen.settings()))
    assert (told["specimen"], told["rotation"]) == ("sheet.cif", 0.5)
    assert told["defects"] == {"vacancies": {"C": 0.1}, "n_depths": 8}
    assert told["optics"]["detectors"] == [{"inner": 70, "outer": 200}]
    assert str(tmp_path) not in json.dumps(told)


def test_the_same_settings_give_the_same_image() -> None:
    from antisite.simulate.scattering.optics import Optics

    chosen = Simulation(specimen="graphene", optics=Optics(static=True), shape=(24, 24), seed=3)
    crystal = chosen.find_crystal()
    (first, _), (again, truth) = (chosen.simulate(crystal) for _ in range(2))
    assert (first.pixels == again.pixels).all()
    assert len(truth.sites) > 3
