"""A signal to stop is heard, whatever the interpreter does at that moment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOST_IN_A_FINALISER = """
import signal, sys, time
from antisite.run.interrupts import raise_again_where_lost

class Finalised:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        for _ in range(100):  # the handler is called between two instructions: here
            pass

if sys.argv[1] == "again":
    raise_again_where_lost(signal.default_int_handler)
Finalised()
try:
    time.sleep(2)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(os.name == "nt", reason="timers that send signals are a matter of POSIX")
@pytest.mark.parametrize(("how", "told"), [("again", "stopped\n"), ("never", "")])
def test_an_interrupt_that_a_finaliser_swallows_is_raised_again(how: str, told: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", LOST_IN_A_FINALISER, how], capture_output=True, text=True, timeout=30
    )
    assert answer.returncode == 0
    assert answer.stdout == told
    assert bool(answer.stderr) == (how == "never")


def test_other_errors_of_finalisers_are_still_printed() -> None:
    script = LOST_IN_A_FINALISER.replace("signal.raise_signal(signal.SIGINT)", "raise ValueError('of old')")
    answer = subprocess.run(
        [sys.executable, "-c", script, "again"], capture_output=True, text=True, timeout=30
    )
    assert "of old" in answer.stderr
