"""The `antisite` command: registers the others and turns errors into sentences and exit statuses."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from .. import __version__
from ..errors import AntisiteError, ChoiceError, NoLatticeError
from ..run.interrupts import raise_again_where_lost
from . import detect, evaluate, inspect, report, simulate
from .options import UsageError
from .simulate_choices import join_pairs

INTERRUPTED = 130
BAD_USAGE: Any = typer.BadParameter.__bases__[0]  # its parent, which Typer gives no public name


def _without_type(option: Any) -> Any:
    """The option with nothing where Typer's help would show a type of Python."""
    if option is not None:
        option.metavar = ""
    return option


class Command(TyperCommand):
    """A command whose `--help` shows no type of Python."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        return _without_type(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; a detector has two angles."""
        return super().parse_args(ctx, join_pairs(args))


class Commands(TyperGroup):
    """A group of commands whose errors are one sentence on stderr and the exit status of the contract."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option `--help`."""
        return _without_type(super().get_help_option(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BAD_USAGE as error:
            _stop(error.format_message(), 2, error)
        except AntisiteError as error:
            _stop(str(error), exit_status(error), error)
        except KeyboardInterrupt as error:
            _stop(str(error) or "interrupted", INTERRUPTED, error)


def exit_status(error: AntisiteError) -> int:
    """The status that an error means for the whole command."""
    if isinstance(error, ChoiceError | UsageError):
        return 2
    return 3 if isinstance(error, NoLatticeError) else 1


def _stop(sentence: str, status: int, cause: BaseException) -> NoReturn:
    typer.echo(f"antisite: {sentence}", err=True)
    raise typer.Exit(status) from cause


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"antisite {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit status: 0 all done, 1 an input failed, 2 usage, 3 no lattice in any input, 130 interrupted.",
)


@app.callback()
def antisite(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_print_version,
            is_eager=True,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Crystal defects in atomic-resolution STEM images: where, what kind, how sure."""


app.command(cls=Command, epilog=inspect.EPILOG)(inspect.inspect)
app.command(cls=Command, epilog=detect.EPILOG)(detect.detect)
app.command(cls=Command, epilog=simulate.EPILOG)(simulate.simulate)
app.command(cls=Command)(evaluate.evaluate)
app.command(cls=Command, epilog=report.EPILOG)(report.report)


def main() -> None:
    """Run `antisite` as a program."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    raise_again_where_lost(signal.default_int_handler)
    if os.environ.get("ANTISITE_DEBUG"):
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("antisite").setLevel(logging.DEBUG)
    else:
        logging.disable(logging.WARNING)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
            os.environ.setdefault("PYTHONWARNINGS", "ignore")
    app()


if __name__ == "__main__":
    main()
