"""A folder of files that belong together: all of them, or none."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .writing import writing

_ABANDONED = 24 * 3600.0  # seconds without a change after which what is half written is nobody's


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`, of this call alone.

    Whatever goes wrong, it vanishes, and with it the folders made for it that are empty. What a killed
    process left of the same folder is removed a day later.
    """
    whole = folder.absolute()
    partial = whole.with_name(f".{whole.name}.{os.urandom(8).hex()}.partial")
    made = [place for place in (whole, *whole.parents) if not place.exists()]
    try:
        with writing(folder):
            others = f".{glob.escape(whole.name)}.{'[0-9a-f]' * 16}.partial"
            remove_abandoned(list(whole.parent.glob(others)))
            partial.mkdir(parents=True)
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for place in made:
            with suppress(OSError):
                place.rmdir()
        raise
    shutil.rmtree(partial, ignore_errors=True)


def publish(partial: Path, folder: Path, *, files: Sequence[str], last: str) -> None:
    """Move every file from the hidden folder into its place, those in folders below it as well.

    Where a move fails, what was moved before is removed again.

    Parameters
    ----------
    files : what an earlier run may have left; those that are not new are removed.
    last : the file whose presence says that the others are complete.
    """
    new = [path.relative_to(partial) for path in sorted(partial.rglob("*")) if path.is_file()]
    with writing(folder):
        folder.mkdir(exist_ok=True)
        (folder / last).unlink(missing_ok=True)  # incomplete from here until the last move
        for name in files:
            if Path(name) not in new:
                (folder / name).unlink(missing_ok=True)
        try:
            for file in sorted(new, key=lambda file: file == Path(last)):
                (folder / file).parent.mkdir(exist_ok=True, parents=True)
                (partial / file).replace(folder / file)
        except BaseException:
            _take_back([file for file in new if not (partial / file).exists()], folder)
            raise


def remove_abandoned(halves: Sequence[Path]) -> None:
    """Remove those folders, left half written, in which nothing has changed for a day."""
    for half in halves:
        if time.time() - _last_change(half) > _ABANDONED:
            shutil.rmtree(half, ignore_errors=True)


def _take_back(moved: Sequence[Path], folder: Path) -> None:
    """Remove files, and the folders below `folder` that held nothing else."""
    for file in moved:
        with suppress(OSError):
            (folder / file).unlink()
            for place in file.parents[:-1]:
                (folder / place).rmdir()


def _last_change(folder: Path) -> float:
    """Seconds since the epoch; the present where somebody is just moving or removing it."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return time.time()
