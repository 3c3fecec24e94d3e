"""The electron probe and the detectors: all that a column's response depends on but its atoms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...conditions import Conditions, Detector
from ...errors import InputError

_ELECTRON_REST = 510998.95  # eV, CODATA 2018
_CLOSE = 0.1  # of the convergence, distance of a detector from the probe that deserves a word
_HC = 12398.41984  # eV Å, CODATA 2018
_N_RAYS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """How the specimen is illuminated and what is collected.

    Parameters
    ----------
    beam_energy : eV
    convergence : mrad, half angle of the probe.
    detectors : annular detectors, which record at the same time.
    defocus : Å, positive is underfocus: the probe is focused that deep in the specimen (C1 = −defocus).
    cs : Å, spherical aberration C3 (1 mm = 1e7 Å).
    c5 : Å, spherical aberration of fifth order.
    astigmatism : Å and rad, twofold astigmatism A1 and its direction from +x towards +y.
    coma : Å and rad, axial coma C21 (three times B2) and its direction.
    source_size : Å, standard deviation of the source's image on the specimen.
    static : atoms stand still; otherwise they move as at 300 K.
    bright_field : a detector may lie inside the probe's disc.

    Raises
    ------
    InputError
        A value that no microscope has.

    Examples
    --------
    >>> round(Optics(beam_energy=80e3).wavelength, 5)
    0.04176
    """

    beam_energy: float = 80e3
    convergence: float = 30.0
    detectors: tuple[Detector, ...] = (Detector(inner=70, outer=200),)
    defocus: float = 0.0
    cs: float = 0.0
    c5: float = 0.0
    astigmatism: tuple[float, float] = (0.0, 0.0)
    coma: tuple[float, float] = (0.0, 0.0)
    source_size: float = 0.0
    static: bool = False
    bright_field: bool = False

    def __post_init__(self) -> None:
        hint = f" (did you mean {self.beam_energy:g}e3?)" if 1 <= self.beam_energy < 1e3 else ""
        if not 1e3 <= self.beam_energy <= 3e6:
            raise InputError(f"beam_energy must be 1e3 to 3e6 eV, got {self.beam_energy:g}{hint}")
        if not 0.1 <= self.convergence <= 200:
            raise InputError(f"convergence must be 0.1 to 200 mrad, got {self.convergence:g}")
        if not self.detectors:
            raise InputError("a recording needs a detector, got none (give --detector INNER OUTER)")
        if any(math.isnan(d.inner) or math.isnan(d.outer) for d in self.detectors):
            raise InputError("a simulated detector needs its inner and outer angles [mrad]")
        inside = [ring for ring in self.detectors if ring.inner < self.convergence]
        if inside and not self.bright_field:
            raise InputError(
                f"an annular dark-field detector must begin outside the probe of {self.convergence:g} mrad, "
                f"got {inside[0].inner:g} to {inside[0].outer:g} mrad (say so if it is meant: --bright-field)"
            )
        if not 0 <= self.source_size < math.inf:
            raise InputError(f"source_size must be 0 or more [Å], got {self.source_size:g}")

    @property
    def wavelength(self) -> float:
        """Å, of the electrons."""
        return _HC / math.sqrt(self.beam_energy * (2 * _ELECTRON_REST + self.beam_energy))

    @property
    def interaction(self) -> float:
        """Rad / (V Å), phase that an electron gains for each volt ångström of projected potential."""
        total = _ELECTRON_REST + self.beam_energy
        return 2 * math.pi / self.wavelength * total / (self.beam_energy * (total + _ELECTRON_REST))

    def conditions(self, *, dose: float) -> Conditions:
        """What an image recorded so tells of its making; an infinite dose [e/Å²] is none.

        Examples
        --------
        >>> Optics().conditions(dose=1e4).convergence
        30.0
        """
        return Conditions(
            beam_energy=self.beam_energy,
            convergence=self.convergence,
            detectors=self.detectors,
            dose=dose if math.isfinite(dose) else math.nan,
        )

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to know before believing an image made so; each a sentence."""
        near = [ring for ring in self.detectors if 0 <= ring.inner / self.convergence - 1 < _CLOSE]
        return tuple(
            f"the detector from {ring.inner:g} mrad touches the probe of {self.convergence:g} mrad: a slight "
            f"misalignment adds the beam itself, and neighbouring columns interfere"
            for ring in near
        )

    def probe_radius(self, depth: float = 0.0) -> float:
        """Å, radius of the probe in the specimen by geometry: where its outermost rays arrive.

        Parameters
        ----------
        depth : Å along the beam.
        """
        angle = np.linspace(0, 1e-3 * self.convergence, _N_RAYS)
        round_part = (depth - self.defocus) * angle + self.cs * angle**3 + self.c5 * angle**5
        rest = abs(self.astigmatism[0]) * angle + abs(self.coma[0]) * angle**2
        return float((np.abs(round_part) + rest).max())

    @property
    def is_round(self) -> bool:
        """Whether the probe looks the same from all sides."""
        return self.astigmatism[0] == 0 and self.coma[0] == 0
