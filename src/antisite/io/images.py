"""Read an image file, and say what it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conditions import Conditions
from ..errors import InputError
from ..image import Image, Region, combine
from .formats import SUFFIXES
from .signals import Signal, choose_signal, pixels_of, signals_of

__all__ = ["SUFFIXES", "SignalInfo", "describe_file", "read_image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInfo:
    """What a file says about one of its signals.

    Parameters
    ----------
    title : unique within the file.
    shape : (y, x) px of one image; the whole shape when it is none.
    dtype : as stored.
    n_frames : images in the stack, 0 when it is none.
    pixel_size : Å/px, NaN when unknown.
    conditions : as far as the file has them.
    is_image : whether `read_image` can read it.
    reason : why not.
    """

    title: str
    shape: tuple[int, ...]
    dtype: str
    n_frames: int
    pixel_size: float
    conditions: Conditions
    is_image: bool
    reason: str


def read_image(
    path: str | Path,
    *,
    signal: str = "",
    frame: int | None = None,
    sum_frames: bool = False,
    also: str | Path | None = None,
    region: Region | None = None,
    mask: str | Path | ArrayLike | None = None,
    pixel_size: float = math.nan,
) -> Image:
    """Read one image, with its scale and conditions where the file has them.

    Colour whose channels agree becomes grey. A scale is kept when the file gives a unit of length and
    the pixels come to 0.001 to 50 Å; both directions must then agree within 1 %.

    Parameters
    ----------
    path : one of `SUFFIXES`.
    signal : which signal, by title, when the file holds several.
    frame : which frame of a stack, from 0.
    sum_frames : take the sum of all frames instead.
    also : file of a second detector of the same scan, which becomes the second channel. Of several
        signals it gives the one called `signal`; of the file `path` itself, the one that is left.
    region : two slices (y, x) px; everything outside is masked.
    mask : image file or (y, x) array; what is not zero is ignored.
    pixel_size : Å/px, goes before the file's own.

    Raises
    ------
    InputError
        The file cannot be read as an image; one sentence says why and what helps.
    ChoiceError
        Several signals or frames are there and none was chosen.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "field.npy"
    ...     np.save(path, np.eye(16))
    ...     image = read_image(path, pixel_size=0.2)
    >>> image.name, image.shape, image.pixel_size
    ('field.npy', (16, 16), 0.2)
    """
    image = _read_one(Path(path), signal, frame, sum_frames, pixel_size)
    if also is not None:
        second = _second_signal(Path(also), Path(path), signal)
        image = combine([image, _read_one(Path(also), second, frame, sum_frames, pixel_size)])
    if mask is not None:
        image = _masked(image, _read_mask(mask, image.shape))
    return image if region is None else image.restrict(region)


def describe_file(path: str | Path) -> list[SignalInfo]:
    """What a file holds, one entry for each signal.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    return [_describe(signal) for signal in signals_of(Path(path))]


def _describe(signal: Signal) -> SignalInfo:
    shape = signal.data.shape[-2:] if signal.is_image else signal.data.shape
    return SignalInfo(
        title=signal.title,
        shape=tuple(int(n) for n in shape),
        dtype=str(signal.data.dtype),
        n_frames=signal.n_frames,
        pixel_size=signal.pixel_size,
        conditions=signal.conditions,
        is_image=signal.is_image,
        reason=signal.reason,
    )


def _read_one(path: Path, name: str, frame: int | None, sum_frames: bool, pixel_size: float) -> Image:
    signal = choose_signal(signals_of(path), name, file=path.name)
    pixels = pixels_of(signal, path, frame=frame, sum_frames=sum_frames)
    return Image(
        pixels,  # type: ignore[arg-type]
        pixel_size=_pixel_size(signal, path) if math.isnan(pixel_size) else pixel_size,
        pixel_size_from="file" if math.isnan(pixel_size) else "given",
        conditions=signal.conditions,
        name=path.name,
        frame=frame or 0,
    )


def _second_signal(also: Path, path: Path, name: str) -> str:
    """Title of the signal of the second detector."""
    images = [signal for signal in signals_of(also) if signal.is_image]
    if also.resolve() != path.resolve():
        named = name.strip().casefold() in [signal.title.casefold() for signal in images]
        return name if named and len(images) > 1 else ""
    first = choose_signal(images, name, file=also.name)
    rest = [signal.title for signal in images if signal.title != first.title]
    if len(rest) != 1:
        left = "no other image" if not rest else f"{len(rest)} others: {', '.join(map(repr, rest))}"
        raise InputError(
            f"the second detector must be another image, and beside {first.title!r} {also.name} holds {left} "
            f"(save the second detector as a file of its own)"
        )
    return rest[0]


def _pixel_size(signal: Signal, path: Path) -> float:
    y, x = signal.scales
    if not math.isnan(y + x) and math.isnan(signal.pixel_size):
        raise InputError(
            f"pixels must be square within 1 %, got {y:g} × {x:g} Å in {path.name} "
            f"(resample it, or give --pixel-size if the file is wrong)"
        )
    return signal.pixel_size


def _read_mask(mask: str | Path | ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    pixels = _mask_pixels(Path(mask)) if isinstance(mask, str | Path) else np.asarray(mask)
    if pixels.shape != shape:
        raise InputError(f"the mask must have the shape of the image {shape}, got {pixels.shape}")
    return np.asarray(pixels != 0, dtype=bool)


def _mask_pixels(path: Path) -> NDArray[np.generic]:
    images = [signal for signal in signals_of(path) if signal.is_image]
    n = sum(signal.n_frames for signal in images)
    if n > 1:
        raise InputError(
            f"a mask file must hold one image, got {n} in {path.name} (save the mask as a file of its own)"
        )
    return pixels_of(choose_signal(images or signals_of(path), "", file=path.name), path)


def _masked(image: Image, mask: NDArray[np.bool_]) -> Image:
    both = image.mask | mask
    if both.all():
        raise InputError(
            f"the mask must leave pixels, got one that covers all of {image.name} "
            f"(pixels that are not 0 are ignored; is it inverted?)"
        )
    return replace(image, mask=both)
