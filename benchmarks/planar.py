"""What is found of boundaries, faults and dislocations, and what is invented: writes `planar.md`.

    ANTISITE_DATA=folder/of/real/images python benchmarks/planar.py

Real images are those of ANTISITE_DATA (their rows are left out without it). Everything else is simulated
(`planar_scenes.py`) and judged (`planar_judge.py`): scenes with an object from seeds 60000, 60001, …, perfect
crystals from 62000, on which no constant was set; the same command gives the same table, but for the seconds.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import planar_scenes as scenes
from markdown_tables import interval, markdown
from planar_judge import (
    NEAR,
    Job,
    Tally,
    found_cores,
    found_lines,
    judge,
    judge_perfect,
    look,
    n_rows,
    paths_of,
    places_of,
)

from antisite.errors import NoLatticeError
from antisite.evaluate.lines import score_cores, score_lines
from antisite.evaluate.scores import proportion
from antisite.io.annotations import read_annotations
from antisite.io.images import read_image
from antisite.plot.lines import line_points
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings

FIRST_SEED, FIRST_PERFECT = 60_000, 62_000
OUT = Path(__file__).with_name("planar.md")
COMMAND = "ANTISITE_DATA=folder/of/real/images python benchmarks/planar.py"
# folder: (image, most the median distance may be [a0], cores that are labelled, most cores beside them)
LABELLED = {
    "au_grain_boundary": ("HAADF.png", 0.15, 7, 2),
    "fe_grain_boundary": ("HAADF.npy", 0.4, 0, None),
    "cdte_lower_half": ("HAADF.tif", 0.4, 0, None),
}
CORE_WITHIN = 10.0  # px, of the labelled cores
WITHOUT = (
    "perfect/srtio3.ser",
    "perfect/batio3.dm4",
    "wse2_ti_25/ADF1.dm4",
    "wse2_ti_25/ADF2.dm4",
    "wse2_cr_9/ADF2.npy",
    "wse2_v_7795/ADF.tif",
    "wse2_v_sim0/ADF.tif",
    "unlabelled/mos2_contaminated.npy",
    "unlabelled/mos2_se_implanted.dm3",
    "not_a_crystal/pt_on_carbon.tif",
)
TARGETS = (
    "recall ≥ 0.98; false objects ≤ 1 in 100 perfect images; Burgers vectors right ≥ 0.98; "
    "misorientation within 0.2°; R within 0.03 of a cell; strain noise as stated"
)


def simulated_tables(repeats: int, *, quick: bool, workers: int) -> list[str]:
    """The scenes by kind, sampling, dose and drift."""
    samplings = (12,) if quick else scenes.SAMPLINGS
    doses, drifts = ((1e5,), (0.0,)) if quick else (scenes.DOSES, scenes.DRIFTS)
    conditions = [
        (kind, px, dose, drift)
        for kind in scenes.KINDS
        for px in samplings
        if scenes.possible(kind, px)
        for dose in doses
        for drift in drifts
        for _ in range(repeats)
    ]
    jobs = [
        Job(kind=kind, px_per_cell=px, dose=dose, drift=drift, seed=FIRST_SEED + i)
        for i, (kind, px, dose, drift) in enumerate(conditions)
    ]
    judged = list(_spread(judge, jobs, workers))
    rule = " ".join((scenes.__doc__ or "").split("\n\n", 1)[1].split())
    parts = [
        f"## Simulated scenes\n\nAsked: {TARGETS}.\n\n{rule} Lines count as found when 0.8 of",
        f"them is covered within {NEAR} a0 (root of the area of a cell), cores within {NEAR} a0.\n",
    ]
    groupings: tuple[tuple[str, Callable[[Job], str]], ...] = (
        ("kind", lambda job: job.kind),
        ("px per cell", lambda job: f"{job.px_per_cell:g}"),
        ("dose [e/Å²]", lambda job: f"{job.dose:g}"),
        ("drift [px]", lambda job: f"{job.drift:g}"),
        ("all", lambda _: "all"),
    )
    for title, key in groupings:
        tallies: dict[str, Tally] = defaultdict(Tally)
        for job, tally in judged:
            tallies[key(job)].add(tally)
        parts += [f"### By {title}\n" if title != "all" else "### Together\n"]
        parts += [markdown([{title: name} | _row(tally) for name, tally in tallies.items()])]
    missed = [job for job, tally in judged if tally.lines_found < tally.lines or tally.false or tally.refused]
    names = [
        f"{job.kind}, {job.px_per_cell} px, {job.dose:g} e/Å², {job.drift:g} px, {job.seed}" for job in missed
    ]
    return [
        *parts,
        "Scenes with a line missed, a false object or no result:\n",
        *[f"- {n}" for n in names],
        "",
    ]


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "scenes": tally.scenes,
        "refused": tally.refused,
        "recall of lines": _share(tally.lines_found, tally.lines),
        "covered, mean": _mean(tally.covered),
        "distance, median [a0]": _middle(tally.distance, 3),
        "recall of cores": _share(tally.cores_found, tally.cores),
        "core error, median [a0]": _middle(tally.core_error, 2),
        "Burgers right": _share(sum(tally.burgers), len(tally.burgers)),
        "angle error, median / 95 % [°]": _two(tally.turn_error, 2),
        "R error, median / 95 % [cells]": _two(tally.shift_error, 3),
        "mirror right": _share(sum(tally.mirror), len(tally.mirror)),
        "kind right": _share(sum(tally.kind), len(tally.kind)),
        "layers right": _share(sum(tally.layers), len(tally.layers)),
        "false objects": tally.false,
        "seconds, median": _middle(tally.seconds, 2),
    }


def _share(k: int, n: int) -> str:
    return interval(proportion(k, n), 3)


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f}" if values else "–"


def _middle(values: list[float], digits: int) -> str:
    return f"{median(values):.{digits}f}" if values else "–"


def _two(values: list[float], digits: int) -> str:
    return f"{median(values):.{digits}f} / {np.quantile(values, 0.95):.{digits}f}" if values else "–"


def real_tables(data: Path) -> list[str]:
    """Labelled boundaries, and images in which there is none."""
    labelled = [_real_row(data / name) for name in LABELLED if (data / name).is_dir()]
    empty = [_empty_row(data / name) for name in WITHOUT if (data / name).exists()]
    return [
        "## Labelled images\n\nLines on iron and CdTe are drawn by eye; a0: root of the area of a cell.\n",
        markdown(labelled),
        "## Images without boundaries\n\nWhat is found here is a false alarm.\n",
        markdown(empty),
    ]


def _real_row(folder: Path) -> dict[str, Any]:
    name, most, n_cores, extra = LABELLED[folder.name]
    truth = read_annotations(folder / "labels.json")
    result = look(read_image(folder / name))
    size = math.sqrt(result.grains[0]["lattice"]["cell_area"])
    true_paths = [line_points(path)[:, ::-1] for path in truth["path"] if path]
    scores = score_lines(paths_of(found_lines(result)), true_paths, within=NEAR * size)
    cores = truth.loc[truth["kind"] == "dislocation", ["y", "x"]].to_numpy()
    matched = score_cores(places_of(found_cores(result)), cores, within=CORE_WITHIN)
    found = [line for line in found_lines(result) if line["misorientation"] is not None]
    return {
        "image": folder.name,
        "covered (≥ 0.95)": ", ".join(f"{value:.3f}" for value in scores.covered),
        "distance, median / 95 % [a0]": ", ".join(
            f"{a / size:.3f} / {b / size:.3f}" for a, b in zip(scores.median, scores.p95, strict=True)
        ),
        "target": f"≤ {most}",
        "false lines": len(scores.false),
        "cores": f"{len(matched.pairs)} of {n_cores}" if n_cores else "–",
        "cores beside them": matched.n_false if extra is None else f"{matched.n_false} (≤ {extra})",
        "named": ", ".join(f"{line['kind']} {line['name']}".strip() for line in found_lines(result)) or "–",
        "misorientation [°]": ", ".join(f"{math.degrees(line['misorientation']):.2f}" for line in found)
        or "–",
    }


def _empty_row(path: Path) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        result = look(read_image(path))
    except NoLatticeError:
        return {
            "image": f"{path.parent.name}/{path.name}",
            "objects": "no lattice",
            "grains": 0,
            "seconds": "–",
        }
    return {
        "image": f"{path.parent.name}/{path.name}",
        "objects": n_rows(result),
        "grains": len(result.grains),
        "seconds": f"{time.perf_counter() - start:.1f}",
    }


def perfect_table(n: int, *, workers: int) -> list[str]:
    """Perfect simulated crystals: false objects, and the noise of strain."""
    told = list(_spread(judge_perfect, range(FIRST_PERFECT, FIRST_PERFECT + n), workers))
    seen = [item for item in told if "refused" not in item]
    bad = [item for item in seen if item["objects"]]
    noise = [item["noise"] for item in told if "noise" in item]
    row = {
        "images": n,
        "refused": n - len(seen),
        "with objects": _share(len(bad), len(seen)),
        "objects": int(sum(item["objects"] for item in seen)),
        "more than one grain": sum(item["grains"] > 1 for item in seen),
        "strain noise found / stated, median and 95 % (no drift)": _two(noise, 2),
    }
    seeds = ", ".join(f"{item['seed']:.0f}" for item in bad) or "none"
    return ["## Perfect simulated crystals\n", markdown([row]), f"Seeds with objects: {seeds}.\n"]


def speed_table() -> list[str]:
    """Seconds of the whole job and, where the planar step can be left out, of that step."""
    can_leave = "planar" in {item.name for item in fields(Settings)}
    rows = []
    for side in (1024, 2048, 4096):
        plain = scenes.lay_sketch("fe100", shape=(side, side), px_per_cell=16, rng=FIRST_SEED)
        image, _ = scenes.sketch_scene(plain, dose=1e5, rng=FIRST_SEED)
        start = time.perf_counter()
        look(image)
        whole = time.perf_counter() - start
        step = math.nan
        if can_leave:
            start = time.perf_counter()
            find_defects(image, settings=Settings(self_check=False, planar=False))  # type: ignore[call-arg]
            step = whole - (time.perf_counter() - start)
        rows.append({"side [px]": side, "whole job [s]": f"{whole:.2f}", "planar step [s]": f"{step:.2f}"})
    return [
        "## Time\n\nAsked: 1.5 s or less at 1024² px, growing with the number of pixels.\n",
        markdown(rows),
    ]


def _spread(work: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterable[Any]:
    if workers < 2:
        return map(work, items)
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, items))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1, help="scenes of each kind and condition")
    parser.add_argument("--perfect", type=int, default=100, help="perfect simulated images")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="12 px per cell, one dose, no drift, no speed")
    parser.add_argument(
        "--only", choices=("real", "scenes", "perfect", "speed"), help="one part of the table"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    data = Path(os.environ.get("ANTISITE_DATA", "no-data"))
    table: dict[str, Callable[[], list[str]]] = {
        "real": lambda: real_tables(data),
        "scenes": lambda: simulated_tables(given.repeats, quick=given.quick, workers=given.workers),
        "perfect": lambda: perfect_table(given.perfect, workers=given.workers),
        "speed": lambda: [] if given.quick else speed_table(),
    }
    parts = [
        "# Boundaries, faults and dislocations\n",
        f"Made by `{COMMAND}`{' --quick' if given.quick else ''}. In brackets: 95 % intervals.\n",
    ]
    for name, make in table.items():
        if given.only in (None, name):
            parts += make()
    given.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
