"""Shards made by many processes, here or on a cluster, through Dask: the same bytes as one process makes."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .._optional import require
from ..errors import InputError, OutputError
from ..simulate.dataset.patch_shards import make_shard, shard_path, start_shards
from ..simulate.dataset.stream import PatchStream
from ..simulate.progress import Progress
from .interrupts import interrupts_not_inherited

_LARGE_IS_MEANT = {"distributed.admin.large-graph-warning-threshold": "1 TB"}
_PATIENCE = 10.0  # seconds, for a scheduler to answer


def distribute_shards(
    stream: PatchStream,
    folder: str | Path,
    *,
    n_shards: int,
    fields_per_shard: int = 16,
    scheduler: str = "",
    workers: int = 2,
    progress: Progress = iter,
) -> list[Path]:
    """Write the first shards of a stream; those already there stay as they are.

    The tables are computed before, in the process that asks, and sent along: processors that round
    differently make the same shards, with the same releases of numpy and numba. Tables made on another
    processor may differ in their last digits; shards made with them are not mixed with others, as the
    manifest holds their checksum. A script calls this under `if __name__ == "__main__":`, as new processes
    read it.

    A shard whose process dies is made by another one, as often as Dask's setting
    `distributed.scheduler.allowed-failures` says (3 times). What fails for a reason would fail again: it ends
    the work at once.

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
        The folder cannot be written, workers wrote elsewhere, one after the other died, or the scheduler did.
    MissingExtraError
        Dask's `distributed` or `zarr` is not installed.
    """
    distributed = require("distributed", extra="dataset")
    folder = Path(folder).absolute()
    missing = start_shards(stream, folder, n_shards=n_shards, fields_per_shard=fields_per_shard)
    if missing:
        with _client(distributed, scheduler, min(workers, len(missing))) as client:
            # A task, which Dask repeats where its result is lost: what is scattered dies with its workers.
            with require("dask", extra="dataset").config.set(_LARGE_IS_MEANT):
                shared = client.submit(_keep, stream, pure=False)
            tasks = [
                client.submit(
                    make_shard, shared, folder, number, fields_per_shard=fields_per_shard, pure=False
                )
                for number in missing
            ]
            try:
                for task in progress(distributed.as_completed(tasks, loop=client.loop)):
                    task.result()
            except distributed.KilledWorker as error:
                raise OutputError(
                    "a shard must be made before its process ends, and processes died again and again over "
                    "one, for want of memory perhaps (take smaller fields or fewer workers; shards that are "
                    "complete stay)"
                ) from error
            except (CancelledError, distributed.comm.CommClosedError) as error:
                raise OutputError(
                    "a scheduler must answer until the last shard is made, and the connection was lost "
                    "(start it again and give the same command; shards that are complete stay)"
                ) from error
    paths = [shard_path(folder, number) for number in range(n_shards)]
    for path in paths:
        if not path.exists():
            raise OutputError(
                f"workers must write to a folder that they share with this machine, and {path} is not there "
                f"(choose another folder with --out)"
            )
    return paths


def _keep(stream: PatchStream) -> PatchStream:
    return stream


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
        with distributed.utils.silence_logging_cmgr(logging.CRITICAL), client:  # its loss is told once
            yield client
        return
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        with interrupts_not_inherited():
            cluster = distributed.LocalCluster(
                n_workers=max(workers, 1),
                threads_per_worker=1,
                processes=True,
                silence_logs=logging.CRITICAL,  # an interrupt is no news
                dashboard_address="127.0.0.1:0",  # any free port
                local_directory=scratch,
            )
        stack.enter_context(cluster)
        yield stack.enter_context(distributed.Client(cluster, set_as_default=False))
