"""How fast labelled fields and patches are made: writes `streaming.md` beside this file.

    python benchmarks/streaming.py
    python benchmarks/streaming.py --tables
    python benchmarks/streaming.py --full

Each makes its own table anew and leaves the others as they are. The first takes a minute, `--tables` (all
tables of 96 doped sheets under 6 conditions, computed from nothing) a few, `--full` (about 55 million patches
of these 576 cases, each made, counted and let go) less than 15. `--cache FOLDER` keeps the tables for the
others. Beside multislice: `benchmarks/scattering.py --speed`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from markdown_tables import markdown

from antisite.conditions import Detector
from antisite.defects import KINDS
from antisite.simulate.dataset.case_tables import prepare_cases
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.doped_tmds import doped_defects, doped_tmd_cases
from antisite.simulate.dataset.ordered_threads import in_order
from antisite.simulate.dataset.stream import REACH, Patches, PatchStream
from antisite.simulate.recording.recording import Recording
from antisite.simulate.scattering.optics import Optics

OUT = Path(__file__).with_name("streaming.md")
SEED = 20261120
PATCH, PIXEL_SIZE = 32, 0.2  # px, Å/px
EDGE = 836  # px; holds about 6,000 columns of a dichalcogenide
LARGE = 1024, 0.163  # px and Å/px of a field that holds as many
ROUNDS = 18  # fields of each of the 576 cases
HOST = Case(
    specimen="WSe2",
    defects=doped_defects("W", "Se", "V"),
    optics=Optics(beam_energy=80e3, detectors=(Detector(inner=70, outer=200),)),
    recording=Recording(dose=1e4),
)


def open_stream(cases: Iterable[Case], cache: Path | None, edge: int = EDGE, **settings: Any) -> PatchStream:
    """Fields of the usual size."""
    given = {"pixel_size": PIXEL_SIZE, "size": PATCH, "seed": SEED, "cache": cache} | settings
    return PatchStream(cases=tuple(cases), shape=(edge, edge), **given)


def seconds_of(make: Callable[[int], Any], *, n: int) -> float:
    """Median time of one of n items."""
    make(0)
    times = []
    for number in range(1, n + 1):
        start = time.perf_counter()
        make(number)
        times.append(time.perf_counter() - start)
    return median(times)


def field_rows(cache: Path | None) -> list[dict[str, Any]]:
    """A noisy field of 1024² px with all that belongs to it."""
    edge, pixel_size = LARGE
    rows = []
    for reach in (REACH, None):
        stream = open_stream([HOST], cache, edge, pixel_size=pixel_size, reach=reach)
        scene, _, _ = stream.field_of(0)
        y, x = scene.positions.T
        columns = int(((y >= 0) & (y < edge) & (x >= 0) & (x < edge)).sum())
        rows.append(
            {
                "field": f"{edge}² px, {columns} columns",
                "reach of a column [Å]": "9 (its table)" if reach is None else f"{reach:g}",
                "seconds, one core": f"{seconds_of(stream.field_of, n=20):.3f}",
                "target": "≤ 0.1",
            }
        )
    return rows


def patch_rows(cache: Path | None, *, n_fields: int) -> list[dict[str, Any]]:
    """Patches and unique pixels a second by one thread and by two."""
    stream = open_stream([HOST], cache)
    stream.patches_of(0)
    rows = []
    for workers in (1, 2):
        start = time.perf_counter()
        n = sum(len(batch) for batch in stream.patches(0, n_fields, workers=workers))
        seconds = time.perf_counter() - start
        rows.append(
            {
                "threads": workers,
                "fields": n_fields,
                f"noisy {PATCH} × {PATCH} patches a second": f"{n / seconds:,.0f}",
                "target": "≥ 100,000" if workers == 2 else "–",
                "unique pixels a second": f"{n_fields * EDGE**2 / seconds:,.0f}",
                "pixels in patches a second": f"{n * PATCH**2 / seconds:,.0f}",
            }
        )
    return rows


def table_rows(cache: Path | None, *, workers: int) -> list[dict[str, Any]]:
    """All tables from nothing."""
    n_computed = 0

    def counted(columns: Iterable[Any]) -> Iterator[Any]:
        nonlocal n_computed
        for column in columns:
            n_computed += 1
            yield column

    cases = doped_tmd_cases()
    start = time.perf_counter()
    prepare_cases(cases, pixel_size=PIXEL_SIZE, reach=REACH, cache=cache, workers=workers, progress=counted)
    return [
        {
            "cases": len(cases),
            "columns computed (two detectors each)": n_computed,
            "threads": workers,
            "seconds": f"{time.perf_counter() - start:.0f}",
            "target": "≤ 300",
        }
    ]


def count_patches(batch: Patches) -> tuple[int, Any, float, bytes]:
    """Patches, how many of each kind, electrons in their pixels, checksum of labels and some patches."""
    checksum = hashlib.sha256(batch.patches[::256].tobytes())
    for labels in (batch.kind, batch.species, batch.sublattice, batch.offset, batch.conditions):
        checksum.update(labels.tobytes())
    counts = np.bincount(batch.kind, minlength=len(KINDS))
    return len(batch), counts, float(batch.patches.sum(dtype=np.float64)), checksum.digest()


def full_rows(cache: Path | None, *, rounds: int, workers: int) -> list[dict[str, Any]]:
    """Every case as many times as asked for, with a line now and then."""
    cases = doped_tmd_cases()
    start = time.perf_counter()
    stream = open_stream(cases, cache, workers=workers)
    prepared = time.perf_counter() - start
    n_fields, n, electrons = rounds * len(cases), 0, 0.0
    kinds, checksum = np.zeros(len(KINDS), int), hashlib.sha256()
    start = time.perf_counter()
    made = in_order(lambda number: count_patches(stream.patches_of(number)), 0, n_fields, workers=workers)
    for done, (few, of_kind, light, digest) in enumerate(made, start=1):
        n, kinds, electrons = n + few, kinds + of_kind, electrons + light
        checksum.update(digest)
        if done % len(cases) == 0:
            seconds = time.perf_counter() - start
            print(f"{done} fields, {n:,} patches, {seconds:.0f} s, {n / seconds:,.0f} a second", flush=True)
    seconds = time.perf_counter() - start
    told = {
        "cases": len(cases),
        "fields": f"{n_fields:,} of {EDGE}² px",
        "patches": f"{n:,}",
        **{f"kind {KINDS[kind]}": f"{kinds[kind]:,}" for kind in np.flatnonzero(kinds)},
        "electrons in patches": f"{electrons:.0f}",
        "threads": workers,
        "seconds for tables (from the cache if kept)": f"{prepared:.0f}",
        "seconds": f"{seconds:.0f} (target: ≤ 900)",
        "patches a second": f"{n / seconds:,.0f}",
        "unique pixels a second": f"{n_fields * EDGE**2 / seconds:,.0f}",
        "seed": SEED,
        "SHA-256 of labels and of every 256th patch": checksum.hexdigest(),
    }
    return [{"what": what, "value": value} for what, value in told.items()]


PARTS = {
    "Fields": "Made by `python benchmarks/streaming.py`: WSe2 with V and vacancies at 80 kV, 1e4 e/Å², from "
    f"the drawing of its defects to the counted electrons, at {LARGE[1]} Å/px; median of 20 fields.",
    "Patches": "Made by `python benchmarks/streaming.py`: the same specimen, fields of "
    f"{EDGE}² px at {PIXEL_SIZE:g} Å/px, a patch with its labels around each column. Neighbours "
    "share pixels.",
    "Tables": "Made by `python benchmarks/streaming.py --tables`: 96 doped sheets under 6 conditions, "
    "computed once and from nothing, atoms moving.",
    "The whole set": "Made by `python benchmarks/streaming.py --full`: the 576 cases by turns, doses from "
    "1e4 to 1e5 e/Å², every patch made once.",
}


def write_part(out: Path, title: str, rows: list[dict[str, Any]]) -> None:
    """Print a table and put it in the place of the one with its title."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    note = f"Load of the machine at the end: {load:.1f}."
    print(f"{title}. {note}\n{markdown(rows)}", flush=True)
    old = out.read_text(encoding="utf-8") if out.exists() else ""
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", old, flags=re.DOTALL | re.MULTILINE))
    parts[title] = f"\n{PARTS[title]} {note}\n\n{markdown(rows)}"
    text = "\n\n".join(f"## {name}\n{parts[name].rstrip()}" for name in PARTS if name in parts)
    out.write_text(f"# Labelled patches a second\n\n{text}\n", encoding="utf-8")


def main() -> None:
    """Make some of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", action="store_true", help="the tables of all 576 cases")
    parser.add_argument("--full", action="store_true", help="about 55 million patches")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps tables from run to run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fields of each case, with --full")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    if given.tables:
        write_part(given.out, "Tables", table_rows(given.cache, workers=given.workers))
    if given.full:
        rows = full_rows(given.cache, rounds=given.rounds, workers=given.workers)
        write_part(given.out, "The whole set", rows)
    if not (given.tables or given.full):
        write_part(given.out, "Fields", field_rows(given.cache))
        write_part(given.out, "Patches", patch_rows(given.cache, n_fields=60))


if __name__ == "__main__":
    main()
