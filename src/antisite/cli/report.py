"""`antisite report`: the pictures of results that exist, drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o

if TYPE_CHECKING:
    from ..run.batch import Outcome

EPILOG = """Examples:

antisite report antisite-out/field

antisite report antisite-out/*

antisite report antisite-out/field --image elsewhere/field.dm4
"""


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT_DIR",
            help="Folders of one image each, as 'antisite detect' wrote them.",
            show_default=False,
        ),
    ],
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The image, where it is no longer in its place; exactly one RESULT_DIR before it.",
            show_default=False,
        ),
    ] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw overlay.png and report.html of results again, without computing anything again.

    The image is read again as it was then, and must have the same pixels.
    """
    if image is not None and len(folders) != 1:
        raise o.UsageError(f"--image needs exactly one RESULT_DIR, whose image it is, got {len(folders)}")

    from ..run.redraw import RedrawResult
    from .follow import debugging, finish, follow

    work = RedrawResult(image=image)
    outcomes = follow(folders, work, bar=not (as_json or quiet), debug=debugging())
    finish(outcomes, text=_text, as_json=as_json, quiet=quiet)


def _text(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(
        f"{one.folder}/report.html and overlay.png drawn again" for one in outcomes if one.folder
    )
