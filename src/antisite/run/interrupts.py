"""Signals that ask a process to stop: who hears them, and that they are not lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

_SOON = 0.01  # s


@contextmanager
def interrupts_not_inherited() -> Iterator[None]:
    """Let processes that start here ignore Ctrl-C from their first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def raise_again_where_lost(handler: Handler) -> None:
    """Call a signal's handler once more where Python drops what it raised, amid a finaliser.

    Callbacks of weak references and `__del__` run at any moment, and Python prints and forgets what is raised
    in them: the process would go on.
    """

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt | SystemExit):
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, _SOON)
        else:
            sys.__unraisablehook__(lost)

    if hasattr(signal, "setitimer"):  # POSIX
        sys.unraisablehook = hook
