from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antisite.errors import InputError
from antisite.image import Image
from antisite.run.simulation import Simulation, blankness, check_memory, check_sampling, saturation
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.crystals.scene import perfect_scene
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Readout, Recording, Scan

GRAPHENE = find_specimen("graphene")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"shape": (0, 5)}, "an image must be at least 1 × 1 px, got 0 × 5"),
        ({"pixel_size": math.nan}, "pixel_size must be finite and at least 0.001 Å/px, got nan"),
        ({"pixel_size": 1e-6}, "pixel_size must be finite and at least 0.001 Å/px, got 1e-06"),
        (
            {"shape": (40, 64), "recording": Recording(scan=Scan(drift=200))},
            "drift must be at most 192 px, 3 times the longer side of the frame, got 200",
        ),
        ({"shape": (40, 64), "recording": Recording(scan=Scan(jitter=1e6))}, "jitter must be at most 192 px"),
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


@pytest.mark.parametrize(("shape", "pixel_size"), [((40, 400), 0.2), ((8, 8), 1.0)])
def test_memory_is_what_the_columns_of_the_scene_take(shape: tuple[int, int], pixel_size: float) -> None:
    n_columns = len(perfect_scene(GRAPHENE, shape=shape, pixel_size=pixel_size, rng=1).sites)
    wanted = 300 * n_columns + 40 * math.prod(shape)
    check_memory(shape, pixel_size, GRAPHENE, available=1.05 * wanted)
    with pytest.raises(InputError, match="must fit into memory"):
        check_memory(shape, pixel_size, GRAPHENE, available=0.95 * wanted)


def test_a_detector_that_saw_nothing_is_told() -> None:
    seen = np.arange(6.0).reshape(2, 3)
    both = Image(np.array([seen, np.full((2, 3), 7)], np.float32))
    (told,) = blankness(both)
    assert told.startswith("all pixels of detector 2 are 7: nothing is seen of the specimen")
    assert blankness(Image(seen)) == blankness(Image(np.ones((1, 1)))) == []


def test_a_drift_of_some_frames_may_be_meant() -> None:
    chosen = Simulation(specimen="graphene", shape=(1, 64), recording=Recording(scan=Scan(drift=192)))
    assert chosen.recording.scan.drift == 192


@pytest.mark.parametrize(
    ("readout", "words"),
    [
        (Readout(bits=8), ["25 % of the pixels are at 255, the most that 8 bits hold (give a lower --gain)"]),
        (
            Readout(bits=8, read_noise=1),
            ["25 % of the pixels are at 255", "50 % of the pixels are at 0, the"],
        ),
        (Readout(bits=9), []),
        (Readout(), []),
    ],
)
def test_values_cut_to_few_bits_are_told_with_their_share(readout: Readout, words: list[str]) -> None:
    told = saturation(Image(np.array([[0, 0], [100, 255]], np.float32)), readout)
    assert len(told) == len(words)
    assert all(said.startswith(start) for said, start in zip(told, words, strict=True))


def test_each_detector_is_told_of_by_its_number() -> None:
    two = Image(np.array([[[3.0, 3.0]], [[1.0, 2.0]]]))
    assert saturation(two, Readout(bits=2)) == [
        "100 % of the pixels of detector 1 are at 3, the most that 2 bits hold (give a lower --gain)"
    ]


def test_pixels_are_at_most_a_cell_wide() -> None:
    check_sampling(2.46, GRAPHENE)
    with pytest.raises(InputError, match=r"must be at most the 2\.46 Å of the cell of graphene, got 2\.5 \("):
        check_sampling(2.5, GRAPHENE)


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
