"""What the main job finds, misses and invents: writes `science.md` beside this file.

    ANTISITE_DATA=folder/of/real/images python benchmarks/science.py

Real images are those of ANTISITE_DATA (their rows are left out without it). Everything else is simulated
from seeds 20000, 20001, …, on which no constant was set; the same command gives the same table.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markdown_tables import interval, markdown

from antisite.errors import NoLatticeError
from antisite.evaluate.scores import ANY_DEFECT, Scores, evaluate_result, proportion
from antisite.image import Image
from antisite.io.annotations import read_annotations, read_label_map
from antisite.io.images import read_image
from antisite.run.pipeline import find_defects
from antisite.run.settings import Settings
from antisite.simulate.nulls import amorphous_film, phase_randomised, pink_noise, white_noise
from antisite.simulate.sketch.crystals import SKETCHES
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.truth.truth import Truth

FIRST_SEED = 20_000
OUT = Path(__file__).with_name("science.md")
COMMAND = "ANTISITE_DATA=folder/of/real/images python benchmarks/science.py"
MAP_WORDS = {1: "W", 2: "V_on_W", 3: "Se2", 4: "Se_vacancy", 5: "Se2_vacancy"}
# folder: (first file, second detector, target of the area under ROC, target of F1)
LABELLED = {
    "wse2_ti_25": ("ADF1.dm4", "ADF2.dm4", 0.9995, math.nan),
    "wse2_cr_9": ("ADF2.npy", "", 0.998, 0.95),
    "wse2_v_7795": ("ADF.tif", "", 0.9995, 0.995),
    "wse2_v_sim0": ("ADF.tif", "", math.nan, math.nan),
}
# image: (most flags allowed, or None where the right answer is that there is no lattice)
EMPTY = {"perfect/srtio3.ser": 1, "perfect/batio3.dm4": 1, "not_a_crystal/pt_on_carbon.tif": None}


def score_image(image: Image, truth: pd.DataFrame) -> Scores:
    """Find the defects of one image at default settings and compare them with the truth."""
    result = find_defects(image)
    return evaluate_result(
        result.sites,
        result.defects,
        truth,
        nn=result.nearest,
        a=math.sqrt(result.grains[0]["lattice"]["cell_area"]),
        shape=image.shape,
    )


def score_field(folder: Path) -> Scores:
    """One labelled image, with its second detector where it has one."""
    first, second, _, _ = LABELLED[folder.name]
    image = read_image(folder / first, also=folder / second if second else None)
    if (folder / "labels.json").exists():
        return score_image(image, read_annotations(folder / "labels.json"))
    return score_image(image, read_label_map(folder / "truth.tif", words=MAP_WORDS))


def random_crystal(seed: int, **defects: float) -> tuple[Image, Truth]:
    """Each crystal of the library in its turn, at a random scale, direction, dose, drift and background."""
    rng = np.random.default_rng(seed)
    return sketch_image(
        list(SKETCHES)[seed % len(SKETCHES)],
        shape=(320, 320),
        pixel_size=rng.uniform(0.1, 0.3),
        rotation=rng.uniform(0, math.pi),
        dose=10 ** rng.uniform(3.5, 6),
        drift=rng.uniform(0, 2),
        contamination=rng.uniform(0, 0.1),
        rng=rng,
        **defects,
    )


def perfect_crystal(seed: int) -> Image:
    """A random crystal without a defect."""
    return random_crystal(seed)[0]


def crystal_of_random_phases(seed: int) -> Image:
    """The power spectrum of a perfect crystal, its phases drawn at random."""
    return phase_randomised(perfect_crystal(seed), rng=seed)


def noise(seed: int) -> Image:
    """White, pink and amorphous in turn."""
    return (white_noise, pink_noise, amorphous_film)[seed % 3]((320, 320), rng=seed)


# images: (how they are made, the right answer, whether a number of flags is it; None: no lattice)
# A perfect crystal that is refused is no success; one of random phases may be refused.
NULLS: dict[str, tuple[Callable[[int], Image], str, Callable[[int | None], bool]]] = {
    "perfect simulated crystals": (perfect_crystal, "a lattice, no flag", lambda k: k == 0),
    "the same with random phases": (crystal_of_random_phases, "no flag", lambda k: not k),
    "white noise, pink noise, amorphous films": (noise, "no lattice", lambda k: k is None),
}


def count_flags(image: Image) -> int | None:
    """Number of defects, None where no lattice is found."""
    try:
        return len(find_defects(image, settings=Settings(self_check=False)).defects)
    except NoLatticeError:
        return None


def field_tables(data: Path) -> list[str]:
    """Scores on the labelled images: of any defect, then label by label."""
    scores = {name: score_field(data / name) for name in LABELLED if (data / name).is_dir()}
    overall = [_field_row(name, found) for name, found in scores.items()]
    labels = [row for name, found in scores.items() for row in _label_rows(name, found)]
    left_out = [{"image": name, **found.n_left_out} for name, found in scores.items()]
    return [
        "## Labelled images\n\nAny defect against every scored perfect site, default settings.\n",
        markdown(overall),
        "### Label by label\n",
        markdown(labels),
        "### Not scored\n",
        markdown(left_out),
    ]


def _field_row(name: str, scores: Scores) -> dict[str, Any]:
    _, _, roc_target, f1_target = LABELLED[name]
    area, found = scores.roc[ANY_DEFECT], scores.detection
    return {
        "image": name,
        "defects / perfect": f"{area.n_positive} / {area.n_negative}",
        "area under ROC": interval(area, 5),
        "target": _target(roc_target),
        "F1": interval(found.f1, 3),
        "target of F1": _target(f1_target),
        "precision": interval(found.precision, 3),
        "recall": interval(found.recall, 3),
        "right kind": interval(scores.kind_accuracy, 3),
        "position error, median [px]": interval(scores.localisation.median, 2),
    }


def _label_rows(name: str, scores: Scores) -> list[dict[str, Any]]:
    rows = []
    for label, area in scores.roc.items():
        if label != ANY_DEFECT:
            kinds = {k: n for k, n in scores.confusion.loc[label].items() if n}
            told = ", ".join(f"{n} {k}" if k != "none" else f"{n} not flagged" for k, n in kinds.items())
            missed = kinds.get("none", 0)
            recall = proportion(area.n_positive - missed, area.n_positive)
            row = {"n": area.n_positive, "area under ROC": interval(area, 5), "recall": interval(recall, 3)}
            rows.append({"image": name, "label": label} | row | {"kind given": told})
    return rows


def empty_table(data: Path) -> list[str]:
    """Flags on real images in which nothing is to be found."""
    rows = []
    for name, allowed in EMPTY.items():
        if (data / name).is_file():
            n = count_flags(read_image(data / name))
            target = "no lattice" if allowed is None else f"≤ {allowed}"
            rows.append({"image": name, "flags": "no lattice" if n is None else n, "target": target})
    return ["## Real images without a defect, or without a crystal\n", markdown(rows)]


def null_table(n: int) -> list[str]:
    """How often nothing is flagged where nothing is to be found."""
    rows = []
    for name, (make, answer, is_right) in NULLS.items():
        seeds = range(FIRST_SEED, FIRST_SEED + n)
        flags = [count_flags(make(seed)) for seed in seeds]
        right = proportion(sum(is_right(k) for k in flags), n)
        rows.append(
            {
                "images": name,
                "n": n,
                "seeds": f"{seeds[0]} to {seeds[-1]}",
                "right answer": answer,
                "given": interval(right, 2),
                "target": "1" if answer == "no lattice" else "≥ 0.95",
                "no lattice": sum(k is None for k in flags),
                "flags in all": sum(k or 0 for k in flags),
                "seeds with flags": " ".join(str(seed) for seed, k in zip(seeds, flags, strict=True) if k)
                or "none",
            }
        )
    return ["## Simulated images in which nothing is to be found\n", markdown(rows)]


def planted_table(n: int) -> list[str]:
    """Defects planted in simulated crystals, all images of one crystal together."""
    counts: dict[str, list[int]] = {name: [0, 0, 0, 0] for name in SKETCHES}
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        image, truth = random_crystal(seed, vacancies=0.01, partial_vacancies=0.01, dim_sites=0.01)
        tally = counts[truth.crystal]
        # the truth is exact: whatever is flagged and is not one of the defects is false, wherever it lies
        labels = truth.defects.assign(label=truth.defects["kind"], path="", scored=True)
        try:
            found = score_image(image, labels).detection
            now = (found.tp, found.fp, found.fn, 0)
        except NoLatticeError:
            now = (0, 0, len(truth.defects), 1)  # all are missed, those near the frame too
        counts[truth.crystal] = [k + m for k, m in zip(tally, now, strict=True)]
    rows = [
        {
            "crystal": name,
            "found": tp,
            "false discovery rate": interval(proportion(fp, tp + fp), 3),
            "recall": interval(proportion(tp, tp + fn), 3),
            "images without a lattice": refused,
        }
        for name, (tp, fp, fn, refused) in counts.items()
    ]
    shares = "1 % of columns empty, 1 % of pairs without one atom, 1 % of the others at 0.4 brightness"
    return [f"## Planted defects\n\nSeeds {FIRST_SEED} to {FIRST_SEED + n - 1}: {shares}.\n", markdown(rows)]


def _target(value: float) -> str:
    return "–" if math.isnan(value) else f"≥ {value:g}"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--nulls", type=int, default=200, help="images of each simulated kind")
    parser.add_argument("--planted", type=int, default=90, help="simulated images with planted defects")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    data = Path(os.environ.get("ANTISITE_DATA", "no-data"))
    usual = all(getattr(given, name) == parser.get_default(name) for name in ("nulls", "planted"))
    options = "" if usual else " (another number of simulated images than usual)"
    parts = [
        "# What the main job finds, misses and invents\n",
        f"Made by `{COMMAND}`{options}. In brackets: 95 % intervals. Scored by the rule of",
        "`antisite.evaluate.scored_sites`; the search itself runs with seed 0.\n",
        *field_tables(data),
        *empty_table(data),
        *null_table(given.nulls),
        *planted_table(given.planted),
    ]
    given.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
