"""The same function on many items in several processes that end cleanly when told to."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TypeVar

from .interrupts import interrupts_not_inherited, raise_again_where_lost

Item = TypeVar("Item")
Answer = TypeVar("Answer")

GRACE = 5.0  # seconds a process has to remove what it has half written


def map_in_processes(
    function: Callable[[Item], Answer],
    items: Sequence[Item],
    *,
    lost: Callable[[Item], Answer],
    workers: int,
    debug: bool = False,
) -> Generator[Answer, None, None]:
    """Like `map`, in freshly started processes; the answers keep the order of the items.

    Parameters
    ----------
    function : picklable; called in one of the processes.
    items : picklable.
    lost : gives the answer for an item whose process died.
    workers : number of processes.
    debug : let the processes log everything.

    Notes
    -----
    Close the generator to stop early: the processes then clean
    up and end. They ignore Ctrl-C, which reaches the whole group: the parent acts on it.
    """
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        min(workers, len(items)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(debug,),
    )
    complete = False
    try:
        with interrupts_not_inherited():
            futures = [pool.submit(_call_or_leave, function, item) for item in items]
        for item, future in zip(items, futures, strict=True):
            yield _answer(future, item, lost)
        complete = True
    finally:
        if not complete:
            _end(set(multiprocessing.active_children()) - others)
        pool.shutdown(cancel_futures=True)


def _answer(future: Future[Answer], item: Item, lost: Callable[[Item], Answer]) -> Answer:
    try:
        return future.result()
    except BrokenProcessPool:
        return lost(item)


def _start(debug: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    raise_again_where_lost(_leave)
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        logging.disable(logging.WARNING)


def _leave(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # the pool asks again, perhaps amid the cleaning up
    raise SystemExit(128 + number)


def _call_or_leave(function: Callable[[Item], Answer], item: Item) -> Answer:
    try:
        return function(item)
    except SystemExit:  # the pool would start the next item
        os._exit(128 + signal.SIGTERM)


def _end(processes: set[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=GRACE)
        if process.is_alive():
            process.kill()
