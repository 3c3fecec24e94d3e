"""How long the main job takes and how much memory: writes `speed.md` beside this file.

    python benchmarks/speed.py

Every measurement runs in a fresh process with one thread. Seconds depend on the machine; the ratio to a
fixed piece of work (Fourier transforms of a 1024² image) depends on it less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from antisite.simulate.sketch.image import sketch_image

OUT = Path(__file__).with_name("speed.md")
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")
}
FIND = """
import json, resource, sys, time
import numpy as np
from antisite import Image, Settings, find_defects
from antisite.run.report import report_html
pixels = np.load(sys.argv[1])
plain = Settings(self_check=False)
report_html(find_defects(Image(pixels[:256, :256])))  # imports and compilation are not what is timed
start, busy = time.perf_counter(), time.process_time()
result = find_defects(Image(pixels), settings=plain)
seconds, busy = time.perf_counter() - start, time.process_time() - busy
start = time.perf_counter()
result = find_defects(Image(pixels))
checked = time.perf_counter() - start - seconds
start = time.perf_counter()
report_html(result)
report = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
told = {"seconds": seconds, "busy": busy, "peak": peak, "sites": len(result.sites)}
print(json.dumps(told | {"self_check": checked, "report": report}))
"""
REFERENCE = """
import time
import numpy as np
from scipy.fft import irfft2, rfft2
pixels = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
times = []
for _ in range(10):
    start = time.perf_counter()
    irfft2(rfft2(pixels))
    times.append(time.perf_counter() - start)
print(min(times))
"""
# edge of the image [px]: (most seconds, most of self-check and report together, most GB)
TARGETS = {1024: (2.0, "≤ 5", "–"), 4096: (40.0, "–", "≤ 3")}
HELP = "import sys; from antisite.cli.main import main; sys.argv = ['antisite', '--help']; main()"
# start: (code, most seconds); the start of Python itself counts for the command, not for the import
STARTS = {"import antisite": ("import antisite", 0.3), "antisite --help": (HELP, 0.6)}


def run_python(*arguments: str) -> str:
    """What a fresh process with one thread prints."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **ONE_THREAD},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def time_find_defects(edge: int, *, repeats: int) -> dict[str, float]:
    """Median time and greatest memory of `find_defects` on a simulated image of WSe2.

    `seconds` by the clock, `busy` of the processor [s], both without self-check; `self_check` and
    `report` beyond that [s]; `peak` [bytes], `sites`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        image, _ = sketch_image(
            "wse2", shape=(edge, edge), vacancies=0.01, dose=1e5, drift=1, rotation=0.3, rng=0
        )
        np.save(path, image.pixels)
        runs = [json.loads(run_python("-c", FIND, str(path))) for _ in range(repeats)]
    return {
        **{name: median(run[name] for run in runs) for name in ("seconds", "busy", "self_check", "report")},
        "peak": max(run["peak"] for run in runs),
        "sites": runs[0]["sites"],
    }


def time_start(code: str, *, repeats: int = 5) -> float:
    """Least wall time [s] of a fresh process, after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run_python("-c", code)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def find_rows(edges: list[int]) -> list[str]:
    """A line of the table for each size."""
    unit = float(run_python("-c", REFERENCE))
    rows = [
        "| image [px] | sites | seconds | target | processor seconds | Fourier transforms of 1024² "
        "| self-check | report | target, both | peak memory [GB] | target |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for edge in edges:
        took = time_find_defects(edge, repeats=3 if edge <= 1024 else 1)
        seconds, more, memory = TARGETS[edge]
        rows.append(
            f"| {edge} × {edge} | {took['sites']:.0f} | {took['seconds']:.2f} | ≤ {seconds:g} | "
            f"{took['busy']:.2f} | {took['busy'] / unit:.0f} | {took['self_check']:.2f} | "
            f"{took['report']:.2f} | {more} | {took['peak'] / 1e9:.2f} | {memory} |"
        )
    return rows


def start_rows() -> list[str]:
    """A line of the table for each way of starting."""
    rows = ["| start | seconds | target |", "| --- | --- | --- |"]
    own = time_start("pass")
    for name, (code, target) in STARTS.items():
        seconds = time_start(code) - (own if code != HELP else 0)
        rows.append(f"| `{name}` | {seconds:.2f} | ≤ {target:g} |")
    return rows


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--edges", type=int, nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    parts = [
        "# How long the main job takes\n",
        "Made by `python benchmarks/speed.py`, one thread, warm, simulated WSe2 (seed 0). "
        "Self-check and report, in seconds, come on top of the search.\n",
        *find_rows(given.edges),
        "",
        *start_rows(),
    ]
    given.out.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
