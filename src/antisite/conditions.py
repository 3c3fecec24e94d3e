"""How an image was recorded. What is unknown is NaN, and is never guessed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import InputError


def _check(name: str, value: float, low: float, high: float, unit: str, cure: str = "") -> None:
    if not math.isnan(value) and not low <= value <= high:
        raise InputError(f"{name} must be {low:g} to {high:g} {unit}, got {value:g}{cure}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """An annular detector.

    Parameters
    ----------
    inner, outer : mrad, half angles of the ring.
    """

    inner: float = math.nan
    outer: float = math.nan

    def __post_init__(self) -> None:
        _check("detector inner angle", self.inner, 0, 1000, "mrad")
        _check("detector outer angle", self.outer, 0, 1000, "mrad")
        if self.outer <= self.inner:
            raise InputError(
                f"a detector's outer angle must exceed its inner one, "
                f"got {self.inner:g} to {self.outer:g} mrad (give --detector INNER OUTER)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the microscope was set to.

    Parameters
    ----------
    beam_energy : eV
    convergence : mrad, half angle of the probe.
    detectors : one for each channel of the image, in their order; may be empty.
    dose : e/Å²

    Examples
    --------
    >>> Conditions(beam_energy=80e3, detectors=(Detector(inner=70, outer=200),)).beam_energy
    80000.0
    """

    beam_energy: float = math.nan
    convergence: float = math.nan
    detectors: tuple[Detector, ...] = ()
    dose: float = math.nan

    def __post_init__(self) -> None:
        hint = f" (did you mean {self.beam_energy:g}e3?)" if 1 <= self.beam_energy < 1e3 else ""
        _check("beam_energy", self.beam_energy, 1e3, 3e6, "eV", hint)
        _check("convergence", self.convergence, 0.1, 200, "mrad")
        _check("dose", self.dose, 0, math.inf, "e/Å²")
