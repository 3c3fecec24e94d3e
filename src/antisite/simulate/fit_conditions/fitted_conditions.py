"""How an image was made, as far as the image itself tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crystals.crystal import Crystal
from ..recording.recording import Contamination, Readout, Scan
from ..scattering.optics import Optics
from .probe_source import MOST, ProbeSource
from .vibration import Vibration

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedDetector:
    """What one detector made of the light.

    Parameters
    ----------
    dose : e/Å², as the noise of this detector tells; infinite: there is none. A detector that misses or
        multiplies electrons unevenly appears to have had fewer.
    readout : gain and offset in the image's values.
    contamination : film of carbon that makes the background as uneven as it is.
    smoothing : px, standard deviations along y and x of a blur after counting; negative: sharpened by what
        such a blur takes, as by an amplifier that overshoots; 0: noise of neighbouring pixels is independent.
    limits : lowest and highest value that is kept.
    pulse_spread : standard deviation of the heights of electrons' pulses over their mean; not measured but
        taken as 0.5 where an image without read noise has values between those of whole electrons.
    contrast_spread : standard deviation of the crystal's contrast, slow over the image, over its mean.
    misfit : root mean square of mean cell less model, over the root mean square of the mean cell.
    """

    dose: float
    readout: Readout
    contamination: Contamination
    smoothing: tuple[float, float]
    limits: tuple[float, float]
    pulse_spread: float
    contrast_spread: float
    misfit: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedConditions:
    """How an image of a crystal was made; `twin` makes another.

    Parameters
    ----------
    crystal : as it was given, scaled to the lattice constant.
    pixel_size : Å/px, root of the cell's area in Å² over that in px².
    cell : (2, 2) px, rows `a` and `b` in the image, stretched as the scan stretches them.
    corner : (2,) px, a corner of a cell in the image, but for its distortion.
    shape : (y, x) px of the image.
    optics : with the size of the source, where it is smallest.
    source : that, and what a round source of normal shape leaves out.
    scan : jitter of rows, and drift that a straight lattice does not follow, px.
    vibration : all fast movement of the beam, jitter included.
    detectors : one for each channel.
    name : of the image.
    """

    crystal: Crystal
    pixel_size: float
    cell: Array
    corner: Array
    shape: tuple[int, int]
    optics: Optics
    source: ProbeSource
    scan: Scan
    vibration: Vibration
    detectors: tuple[FittedDetector, ...]
    name: str = ""

    @property
    def rotation(self) -> float:
        """Rad, direction of `a` from +x towards +y."""
        return float(np.arctan2(*self.cell[0]))

    @property
    def mirrored(self) -> bool:
        """Whether the crystal is seen from behind."""
        return bool(np.linalg.det(self.cell) * np.linalg.det(self.crystal.cell) < 0)

    @property
    def stretch(self) -> float:
        """How much longer the scan makes the crystal along one direction than along another."""
        long, short = np.linalg.svd(np.linalg.solve(self.crystal.cell, self.cell), compute_uv=False)
        return float(long / short - 1)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to know before believing the conditions; each a sentence."""
        told = [*self.optics.cautions]
        if self.source.at_limit:
            *others, last = self.source.at_limit
            names = " and ".join([", ".join(others), last]) if others else last
            told.append(
                f"{names} reached the {MOST:g} rad that a fit allows: the twin's columns may have another "
                f"shape (are beam energy, convergence and specimen right?)"
            )
        for number, one in enumerate(self.detectors, start=1):
            if max(one.smoothing) > 0:
                whose = f"detector {number}" if len(self.detectors) > 1 else "the image"
                told.append(
                    f"noise of neighbouring pixels of {whose} is alike, as after a blur of "
                    f"{one.smoothing[0]:.2f} × {one.smoothing[1]:.2f} px: it seems to have been averaged or "
                    f"filtered, which makes its dose uncertain (give the image as it was recorded)"
                )
        return tuple(told)
