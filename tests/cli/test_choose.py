from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from antisite.cli.choose import choose, save
from antisite.cli.options import UsageError

FIELD = [Path("field.npy")]


@pytest.fixture
def run_toml(tmp_path: Path) -> Path:
    return tmp_path / "run.toml"


def chosen(path: Path, text: str, **given: Any) -> dict[str, Any]:
    path.write_text(text, encoding="utf-8")
    return choose(given, files=FIELD, settings=path)


def test_an_option_goes_before_the_file_and_the_file_before_the_default(run_toml: Path) -> None:
    text = "seed = 3\n[detect]\nfdr = 0.1\n[self_check]\nrun = false"
    assert chosen(run_toml, text, fdr=0.2) == {"seed": 3, "fdr": 0.2, "self_check": False}
    assert chosen(run_toml, text, self_check=True)["self_check"] is True
    assert choose({}) == {}


def test_a_frame_given_goes_before_the_sum_of_the_file_and_the_sum_before_its_frame(run_toml: Path) -> None:
    assert chosen(run_toml, "[read]\nsum = true", frame=2) == {"frame": 2}
    assert chosen(run_toml, "[read]\nframe = 2", sum_frames=True) == {"sum_frames": True}


def test_a_frame_and_the_sum_of_all_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"^--frame and --sum exclude each other \(give one of them\)$"):
        choose({"frame": 0, "sum_frames": True})


def test_the_second_detector_of_a_file_needs_exactly_one_image(run_toml: Path) -> None:
    run_toml.write_text("[read]\nalso = 'run.toml'", encoding="utf-8")
    assert choose({}, files=FIELD, settings=run_toml) == {"also": run_toml}
    with pytest.raises(UsageError, match=r"^also in .*run\.toml needs exactly one FILE, .* got 2$"):
        choose({}, files=FIELD * 2, settings=run_toml)


@pytest.mark.parametrize("field", ["patterson_input", "patterson_model"])
def test_options_of_patterson_need_that_method(run_toml: Path, field: str) -> None:
    value, patterson = "raw", "[detect]\nmethod = 'patterson'"
    name = "--" + field.replace("_", "-")
    with pytest.raises(UsageError, match=f"^{name} needs --method patterson, and the method is deviation$"):
        choose({field: value})
    assert choose({field: value, "method": "patterson"})[field] == value
    assert chosen(run_toml, patterson, **{field: value})[field] == value
    with pytest.raises(UsageError, match=f"^{name} needs"):
        chosen(run_toml, patterson, method="deviation", **{field: value})


def test_a_file_may_keep_what_its_method_does_not_use(run_toml: Path) -> None:
    assert chosen(run_toml, "[patterson]\ninput = 'raw'") == {"patterson_input": "raw"}


def test_a_wrong_file_is_an_error_of_usage(run_toml: Path) -> None:
    with pytest.raises(
        UsageError, match=r"frd in \[detect\] of run\.toml is no setting \(did you mean fdr\?\)"
    ):
        chosen(run_toml, "[detect]\nfrd = 0.1")


def test_a_settings_file_is_replaced_only_when_told(run_toml: Path) -> None:
    save({"seed": 1}, run_toml, overwrite=False)
    first = run_toml.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=r"run\.toml exists \(give --overwrite or another name\)$"):
        save({"seed": 2}, run_toml, overwrite=False)
    assert run_toml.read_text(encoding="utf-8") == first
    save({"seed": 2}, run_toml, overwrite=True)
    assert "\nseed = 2\n" in run_toml.read_text(encoding="utf-8")
