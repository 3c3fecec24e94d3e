"""How long work tells that it goes on."""

from collections.abc import Callable, Iterable
from typing import Any

Progress = Callable[[Iterable[Any]], Iterable[Any]]
"""Wraps what is worked through, and may count it."""
