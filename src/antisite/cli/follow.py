"""Follow a batch: progress while it runs, what to print and which status to end with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import typer

from ..io.tables import to_json
from ..run.batch import Outcome, Work, check_inputs, check_output, run_batch
from .options import refused_as_usage

T = TypeVar("T")


def debugging() -> bool:
    """Whether ANTISITE_DEBUG asks for the traceback of unexpected errors."""
    return bool(os.environ.get("ANTISITE_DEBUG"))


def refuse_unusable(files: Sequence[Path], *, out: Path, overwrite: bool = True) -> None:
    """Check inputs and output before any work; a wrong choice of inputs is an error of usage."""
    with refused_as_usage():
        check_inputs(files, out=out, overwrite=overwrite)
    check_output(out)


def follow(
    files: Sequence[Path], work: Work, *, workers: int = 1, bar: bool = True, debug: bool = False
) -> list[Outcome]:
    """The outcomes of a batch, with a progress bar over files where a person watches.

    Raises
    ------
    KeyboardInterrupt
        With a sentence that says how far it came.
    """
    outcomes: list[Outcome] = []
    batch = run_batch(files, work, workers=workers, debug=debug)
    shown = counted(batch, len(files), words="files") if bar and sys.stderr.isatty() else batch
    try:
        outcomes.extend(shown)
    except KeyboardInterrupt as error:
        batch.close()
        raise KeyboardInterrupt(
            f"interrupted after {len(outcomes)} of {len(files)} inputs; what is written is complete"
        ) from error
    return outcomes


def counted(items: Iterable[T], total: int | None = None, *, words: str = "") -> Iterator[T]:
    """The items, counted on the terminal as they are done.

    Parameters
    ----------
    total : how many there are; None: nobody knows.
    words : what they are.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    count = (TextColumn("{task.completed}"),) if total is None else (BarColumn(), MofNCompleteColumn())
    with Progress(
        SpinnerColumn(), *count, words, Elapsed(), console=Console(stderr=True), transient=True
    ) as bar:
        yield from bar.track(items, total=total)


def finish(
    outcomes: Sequence[Outcome], *, text: Callable[[Sequence[Outcome]], str], as_json: bool, quiet: bool
) -> None:
    """Print what became of the inputs and end with the status of the contract."""
    status = exit_status(outcomes)
    if as_json:
        typer.echo(outcomes_json(outcomes, status=status), nl=False)
    elif not quiet:
        told = text(outcomes)
        if told:
            typer.echo(told)
    for outcome in outcomes:
        if outcome.message:
            typer.echo(f"antisite: {sentence(outcome.path, outcome.message)}", err=True)
    raise typer.Exit(status)


def sentence(path: Path, message: str) -> str:
    """The message with the path of its input, once.

    Examples
    --------
    >>> sentence(Path("b/x.tif"), "x.tif is empty"), sentence(Path("b/x.tif"), "no period stands out")
    ('b/x.tif is empty', 'b/x.tif: no period stands out')
    """
    if message.startswith(f"{path} "):
        return message
    name = re.search(rf"(?<![\w./\\]){re.escape(path.name)}(?!\w)", message)
    if name and (path.suffix or name.start() == 0):
        return f"{message[: name.start()]}{path}{message[name.end() :]}"
    return f"{path}: {message}"


def exit_status(outcomes: Iterable[Outcome]) -> int:
    """1 when an input failed, 2 when one only wants a choice, 3 when none has a lattice, else 0."""
    seen = {outcome.status for outcome in outcomes}
    if "failed" in seen:
        return 1
    if "choice" in seen:
        return 2
    return 3 if seen == {"no_lattice"} else 0


def outcomes_json(outcomes: Sequence[Outcome], *, status: int) -> str:
    """All outcomes as one JSON text; what is unknown is null."""
    inputs = [
        {
            "file": str(outcome.path),
            "status": outcome.status,
            "message": outcome.message,
            "folder": None if outcome.folder is None else str(outcome.folder),
            "summary": outcome.summary or None,
            "signals": [asdict(signal) for signal in outcome.signals],
        }
        for outcome in outcomes
    ]
    return to_json({"exit_status": status, "inputs": inputs})
