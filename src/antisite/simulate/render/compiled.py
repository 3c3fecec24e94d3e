"""Functions compiled to machine code when they are first called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function compiled, and kept on disk where a folder for that can be written.

    Arithmetic follows IEEE in the order written, so that every processor gives the same bits (freedom to
    reorder gained nothing). Other threads run beside it.
    """
    compile_with: Callable[..., Any] = functools.partial(numba.njit, nogil=True, error_model="numpy")
    try:
        return cast(Function, compile_with(cache=True)(function))
    except RuntimeError:  # numba finds no folder it may write to
        return cast(Function, compile_with()(function))
