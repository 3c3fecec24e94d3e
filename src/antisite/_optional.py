"""Packages that only some features need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import MissingExtraError


def require(module: str, *, extra: str) -> Any:
    """Import a package that the base install does not bring.

    Parameters
    ----------
    extra : of antisite, which installs it.

    Raises
    ------
    MissingExtraError
        The package, or one that it needs, is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = module.split(".")[0]
        raise MissingExtraError(f"antisite needs {name} here: pip install 'antisite[{extra}]'") from error
