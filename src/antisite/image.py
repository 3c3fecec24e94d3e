"""The pixels of one field, and what is known about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .conditions import Conditions, Detector
from .errors import InputError

Region = tuple[slice, slice]

SAME_SCALE = 0.01
"""Share by which the pixel sizes of two detectors of one scan may differ."""
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_OFFSET = 1e4  # × the range of values: beyond, float32 keeps fewer than about 2,000 levels


def _no_mask() -> NDArray[np.bool_]:
    return np.zeros((0, 0), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One field of view, recorded by one or more detectors of the same scan.

    Pixels that are not finite are masked and filled with the median of the rest. A channel whose
    values stand on an offset too large for float32 to hold their differences loses that offset: its
    median is subtracted.

    Parameters
    ----------
    channels : (n, y, x) or (y, x), any unit; kept as (n, y, x) float32, perhaps shifted by a constant.
    pixel_size : Å/px, NaN when unknown.
    pixel_size_from : who said so: `file`, or `given` by the user.
    conditions : how it was recorded.
    mask : (y, x), True where pixels are to be ignored.
    name : file name.
    frame : number within its stack.

    Raises
    ------
    InputError
        The array is empty, not two- or three-dimensional, or a value is out of range.

    Examples
    --------
    >>> image = Image([[0, 1, 2], [3, float("nan"), 5]], pixel_size=0.1)
    >>> image.shape, image.n_channels, int(image.mask.sum())
    ((2, 3), 1, 1)
    """

    channels: NDArray[np.float32]
    _: KW_ONLY
    pixel_size: float = math.nan
    pixel_size_from: str = "given"
    conditions: Conditions = field(default_factory=Conditions)
    mask: NDArray[np.bool_] = field(default_factory=_no_mask)
    name: str = ""
    frame: int = 0

    def __post_init__(self) -> None:
        channels = _as_channels(self.channels)
        mask = np.array(self.mask, dtype=bool) if np.size(self.mask) else np.zeros(channels.shape[1:], bool)
        if mask.shape != channels.shape[1:]:
            raise InputError(
                f"the mask must have the shape of the image {channels.shape[1:]}, got {mask.shape}"
            )
        if self.pixel_size <= 0 or math.isinf(self.pixel_size):
            raise InputError(f"pixel_size must be positive and finite [Å], got {self.pixel_size:g}")
        finite = np.isfinite(channels)
        if not finite.all():
            if not finite.any(axis=(1, 2)).all():
                raise InputError("an image must hold finite pixels, got none (is this the right signal?)")
            mask |= ~finite.all(axis=0)
            for channel, good in zip(channels, finite, strict=True):
                channel[~good] = np.median(channel[good].astype(np.float64))
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "mask", mask)

    def __repr__(self) -> str:
        scale = "scale unknown" if math.isnan(self.pixel_size) else f"{self.pixel_size:.4g} Å/px"
        detectors = f"{self.n_channels} detector{'s' * (self.n_channels > 1)}"
        return f"Image({self.name!r}, {self.shape[0]} × {self.shape[1]} px, {detectors}, {scale})"

    @property
    def pixels(self) -> NDArray[np.float32]:
        """(y, x), the first channel."""
        return np.asarray(self.channels[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(y, x) in px."""
        return self.channels.shape[1], self.channels.shape[2]

    @property
    def n_channels(self) -> int:
        """How many detectors recorded the field."""
        return int(self.channels.shape[0])

    def crop(self, region: Region) -> Image:
        """The part of the image within two slices (y, x)."""
        return replace(self, channels=self.channels[:, *region].copy(), mask=self.mask[region].copy())

    def restrict(self, region: Region) -> Image:
        """The whole image with everything outside two slices (y, x) masked; coordinates stay.

        Raises
        ------
        InputError
            The region reaches past the image, or holds no pixel that is not masked.
        """
        told = ",".join(f"{_or_empty(part.start)}:{_or_empty(part.stop)}" for part in region)
        size = f"an image of {self.shape[0]} × {self.shape[1]} px"
        if any(max(part.start or 0, part.stop or 0) > n for part, n in zip(region, self.shape, strict=True)):
            raise InputError(f"the region must lie within the image, got {told} in {size}")
        mask = np.ones(self.shape, dtype=bool)
        mask[region] = self.mask[region]
        if mask.all():
            raise InputError(f"the region must hold pixels that are not masked, got {told} in {size}")
        return replace(self, mask=mask)


def _or_empty(place: int | None) -> str:
    return "" if place is None else str(place)


def combine(images: Sequence[Image]) -> Image:
    """One image whose channels are several detectors of the same scan.

    The first image gives name, frame, pixel size and conditions; an unknown detector stays in
    its place, so that the n-th detector belongs to the n-th channel.

    Raises
    ------
    InputError
        Shapes differ, or pixel sizes by more than 1 %.
    """
    first = images[0]
    for other in images[1:]:
        if other.shape != first.shape:
            raise InputError(
                f"two detectors of one scan must have the same shape, "
                f"got {first.shape} in {first.name} and {other.shape} in {other.name}"
            )
    known = next((image for image in images if not math.isnan(image.pixel_size)), first)
    for other in images:
        if abs(other.pixel_size / known.pixel_size - 1) > SAME_SCALE:
            raise InputError(
                f"two detectors of one scan must have the same pixel size within 1 %, "
                f"got {known.pixel_size:.4g} Å in {known.name} and {other.pixel_size:.4g} Å in {other.name} "
                f"(if one is wrong, give the right one with --pixel-size)"
            )
    return replace(
        first,
        channels=np.concatenate([image.channels for image in images]),
        mask=np.logical_or.reduce([image.mask for image in images]),
        pixel_size=known.pixel_size,
        pixel_size_from=known.pixel_size_from,
        conditions=replace(first.conditions, detectors=_detectors(images)),
    )


def _detectors(images: Sequence[Image]) -> tuple[Detector, ...]:
    if not any(image.conditions.detectors for image in images):
        return ()
    return tuple(d for i in images for d in i.conditions.detectors or (Detector(),) * i.n_channels)


def _as_channels(array: ArrayLike) -> NDArray[np.float32]:
    values = _as_numbers(array)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or not values.size:
        raise InputError(
            f"an image must be (y, x) or (channels, y, x) and hold pixels, got shape {np.shape(array)}"
        )
    if np.can_cast(values.dtype, np.float32, "safe"):
        return np.array(values, dtype=np.float32, order="C")
    return np.stack([_as_float32(channel) for channel in values])


def _as_numbers(array: ArrayLike) -> NDArray[np.generic]:
    try:
        values = np.asarray(array)
        if values.dtype.kind not in "buif":
            values = values.astype(np.float64, casting="same_kind" if values.dtype.kind == "c" else "unsafe")
    except (TypeError, ValueError) as error:
        raise InputError(f"an image must be an array of numbers, got {type(array).__name__}") from error
    return values


def _as_float32(channel: NDArray[np.generic]) -> NDArray[np.float32]:
    """One channel, without its offset where that would swallow the differences between its values."""
    values = np.asarray(channel, dtype=np.float64)
    finite = np.isfinite(values)
    usable = values[finite & (np.abs(values) <= _FLOAT32_MAX)]
    if not usable.size and finite.any():
        raise InputError(
            f"pixels must lie within ±{_FLOAT32_MAX:.2g}, got {values[finite][0]:.2g} "
            f"(divide the image by its largest value)"
        )
    if usable.size and np.abs(usable).max() > _OFFSET * np.ptp(usable) > 0:
        values = values - np.median(usable)
    with np.errstate(over="ignore"):  # single pixels that exceed float32 become infinite, and are masked
        return values.astype(np.float32)
