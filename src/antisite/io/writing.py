"""Writing to disk: whole or not at all, and one sentence where the disk refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


@contextmanager
def writing(path: Path, *, cure: str = "choose another folder with --out") -> Iterator[None]:
    """Turn whatever the disk says against `path` into one sentence that ends in the cure."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{path} cannot be written: {reason} ({cure})") from error


def write_bytes(path: Path, content: bytes, *, cure: str = "choose another folder with --out") -> None:
    """Write one file whole or not at all; its folder is made when it does not exist.

    Where several processes write the same file, the last one's stays.

    Raises
    ------
    OutputError
        The folder cannot be made or written.
    """
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")
    with writing(path, cure=cure):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
