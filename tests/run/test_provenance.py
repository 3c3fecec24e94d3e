from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from antisite import Image, __version__
from antisite.run import provenance as module
from antisite.run.provenance import library_versions, origin, pixels_sha256, provenance

IMAGE = Image(np.arange(12.0).reshape(3, 4))


def test_block_says_all_that_is_needed_to_repeat_the_run() -> None:
    block = provenance(IMAGE, Path("field.npy"), settings={"fdr": 0.05}, seed=7)
    assert set(block) == {
        "antisite",
        "libraries",
        "python",
        "platform",
        "settings",
        "seed",
        "input",
        "pixels_sha256",
        "time",
    }
    assert block["antisite"] == __version__
    assert block["settings"] == {"fdr": 0.05}
    assert block["seed"] == 7
    assert json.loads(json.dumps(block)) == block


def test_input_is_absolute_and_time_is_utc() -> None:
    block = provenance(IMAGE, Path("field.npy"), settings={}, seed=0)
    assert Path(block["input"]) == Path.cwd() / "field.npy"
    told = datetime.fromisoformat(block["time"])
    assert told.utcoffset() == datetime.now(UTC).utcoffset()
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60


def test_a_name_is_told_as_it_is() -> None:
    assert origin("WSe2", seed=3)["input"] == "WSe2"
    assert set(origin(Path("a"), seed=3)) < set(provenance(IMAGE, Path("a"), settings={}, seed=3))


def test_hash_depends_on_every_pixel_and_on_nothing_else() -> None:
    same = Image(IMAGE.channels.copy(), pixel_size=0.2, name="other")
    other = Image(IMAGE.channels + np.eye(3, 4, dtype=np.float32))
    assert pixels_sha256(IMAGE) == pixels_sha256(same)
    assert pixels_sha256(IMAGE) != pixels_sha256(other)
    assert pixels_sha256(Image(np.zeros((1, 2)))).startswith("af5570f5a1810b7a")  # of eight zero bytes


def test_libraries_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIBRARIES", ("numpy", "surely-not-installed"))
    assert library_versions() == {"numpy": np.__version__}
