from __future__ import annotations

from pathlib import Path

import pytest

from antisite.errors import InputError
from antisite.simulate.memory import free_memory, refuse_too_large


def test_what_is_too_large_is_refused_with_the_number() -> None:
    refuse_too_large((100, 100), 2, available=8e5)
    with pytest.raises(
        InputError, match=r"100 × 100 px, which takes about 0\.0012 GB where 0\.0008 GB are free"
    ):
        refuse_too_large((100, 100), 3, available=8e5)
    with pytest.raises(InputError, match="must fit into memory"):
        refuse_too_large((100, 100), 2, 1, available=8e5)


def test_memory_that_the_system_would_give_back_is_free(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 900 kB\nMemFree: 5 kB\nMemAvailable:     300 kB\n")
    assert free_memory(tmp_path / "meminfo") == 300 * 1024


def test_elsewhere_all_memory_is_free_or_8_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_memory(tmp_path / "none") > 1e8
    monkeypatch.delattr("os.sysconf")
    assert free_memory(tmp_path / "none") == 8 * 2**30
