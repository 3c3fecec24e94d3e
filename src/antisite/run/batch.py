"""Many inputs, one after the other or side by side; one that fails does not stop the others."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import AntisiteError, ChoiceError, InputError, OutputError
from ..io.results import FILES
from .workers import map_in_processes

if TYPE_CHECKING:
    from ..io.images import SignalInfo

Status = Literal["done", "no_lattice", "choice", "failed"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one input.

    Parameters
    ----------
    path : the input.
    status : `done`; `no_lattice` (a result was written that says so); `choice` (several signals or
        frames and none chosen); `failed`.
    message : one sentence, empty when done.
    folder : where the files are, None where nothing was written.
    summary : that of the result, empty where there is none.
    signals : what the file holds, where it was asked for.
    """

    path: Path
    status: Status
    message: str = ""
    folder: Path | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    signals: tuple[SignalInfo, ...] = ()


Work = Callable[[Path], Outcome]


def result_folder(out: Path, path: Path) -> Path:
    """Where the files of one input go."""
    return out / path.stem


def check_inputs(paths: Sequence[Path], *, out: Path, overwrite: bool = True) -> None:
    """Refuse, before any work, inputs whose results would meet in one folder or replace earlier ones.

    Raises
    ------
    InputError
        Two inputs have one stem, or a result exists and `overwrite` is False.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(path.stem.casefold(), path)
        if other is not path:
            raise InputError(
                f"two inputs must not have the same stem, got {other} and {path}: "
                f"both would be written to {result_folder(out, path)} (run them with different --out)"
            )
    if not overwrite:
        _refuse_results(paths, out)


def _refuse_results(paths: Sequence[Path], out: Path) -> None:
    folders = [result_folder(out, path) for path in paths]
    there = [folder for folder in folders if any((folder / name).exists() for name in FILES)]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(
            f"a result is kept unless you say otherwise, and one exists in {there[0]}{more} "
            f"(give --overwrite or another --out)"
        )


def check_output(out: Path) -> None:
    """Refuse, before any work, a folder that cannot be written.

    Raises
    ------
    OutputError
        It, or the nearest folder above it that exists, is a file or may not be written.
    """
    nearest = next(folder for folder in (out, *out.absolute().parents) if os.path.lexists(folder))
    if not nearest.is_dir():
        raise OutputError(
            f"the output must be a folder, got {out}, but {nearest} is a file (give another --out)"
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"the output folder must be writable, got {out} (give another --out)")


def failed_status(error: AntisiteError) -> Status:
    """The status that an error stands for."""
    return "choice" if isinstance(error, ChoiceError) else "failed"


def attempt(work: Work, path: Path) -> Outcome:
    """Do the work on one input; whatever goes wrong becomes its outcome."""
    try:
        return work(path)
    except AntisiteError as error:
        return Outcome(path=path, status=failed_status(error), message=str(error))
    except MemoryError:
        message = "the image must fit in memory, and there is too little (try --region or fewer --workers)"
        return Outcome(path=path, status="failed", message=message)
    except Exception as error:  # a fault of antisite must not cost the other inputs
        logger.debug("unexpected error with %s", path, exc_info=True)
        told = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        message = f"a fault of antisite, please report it: {told} (ANTISITE_DEBUG=1 shows where)"
        return Outcome(path=path, status="failed", message=message)


def run_batch(
    paths: Sequence[Path], work: Work, *, workers: int = 1, debug: bool = False
) -> Generator[Outcome, None, None]:
    """Do the work on every input and give one outcome for each, in their order.

    Parameters
    ----------
    paths : the inputs.
    work : a picklable callable, such as `DetectFile`.
    workers : number of processes; the outcomes do not depend on it.
    debug : let the processes log what goes wrong.
    """
    one = partial(attempt, work)
    if workers == 1 or len(paths) < 2:
        yield from map(one, paths)
    else:
        yield from map_in_processes(one, paths, lost=_lost, workers=workers, debug=debug)


def _lost(path: Path) -> Outcome:
    message = "its process ended before it was done, perhaps for want of memory (try fewer --workers)"
    return Outcome(path=path, status="failed", message=message)
