from __future__ import annotations

import math
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from antisite import Settings
from antisite.errors import InputError
from antisite.run.choice import parse_region
from antisite.run.choices import ABOUT_TABLES, BY_FIELD, CHOICES, TABLES
from antisite.run.detection import DetectFile
from antisite.run.reading import Reading
from antisite.run.settings import DEFAULTS

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def test_every_field_of_a_step_is_a_choice_and_every_choice_is_one() -> None:
    known = {field.name for noun in (Settings, Reading) for field in fields(noun)}
    assert known | {"lattice_constant"} == set(BY_FIELD)
    assert "lattice_constant" in {field.name for field in fields(DetectFile)}


def test_no_two_choices_share_a_field_or_a_key_of_a_table() -> None:
    assert len(BY_FIELD) == len(CHOICES)
    assert len({(choice.table, choice.key) for choice in CHOICES}) == len(CHOICES)
    assert set(ABOUT_TABLES) == set(TABLES) - {""}


def test_defaults_fit_and_what_has_none_has_an_example() -> None:
    for choice in CHOICES:
        if choice.field in DEFAULTS:
            choice.check(DEFAULTS[choice.field])
        else:
            assert choice.example


def test_the_documents_tell_where_every_choice_stands() -> None:
    told = re.findall(r"^\| `--[^|]+\| `([^`]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [f"[{c.table}] {c.key}" for c in CHOICES if c.table] + ["seed"]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("fdr", 5, "fdr must lie between 0 and 1, got 5 (5 % is 0.05)"),
        ("fdr", "high", "fdr must be a number, got 'high'"),
        ("fdr", True, "fdr must be a number, got true"),
        ("fdr", None, "fdr must be a number, got None"),
        ("seed", 1.0, "seed must be a whole number, got 1"),
        ("seed", False, "seed must be a whole number, got false"),
        ("self_check", 1, "self_check must be true or false, got 1"),
        ("min_bright", math.inf, "min_bright must be 0 to 5, got inf (30 % is 0.3)"),
        (
            "method",
            "Patterson",
            "method must be deviation or patterson, got 'Patterson' (did you mean patterson?)",
        ),
        ("method", 4, "method must be deviation or patterson, got 4"),
        ("patterson_input", "rew", "patterson_input must be raw or semantic, got 'rew' (did you mean raw?)"),
        ("patterson_model", "svm", "patterson_model must be one-class-svm or mahalanobis, got 'svm'"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_in_one_sentence(field: str, value: object, told: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(told)}$"):
        Settings(**{field: value})  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers() -> None:
    assert Settings(fdr=np.float32(0.5), seed=np.int64(3)).seed == 3  # type: ignore[arg-type]


def test_settings_search_as_ever_unless_told() -> None:
    settings = Settings(fdr=0.01, min_dark=0.1, min_bright=0.2, seed=4)
    assert (settings.method, settings.self_check) == ("deviation", True)
    assert (settings.patterson_input, settings.patterson_model) == ("semantic", "mahalanobis")


@pytest.mark.parametrize("text", ["5", "0:5,-3:4", "9:5,0:4", "0:5,4:4", "0:5,0:٣", ""])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^region must (be y0:y1,x0:x1|end after it begins)"):
        parse_region(text)


def test_a_reading_tells_its_choices_so_that_they_give_it_again() -> None:
    reading = Reading(signal="HAADF", sum_frames=True, also=Path("b.tif"), region=(slice(1, 5), slice(2, 9)))
    assert reading.told()["region"] == "1:5,2:9"
    assert Reading.chosen(reading.told()) == reading
    assert Reading.chosen({"fdr": 0.1, "region": None}) == Reading.chosen({})


def test_per_cent_given_for_a_share_is_understood():
    with pytest.raises(InputError, match=r"^min_dark must be 0 to 1, got 20 \(did you mean 0\.2\?\)$"):
        Settings(min_dark=20)
