from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

from antisite.run.workers import map_in_processes

# `eval` and `exec` can be sent to any process, so the items are programs.
BUSY = """
import pathlib, time
half = pathlib.Path({path!r})
half.touch()
try:
    time.sleep(60)
finally:
    half.unlink()
"""


def lost(item: Any) -> str:
    return "lost"


def test_answers_keep_the_order_of_the_items() -> None:
    items = ["__import__('time').sleep(0.3) or 1", "2", "3", "4"]
    assert list(map_in_processes(eval, items, lost=lost, workers=2)) == [1, 2, 3, 4]


def test_items_run_in_other_processes_no_more_than_asked_for() -> None:
    items = ["__import__('os').getpid()"] * 4
    answers = set(map_in_processes(eval, items, lost=lost, workers=2))
    assert os.getpid() not in answers
    assert 1 <= len(answers) <= 2


def test_an_item_whose_process_dies_is_lost_and_nothing_hangs() -> None:
    items = ["1", "__import__('time').sleep(0.5) or __import__('os')._exit(9)"]
    assert list(map_in_processes(eval, items, lost=lost, workers=2)) == [1, "lost"]


def test_workers_ignore_ctrl_c_which_is_for_the_parent() -> None:
    items = ["__import__('signal').raise_signal(2) or 1", "2"]
    assert list(map_in_processes(eval, items, lost=lost, workers=2)) == [1, 2]


def test_closing_ends_the_processes_and_lets_them_clean_up(tmp_path: Path) -> None:
    half = tmp_path / "half-written"
    items = ["pass", BUSY.format(path=str(half)), *["import time; time.sleep(60)"] * 4]
    answers = map_in_processes(exec, items, lost=lost, workers=2)
    assert next(answers) is None
    deadline = time.monotonic() + 20
    while not half.exists():
        assert time.monotonic() < deadline, "the second item never began"
        time.sleep(0.02)
    begin = time.monotonic()
    answers.close()
    assert time.monotonic() - begin < 10
    assert not half.exists()
    assert multiprocessing.active_children() == []
