"""How the inputs of a batch are read: the same for every one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..image import Image, Region
from ..io.images import read_image
from .choice import parse_region
from .settings import pick


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Choices that turn a file into an image; call it with a path.

    Parameters
    ----------
    signal : title of the signal, empty when the file has only one.
    frame : number of the frame of a stack.
    sum_frames : add all frames instead.
    also : file of a second detector of the same scan.
    region : slices (y, x) in px outside which pixels are masked.
    mask : image file whose non-zero pixels are ignored.
    pixel_size : Å/px, NaN to take what the file says.
    """

    signal: str = ""
    frame: int | None = None
    sum_frames: bool = False
    also: Path | None = None
    region: Region | None = None
    mask: Path | None = None
    pixel_size: float = math.nan

    @classmethod
    def chosen(cls, values: Mapping[str, Any]) -> Reading:
        """The reading of choices by field (`run.choices`); those of other steps are left aside."""
        own = pick(cls, values)
        if own.get("region"):
            own["region"] = parse_region(own["region"])
        return cls(**own)

    def __call__(self, path: Path) -> Image:
        """Read one file."""
        return read_image(
            path,
            signal=self.signal,
            frame=self.frame,
            sum_frames=self.sum_frames,
            also=self.also,
            region=self.region,
            mask=self.mask,
            pixel_size=self.pixel_size,
        )

    def told(self) -> dict[str, Any]:
        """What was chosen, by field, as `chosen` takes it."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.region:
            own["region"] = ",".join(f"{part.start}:{part.stop}" for part in self.region)
        return own
