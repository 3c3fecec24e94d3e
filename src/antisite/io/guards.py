"""What is checked before a file is believed, and how a reader's failure becomes one sentence.

Headers are read first: a file whose header promises more than the file can hold is refused before
any memory is taken for its pixels.
"""

from __future__ import annotations

import gc
import logging
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..errors import InputError

RawSignal = dict[str, Any]
"""As RosettaSciIO gives it: `data`, `axes`, `metadata`, `original_metadata`."""

MAX_COMPRESSION = 1000
MAX_IMAGE_BYTES = 8 * 2**30
_NEVER_DOUBTED = 64 * 2**20  # a blank compressed image of this size may fit into a few kB
SHOWN = "ANTISITE_DEBUG=1 shows what its reader says"
_CUT = ("truncated", "mmap length")  # in what readers say of files that end too early
_PACKED = ("imagecodecs", "required filter")
_LOGGERS = ("rsciio", "tifffile", "PIL", "h5py")
_LOCK = threading.RLock()  # warnings and log levels are global; they are put back under this lock
_T = TypeVar("_T")

logger = logging.getLogger(__name__)


def guarded(path: Path, read: Callable[[], _T]) -> _T:
    """What `read` returns; whatever it raises or mutters becomes one sentence about the file."""
    with _quietly():
        try:
            return read()
        except InputError:
            raise
        except Exception as error:  # readers raise anything at all on a damaged file
            note_reader_error(path, error)
            problem = _explain(error)
        gc.collect()  # a reader that fails may leave its file open in a cycle
    # Raised out here so that the reader's frames, and the file they hold open, are let go.
    raise InputError(f"{path.name} cannot be read as a {path.suffix.lower()} file: {problem}")


def check_size(path: Path, n_bytes: int) -> None:
    """Refuse an image larger than antisite takes into memory at once."""
    if n_bytes > MAX_IMAGE_BYTES:
        raise InputError(
            f"{path.name} holds an image of {_size(n_bytes)}; at most {_size(MAX_IMAGE_BYTES)} are read "
            f"(crop or bin it first)"
        )


def check_promise(path: Path, n_bytes: int, *, compression: int = 1) -> None:
    """Refuse a header that promises more pixels than the file can hold."""
    held = path.stat().st_size
    doubted = compression == 1 or n_bytes > _NEVER_DOUBTED
    if doubted and n_bytes > held * compression:
        raise InputError(
            f"{path.name} cannot be read as a {path.suffix.lower()} file: it promises {_size(n_bytes)} "
            f"of pixels and holds {_size(held)} (is it truncated?)"
        )


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"


def note_reader_error(path: Path, error: Exception) -> None:
    """Keep what a reader of others says for who looks for it; a sentence for users leaves it out."""
    logger.debug("%s: %s: %s", path.name, type(error).__name__, " ".join(str(error).split()))


def _explain(error: Exception) -> str:
    text = str(error)
    if isinstance(error, MemoryError):
        return "it needs more memory than there is (crop it, or choose a frame)"
    if any(word in text for word in _PACKED):
        return f"it is compressed in a way that cannot be undone here (save it uncompressed; {SHOWN})"
    if isinstance(error, struct.error | EOFError) or any(word in text for word in _CUT):
        return f"it looks truncated (copy or export it again; {SHOWN})"
    return f"it looks damaged or truncated (copy or export it again; {SHOWN})"


@contextmanager
def _quietly() -> Iterator[None]:
    import rsciio  # noqa: F401  sets its own log level when first imported

    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        levels = [logger.level for logger in loggers]
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL + 1)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
