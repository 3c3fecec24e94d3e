"""Whether what is to be simulated fits into memory, asked before any of it is taken."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from ..errors import InputError

_BYTES_PER_PIXEL = 40  # of one detector: signal, film, counts and what is written, at the same time
_BYTES_PER_COLUMN = 300  # its rows in the tables of scene and truth
_UNTOLD = 8 * 2**30  # where the system does not say what is free


def refuse_too_large(
    shape: tuple[int, int], n_detectors: int, further: float = 0.0, *, available: float | None = None
) -> None:
    """Refuse pixels and whatever bytes come with them that exceed the memory.

    Parameters
    ----------
    shape : (y, x) px
    further : bytes, beside the pixels.
    available : bytes; what the system has free by default.

    Raises
    ------
    InputError
        With what it would take, and what there is.
    """
    wanted = math.prod(shape) * n_detectors * _BYTES_PER_PIXEL + further
    free = free_memory() if available is None else available
    if wanted > free:
        raise InputError(
            f"an image must fit into memory, got {shape[0]} × {shape[1]} px, which takes about "
            f"{wanted / 1e9:.3g} GB where {free / 1e9:.3g} GB are free (simulate several smaller ones)"
        )


def column_bytes(shape: tuple[int, int], *, margin: float, density: float) -> float:
    """What the columns of a frame, and of a margin all around it, take.

    Parameters
    ----------
    shape : (y, x) px
    margin : px
    density : columns/px²

    Examples
    --------
    >>> column_bytes((8, 18), margin=1, density=0.5)
    30000.0
    """
    return _BYTES_PER_COLUMN * density * math.prod(n + 2 * margin for n in shape)


def free_memory(told: Path = Path("/proc/meminfo")) -> float:
    """Bytes that the system has free, those it would give back included; 8 GB where it does not say.

    Parameters
    ----------
    told : the file in which Linux says so; elsewhere all memory counts as free.
    """
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", told.read_text(), re.MULTILINE)
        if found:
            return 1024.0 * int(found[1])
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float(_UNTOLD)
