"""A folder of files that belong together: all of them, or none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .writing import writing


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`; whatever goes wrong, it and all that was made for it vanish."""
    partial = folder.absolute().parent / f".{folder.absolute().name}.partial"
    made = [place for place in (folder.absolute(), *folder.absolute().parents) if not place.exists()]
    try:
        with writing(folder):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if made and made[0] == folder.absolute():
            shutil.rmtree(folder, ignore_errors=True)
        for place in made:
            with suppress(OSError):
                place.rmdir()
        raise
    shutil.rmtree(partial, ignore_errors=True)


def publish(partial: Path, folder: Path, *, files: Sequence[str], last: str) -> None:
    """Move every file from the hidden folder into its place, those in folders below it as well.

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
        for file in sorted(new, key=lambda file: file == Path(last)):
            (folder / file).parent.mkdir(exist_ok=True, parents=True)
            (partial / file).replace(folder / file)
