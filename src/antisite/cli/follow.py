"""Follow a batch: progress while it runs, what to print and which status to end with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InputError
from ..io.tables import to_json
from ..run.batch import Outcome, Work, check_inputs, check_output, run_batch
from .options import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress


def debugging() -> bool:
    """Whether ANTISITE_DEBUG asks for the traceback of unexpected errors."""
    return bool(os.environ.get("ANTISITE_DEBUG"))


def refuse_unusable(files: Sequence[Path], *, out: Path, overwrite: bool = True) -> None:
    """Check inputs and output before any work; a wrong choice of inputs is an error of usage."""
    try:
        check_inputs(files, out=out, overwrite=overwrite)
    except InputError as error:
        raise UsageError(str(error)) from error
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
    try:
        with _progress(bar and sys.stderr.isatty()) as progress:
            task = progress.add_task("", total=len(files)) if progress else None
            for outcome in batch:
                outcomes.append(outcome)
                if progress and task is not None:
                    progress.advance(task)
    except KeyboardInterrupt as error:
        batch.close()
        raise KeyboardInterrupt(
            f"interrupted after {len(outcomes)} of {len(files)} inputs; what is written is complete"
        ) from error
    return outcomes


def _progress(show: bool) -> Progress | nullcontext[None]:
    if not show:
        return nullcontext()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), "files", TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


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
