"""One file may hold several signals: what each is, which is meant, and its pixels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..conditions import Conditions
from ..errors import ChoiceError, InputError
from .formats import read_signals
from .guards import RawSignal, check_size, guarded
from .metadata import conditions_of, find, has_length, is_energy, scale_of

Axis = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signal:
    """One signal of a file.

    Parameters
    ----------
    title : unique within its file.
    data : (y, x) or (frame, y, x) when it is an image; perhaps not read yet.
    scales : Å/px along y and x, NaN when unknown.
    conditions : as far as the file has them.
    reason : why it is no image; empty when it is one.
    """

    title: str
    data: Any
    scales: tuple[float, float] = (math.nan, math.nan)
    conditions: Conditions = field(default_factory=Conditions)
    reason: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it is one image or a stack of them."""
        return not self.reason

    @property
    def n_frames(self) -> int:
        """How many images it holds; 0 when it is none."""
        if not self.is_image:
            return 0
        return int(self.data.shape[0]) if self.data.ndim == 3 else 1

    @property
    def pixel_size(self) -> float:
        """Å/px, the mean of both directions; NaN when unknown or when they differ by over 1 %."""
        y, x = self.scales
        return (y + x) / 2 if math.isclose(y, x, rel_tol=0.01) else math.nan


def signals_of(path: Path) -> list[Signal]:
    """Every signal of a file, with titles that tell them apart."""
    signals = guarded(path, lambda: [_as_signal(raw, path) for raw in read_signals(path)])
    if not signals:
        raise InputError(f"{path.name} holds no signal (was it saved to the end?)")
    titles = _unique([signal.title or path.stem for signal in signals])
    return [replace(signal, title=title) for signal, title in zip(signals, titles, strict=True)]


def choose_signal(signals: Sequence[Signal], name: str, *, file: str) -> Signal:
    """The signal called `name`, or the only image when `name` is empty.

    Raises
    ------
    ChoiceError
        Several images are there and none was named.
    InputError
        No signal has that name, or it is not an image.
    """
    if name:
        return _named(signals, name, file)
    images = [signal for signal in signals if signal.is_image]
    if not images:
        found = "; ".join(f"{s.title!r} is {s.reason}" for s in signals[:5])
        raise InputError(f"{file} holds no image: {found}")
    if len(images) > 1:
        titles = ", ".join(repr(signal.title) for signal in images)
        raise ChoiceError(f"{file} holds {len(images)} images; choose one with --signal NAME: {titles}")
    return images[0]


def pixels_of(
    signal: Signal, path: Path, *, frame: int | None = None, sum_frames: bool = False
) -> NDArray[np.generic]:
    """One image of a signal, or the sum of its frames.

    Returns
    -------
    (y, x)

    Raises
    ------
    ChoiceError
        It is a stack and no frame was chosen.
    InputError
        The frame does not exist, or the pixels cannot be read.
    """
    n = signal.n_frames
    _check_frame(n, path.name, frame, sum_frames)
    check_size(path, math.prod(signal.data.shape[-2:]) * signal.data.dtype.itemsize)
    if signal.data.ndim == 2:
        return guarded(path, lambda: np.asarray(signal.data))
    if sum_frames:
        return guarded(path, lambda: _sum(signal.data))
    return guarded(path, lambda: np.asarray(signal.data[frame or 0]))


def _check_frame(n: int, file: str, frame: int | None, sum_frames: bool) -> None:
    if frame is not None and sum_frames:
        raise InputError("a stack is read either by one frame or by the sum of all (give --frame or --sum)")
    if n > 1 and frame is None and not sum_frames:
        raise ChoiceError(
            f"{file} holds a stack of {n} frames; choose one with --frame N (0 to {n - 1}) or all with --sum"
        )
    if frame is not None and not 0 <= frame < n:
        raise InputError(f"frame must be 0 to {n - 1} in {file}, got {frame}")


def _sum(frames: Any) -> NDArray[np.generic]:
    total = np.zeros(frames.shape[1:])
    for frame in range(frames.shape[0]):
        total += np.asarray(frames[frame])
    return total


def _named(signals: Sequence[Signal], name: str, file: str) -> Signal:
    by_case = {signal.title.casefold(): signal for signal in reversed(signals)}
    exact = {signal.title: signal for signal in signals}
    signal = exact.get(name) or by_case.get(name.strip().casefold())
    if signal is None:
        near = get_close_matches(name.casefold(), list(by_case), n=1)
        hint = f" (did you mean {by_case[near[0]].title!r}?)" if near else ""
        titles = ", ".join(repr(s.title) for s in signals)
        raise InputError(f"--signal must name a signal of {file}: {titles}; got {name!r}{hint}")
    if not signal.is_image:
        raise InputError(f"the signal {signal.title!r} of {file} must be an image, and is {signal.reason}")
    return signal


