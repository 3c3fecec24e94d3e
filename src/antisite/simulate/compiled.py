"""Functions compiled to machine code when they are first called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function compiled, with IEEE arithmetic; other threads run beside it."""
    return _compile(function, fastmath=False)


def compiled_fast(function: Function) -> Function:
    """The function compiled, free to add in any order and blind to NaN."""
    return _compile(function, fastmath=True)


def _compile(function: Function, *, fastmath: bool) -> Function:
    """Compiled, and kept on disk where a folder for that can be written."""
    compile_with: Callable[..., Any] = functools.partial(
        numba.njit, nogil=True, fastmath=fastmath, error_model="numpy"
    )
    try:
        return cast(Function, compile_with(cache=True)(function))
    except RuntimeError:  # numba finds no folder it may write to
        return cast(Function, compile_with()(function))
