"""An image to be simulated: everything that is chosen, checked before anything is computed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..image import Image
from ..simulate.crystals.crystal import Crystal
from ..simulate.crystals.library import find_specimen, names_file
from ..simulate.crystals.scene import scene_margin
from ..simulate.image import simulate_image
from ..simulate.memory import column_bytes, refuse_too_large
from ..simulate.point_defects.planting import PointDefects
from ..simulate.point_defects.words import read_defect
from ..simulate.progress import Progress
from ..simulate.recording.recording import Readout, Recording, Scan
from ..simulate.scattering.optics import Optics
from ..simulate.truth.truth import Truth

_FARTHEST_MOVE = 3  # longer sides of the frame, by drift or jitter
_FINEST = 1e-3  # Å/px; a pixel there is a hundredth of what atoms swing by


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All that an image follows from.

    Parameters
    ----------
    specimen : name in the library, or a structure file.
    zone_axis, thickness : as in `find_specimen`.
    defects, optics, recording : as in `simulate_image`.
    shape : (y, x) px
    pixel_size : Å/px
    rotation : rad, direction of the crystal's `a` from +x towards +y.
    seed : the same gives the same image.

    Raises
    ------
    InputError
        A value that no image has.
    """

    specimen: str
    zone_axis: tuple[int, int, int] | None = None
    thickness: float | None = None
    defects: PointDefects = field(default_factory=PointDefects)
    optics: Optics = field(default_factory=Optics)
    recording: Recording = field(default_factory=Recording)
    shape: tuple[int, int] = (512, 512)
    pixel_size: float = 0.2
    rotation: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise InputError(f"an image must be at least 1 × 1 px, got {self.shape[0]} × {self.shape[1]}")
        if not _FINEST <= self.pixel_size < math.inf:
            raise InputError(
                f"pixel_size must be finite and at least {_FINEST:g} Å/px, got {self.pixel_size:g} "
                f"(no probe shows more below 0.02)"
            )
        check_scan(self.recording.scan, self.shape)
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}")

    @property
    def source(self) -> Path | str:
        """Where the specimen comes from: a file, or its name."""
        return Path(self.specimen) if names_file(self.specimen) else self.specimen

    def find_crystal(self) -> Crystal:
        """The crystal, seen along its axis.

        Raises
        ------
        InputError
            It is unknown, or its file cannot be used.
        """
        return find_specimen(self.specimen, zone_axis=self.zone_axis, thickness=self.thickness)

    def check(self, crystal: Crystal) -> None:
        """Refuse defects that the crystal cannot hold, pixels wider than its cell, and too large an image."""
        check_defects(self.defects, crystal)
        check_sampling(self.pixel_size, crystal)
        check_memory(self.shape, self.pixel_size, crystal, n_detectors=len(self.optics.detectors))

    def simulate(
        self, crystal: Crystal, *, cache: Path | None = None, workers: int = 1, progress: Progress = iter
    ) -> tuple[Image, Truth]:
        """The image and what is in it; the rest as in `simulate_image`."""
        return simulate_image(
            crystal,
            defects=self.defects,
            optics=self.optics,
            recording=self.recording,
            shape=self.shape,
            pixel_size=self.pixel_size,
            rotation=self.rotation,
            cache=cache,
            workers=workers,
            progress=progress,
            rng=self.seed,
        )

    def settings(self) -> dict[str, Any]:
        """Everything chosen, JSON-ready; of a file its name only, and what is infinite or unknown is null."""
        chosen = asdict(self)
        chosen["specimen"] = Path(self.specimen).name
        chosen["defects"] = {
            form: told for form, told in chosen["defects"].items() if told or form == "n_depths"
        }
        return chosen


def saturation(image: Image, readout: Readout) -> list[str]:
    """Which share of the pixels has lost its differences to whole numbers of few bits; each a sentence."""
    if not readout.bits:
        return []
    words = []
    top = 2**readout.bits - 1
    goes_below = readout.offset < 0 or readout.read_noise > 0
    for number, channel in enumerate(image.channels, start=1):
        whose = f" of detector {number}" if image.n_channels > 1 else ""
        for share, what, cure in (
            (np.mean(channel >= top), f"{top}, the most that {readout.bits} bits hold", "a lower --gain"),
            (np.mean(channel <= 0) * goes_below, "0, the least that is kept", "a higher --offset"),
        ):
            if share > 0:
                words.append(f"{100 * share:.3g} % of the pixels{whose} are at {what} (give {cure})")
    return words


def blankness(image: Image) -> list[str]:
    """Which detectors recorded the same value in all their pixels; each a sentence."""
    words = []
    for number, channel in enumerate(image.channels, start=1):
        if channel.size > 1 and channel.min() == channel.max():
            whose = f" of detector {number}" if image.n_channels > 1 else ""
            words.append(
                f"all pixels{whose} are {channel.flat[0]:g}: nothing is seen of the specimen "
                f"(are dose, gain and offset as you mean them?)"
            )
    return words


def check_scan(scan: Scan, shape: tuple[int, int]) -> None:
    """Refuse movement [px] that leaves nothing of a frame of this shape in its place."""
    most = _FARTHEST_MOVE * max(shape)
    for name, value in (("drift", scan.drift), ("jitter", scan.jitter)):
        if value > most:
            raise InputError(
                f"{name} must be at most {most:g} px, {_FARTHEST_MOVE} times the longer side of the frame, "
                f"got {value:g} (it is the root mean square over the frame, in pixels)"
            )


def check_defects(defects: PointDefects, crystal: Crystal) -> None:
    """Refuse defects of elements that are none or that the crystal has not."""
    own = [symbol for column in crystal.columns for symbol in column.atoms.symbols]
    for form, text, _ in defects.shares:
        read_defect(form, text, elements=own, crystal=crystal.name)


def check_sampling(pixel_size: float, crystal: Crystal) -> None:
    """Refuse pixels [Å] in which the crystal's period cannot be seen."""
    narrow = float(np.linalg.norm(crystal.cell, axis=1).min())
    if pixel_size > narrow:
        raise InputError(
            f"pixel_size must be at most the {narrow:.3g} Å of the cell of {crystal.name}, "
            f"got {pixel_size:g} (atoms show below a tenth of it)"
        )


def check_memory(
    shape: tuple[int, int],
    pixel_size: float,
    crystal: Crystal,
    *,
    n_detectors: int = 1,
    available: float | None = None,
) -> None:
    """Refuse an image that would not fit into memory, before any of it is taken.

    Parameters
    ----------
    shape : (y, x) px
    pixel_size : Å/px
    available : bytes; what the system has free by default.
    """
    density = len(crystal.columns) * pixel_size**2 / abs(np.linalg.det(crystal.cell))
    columns = column_bytes(shape, margin=scene_margin(shape, pixel_size), density=density)
    refuse_too_large(shape, n_detectors, columns, available=available)