def _unique(titles: Sequence[str]) -> list[str]:
    count = Counter(title.casefold() for title in titles)
    taken = {key for key, n in count.items() if n == 1}
    unique = []
    for title in titles:
        new, number = title, 0
        while count[title.casefold()] > 1 and (not number or new.casefold() in taken):
            number += 1
            new = f"{title} {number}"
        taken.add(new.casefold())
        unique.append(new)
    return unique


def _as_signal(raw: RawSignal, path: Path) -> Signal:
    metadata, original = raw.get("metadata") or {}, raw.get("original_metadata") or {}
    data, axes = raw["data"], list(raw["axes"])
    title = str(find(metadata, ("General", "title")) or "")
    if len(axes) != data.ndim:
        axes = [{} for _ in range(data.ndim)]
    data, axes, reason = _grey(*_without_empty_steps(data, axes))
    reason = reason or _why_no_image(data, axes, str(find(metadata, ("Signal", "signal_type")) or ""))
    if reason:
        return Signal(title=title, data=data, reason=reason)
    if data.ndim == 3:
        data, axes = _frames_first(data, axes)
    if path.suffix.lower() == ".emd" and [axis.get("name") for axis in axes[-2:]] == ["x", "y"]:
        data, axes = data.swapaxes(-2, -1), [*axes[:-2], axes[-1], axes[-2]]
    return Signal(
        title=title,
        data=data,
        scales=(scale_of(axes[-2]), scale_of(axes[-1])),
        conditions=conditions_of(metadata, original),
    )


def _without_empty_steps(data: Any, axes: list[Axis]) -> tuple[Any, list[Axis]]:
    """Drop the axes along which a single step was taken."""
    kept = [i for i, axis in enumerate(axes) if data.shape[i] != 1 or not axis.get("navigate", False)]
    if len(kept) == data.ndim:
        return data, axes
    return data.reshape([data.shape[i] for i in kept]), [axes[i] for i in kept]


def _grey(data: Any, axes: list[Axis]) -> tuple[Any, list[Axis], str]:
    """Collapse colours that agree; alpha is ignored."""
    if data.dtype.names and set(data.dtype.names) <= set("RGBA"):
        planes = [data[name] for name in data.dtype.names if name != "A"]
    elif data.ndim == 3 and data.shape[2] in (2, 3, 4) and min(data.shape[:2]) > 4:
        planes = [data[..., i] for i in range(1 if data.shape[2] == 2 else 3)]
        axes = [{**axis, "navigate": False} for axis in axes[:2]]
    else:
        return data, axes, ""
    if all(bool((plane == planes[0]).all()) for plane in planes[1:]):
        return planes[0], axes, ""
    return data, axes, "in colour (export it in grey)"


def _why_no_image(data: Any, axes: Sequence[Axis], signal_type: str) -> str:
    n_signal_axes = sum(not axis.get("navigate", False) for axis in axes)
    if data.ndim < 2:
        return "a spectrum or a profile of one dimension"
    if n_signal_axes == 1 or any(map(is_energy, axes)) or signal_type.startswith(("EELS", "EDS")):
        return "a spectrum image" if data.ndim > 2 else "a row of spectra"
    if data.ndim > 3:
        return f"an array of {data.ndim} dimensions (diffraction patterns or colour frames?)"
    if data.dtype.kind == "c":
        return "made of complex numbers (a Fourier transform or a wave?)"
    if data.dtype.kind not in "buif":
        return "not made of numbers"
    if not all(data.shape):
        return f"empty, of shape {tuple(data.shape)}"
    return ""


def _frames_first(data: Any, axes: list[Axis]) -> tuple[Any, list[Axis]]:
    """The axis that counts frames: the one stepped through, else the one that is no length, else 0."""
    stepped = [i for i, axis in enumerate(axes) if axis.get("navigate", False)]
    other = [i for i, axis in enumerate(axes) if not has_length(axis)]
    at = stepped[0] if len(stepped) == 1 else other[0] if len(other) == 1 else 0
    order = [at, *(i for i in range(3) if i != at)]
    data, axes = data.transpose(order), [axes[i] for i in order]
    return (data[0], axes[1:]) if data.shape[0] == 1 else (data, axes)
