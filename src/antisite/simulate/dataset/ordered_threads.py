"""Numbered items made by several threads, handed over in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TypeVar

Item = TypeVar("Item")


def in_order(
    make: Callable[[int], Item], start: int = 0, stop: int | None = None, *, workers: int = 1
) -> Generator[Item, None, None]:
    """Items by their numbers, made at most two a thread ahead of what was taken.

    Parameters
    ----------
    make : the item of a number.
    start, stop : first number, and the first that is left out; None: never ends.
    workers : threads.

    Examples
    --------
    >>> list(in_order(lambda number: number**2, 2, 5, workers=2))
    [4, 9, 16]
    """
    numbers = iter(count(start) if stop is None else range(start, stop))
    if workers <= 1:
        yield from map(make, numbers)
        return
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: deque[Future[Item]] = deque()
        try:
            for number in numbers:
                waiting.append(pool.submit(make, number))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
