"""Cases: what is simulated how, and the numbers that say so beside every patch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError
from ..crystals.crystal import Crystal
from ..crystals.library import find_specimen
from ..point_defects.planting import PointDefects
from ..recording.recording import Recording
from ..scattering.optics import Optics
from .line_defects import LineDefects
from .possible_columns import possible_columns

N_ELEMENTS = 4
"""How many elements of the crystal and how many foreign ones the conditions name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A specimen with defects under given conditions.

    Parameters
    ----------
    specimen : name in the library, or a structure file.
    zone_axis, thickness : as in `find_specimen`.
    defects : which, and how many.
    lines : which lines and dislocations, and how often. They are boxes in labelled images; patches say what
        stands in their middle and nothing of lines.
    optics : beam and detectors.
    recording : scan, dose and read-out.
    doses : e/Å², lowest and highest; each field has its own, even in the logarithm. None: that of the
        recording.
    """

    specimen: str
    defects: PointDefects = field(default_factory=PointDefects)
    lines: LineDefects = field(default_factory=LineDefects)
    optics: Optics = field(default_factory=Optics)
    recording: Recording = field(default_factory=lambda: Recording(dose=1e4))
    doses: tuple[float, float] | None = None
    zone_axis: tuple[int, int, int] | None = None
    thickness: float | None = None

    def __post_init__(self) -> None:
        if self.doses is not None and not 0 < self.doses[0] <= self.doses[1] < math.inf:
            low, high = self.doses
            raise InputError(f"doses must be positive, the lowest first [e/Å²], got {low:g} and {high:g}")

    def find_crystal(self) -> Crystal:
        """The crystal, seen along its axis."""
        return find_specimen(self.specimen, zone_axis=self.zone_axis, thickness=self.thickness)

    def draw_dose(self, rng: Generator) -> float:
        """Dose of one field [e/Å²]."""
        if self.doses is None:
            return self.recording.dose
        low, high = self.doses
        return float(np.float32(low * (high / low) ** rng.random()))


def condition_names(n_detectors: int) -> tuple[str, ...]:
    """What the numbers of `case_conditions` are."""
    rings = [f"{edge}_{i + 1}" for i in range(n_detectors) for edge in ("inner", "outer")]
    elements = [f"{whose}_{i + 1}" for whose in ("host", "foreign") for i in range(N_ELEMENTS)]
    return ("beam_energy", "convergence", "defocus", "dose", "pixel_size", *rings, *elements)


def case_conditions(case: Case, crystal: Crystal, *, dose: float, pixel_size: float) -> NDArray[np.float32]:
    """A case in numbers: eV, mrad, Å, e/Å², Å/px, mrad of each detector, and atomic numbers.

    The elements are those of the crystal and then those that defects bring, heaviest first, four of each;
    0 where there are no more, and lighter ones than the fourth are not told. An infinite dose, of fields
    without noise, stays infinite.
    """
    optics = case.optics
    rings = [edge for ring in optics.detectors for edge in (ring.inner, ring.outer)]
    own = {symbol for column in crystal.columns for symbol in column.atoms.symbols}
    foreign = {
        symbol for column in possible_columns(crystal, case.defects) for symbol in column.symbols
    } - own
    numbers = [optics.beam_energy, optics.convergence, optics.defocus, dose, pixel_size, *rings]
    return np.array([*numbers, *_atomic_numbers(own), *_atomic_numbers(foreign)], np.float32)


def _atomic_numbers(symbols: set[str]) -> list[int]:
    from ase.data import atomic_numbers

    heavy_first = sorted((atomic_numbers[symbol] for symbol in symbols), reverse=True)
    return [*heavy_first, *[0] * N_ELEMENTS][:N_ELEMENTS]
