"""Shards made by many processes, here or on a cluster, through Dask: the same bytes as one process makes."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._optional import require
from ..errors import InputError, OutputError
from ..simulate.dataset.patch_shards import make_shard, shard_path, start_shards
from ..simulate.dataset.stream import PatchStream

_TRIES = 2  # more, for a shard whose process died
_PATIENCE = 10.0  # seconds, for a scheduler to answer


def distribute_shards(
    stream: PatchStream,
    folder: str | Path,
    *,
    n_shards: int,
    fields_per_shard: int = 16,
    scheduler: str = "",
    workers: int = 2,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> list[Path]:
    """Write the first shards of a stream; those already there stay as they are.

    The tables are computed before, in the process that asks, and sent along: processors that round
    differently make the same shards. (Only a film of contamination keeps their last digits.) A script calls
    this under `if __name__ == "__main__":`, as new processes read it.

    Parameters
    ----------
    folder : that all workers can write to by this name.
    scheduler : address of Dask's scheduler, `tcp://HOST:PORT`; empty: processes on this machine.
    workers : how many processes, on this machine.
    progress : wraps the shards as they are done, in any order.

    Raises
    ------
    InputError
        No scheduler answers there, or the folder holds shards made otherwise.
    OutputError
        The folder cannot be written, or workers wrote elsewhere.
    MissingExtraError
        Dask's `distributed` or `zarr` is not installed.
    """
    distributed = require("distributed", extra="dataset")
    folder = Path(folder).absolute()
    missing = start_shards(stream, folder, n_shards=n_shards, fields_per_shard=fields_per_shard)
    if missing:
        with _client(distributed, scheduler, min(workers, len(missing))) as client:
            shared = client.scatter(stream, broadcast=True, hash=False)
            tasks = [
                client.submit(
                    make_shard,
                    shared,
                    folder,
                    number,
                    fields_per_shard=fields_per_shard,
                    pure=False,
                    retries=_TRIES,
                )
                for number in missing
            ]
            for task in progress(distributed.as_completed(tasks, loop=client.loop)):
                task.result()
    paths = [shard_path(folder, number) for number in range(n_shards)]
    for path in paths:
        if not path.exists():
            raise OutputError(
                f"workers must write to a folder that they share with this machine, and {path} is not there "
                f"(choose another folder with --out)"
            )
    return paths


def check_scheduler(scheduler: str) -> None:
    """Refuse, before any work, a scheduler that does not answer or that has no workers."""
    with _client(require("distributed", extra="dataset"), scheduler, 0) as client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise InputError(
                f"a Dask scheduler must have workers, got none at {scheduler} (start one: dask worker "
                f"{scheduler})"
            ) from error


@contextmanager
def _client(distributed: Any, scheduler: str, workers: int) -> Iterator[Any]:
    """A connection to the scheduler, or to processes that end with it."""
    if scheduler:
        if not re.fullmatch(r"tcp://[^/\s]+:\d{1,5}", scheduler):
            raise InputError(f"scheduler must be an address such as tcp://HOST:8786, got {scheduler!r}")
        try:
            client = distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"a Dask scheduler must answer at {scheduler}, and none does (start one: dask scheduler)"
            ) from error
        with client:
            yield client
        return
    with (
        tempfile.TemporaryDirectory() as scratch,
        distributed.LocalCluster(
            n_workers=max(workers, 1),
            threads_per_worker=1,
            processes=True,
            silence_logs=logging.ERROR,  # an interrupt is no news
            dashboard_address="127.0.0.1:0",  # any free port
            local_directory=scratch,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client
