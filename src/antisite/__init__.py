"""Crystal defects in atomic-resolution STEM images: where, what kind, how sure."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conditions import Conditions, Detector
    from .errors import AntisiteError, ChoiceError, InputError, NoLatticeError, OutputError
    from .image import Image
    from .io.images import read_image
    from .result import Result
    from .run.pipeline import find_defects
    from .run.settings import Settings
    from .simulate.image import simulate_image

__version__ = "0.1.0"

_HOMES = {
    "AntisiteError": "errors",
    "ChoiceError": "errors",
    "Conditions": "conditions",
    "Detector": "conditions",
    "Image": "image",
    "InputError": "errors",
    "NoLatticeError": "errors",
    "OutputError": "errors",
    "Result": "result",
    "Settings": "run.settings",
    "find_defects": "run.pipeline",
    "read_image": "io.images",
    "simulate_image": "simulate.image",
}

__all__ = [
    "AntisiteError",
    "ChoiceError",
    "Conditions",
    "Detector",
    "Image",
    "InputError",
    "NoLatticeError",
    "OutputError",
    "Result",
    "Settings",
    "find_defects",
    "read_image",
    "simulate_image",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, so that `import antisite` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'antisite' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
