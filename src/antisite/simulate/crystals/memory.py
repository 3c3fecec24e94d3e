"""How much the machine can hold."""

from __future__ import annotations

import math
import os


def held_memory() -> float:
    """Bytes of the machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf
