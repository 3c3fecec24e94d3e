"""How the inputs of a batch are read: the same for every one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..image import Image, Region
from ..io.images import read_image


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
        """What was chosen, JSON-ready, without what was left open."""
        given = {
            "signal": self.signal,
            "frame": self.frame,
            "sum": self.sum_frames or None,
            "also": str(self.also.absolute()) if self.also else None,
            "region": [[s.start, s.stop] for s in self.region] if self.region else None,
            "mask": str(self.mask.absolute()) if self.mask else None,
            "pixel_size": None if math.isnan(self.pixel_size) else self.pixel_size,
        }
        return {name: value for name, value in given.items() if value not in (None, "")}
