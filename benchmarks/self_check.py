"""Whether the self-check tells the truth: writes `self_check.md` beside this file.

    ANTISITE_DATA=folder/of/real/images python benchmarks/self_check.py

Real images are those of ANTISITE_DATA (their rows are left out without it). Simulated scenes have the
seeds 50000, 50001, …; the same command gives the same table.
"""

from __future__ import annotations

import argparse
import math
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markdown_tables import markdown
from scipy.spatial import cKDTree

from antisite.crystal.perfect_crystal import PerfectCrystal
from antisite.detect.point_defects import PointDefectFinder
from antisite.detect.site_scores import SiteScores
from antisite.errors import NoLatticeError
from antisite.evaluate.planted_defects import DefectPlanter, draw_plants
from antisite.evaluate.scores import proportion
from antisite.image import Image
from antisite.io.images import read_image
from antisite.run.crystal_search import Specimen, find_specimen
from antisite.run.pipeline import analysed_window
from antisite.run.self_check import BRIGHT, DARK, check_detection
from antisite.run.settings import Settings
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES, find_sketch
from antisite.simulate.sketch.image import sketch_image

FIRST_SEED = 50_000
OUT = Path(__file__).with_name("self_check.md")
COMMAND = "ANTISITE_DATA=folder/of/real/images python benchmarks/self_check.py"
SHARE = 0.02  # of columns and of hollows that are defects
BLUR = 0.3  # Å
N_DEFECTS = 300  # true defects that a scene's real recall rests on, at least
# the labelled and the perfect images, then those that nobody has labelled or that hold several crystals
REAL = {
    "wse2_ti_25/ADF1.dm4": "wse2_ti_25/ADF2.dm4",
    "wse2_cr_9/ADF2.npy": "",
    "wse2_v_7795/ADF.tif": "",
    "perfect/srtio3.ser": "",
    "perfect/batio3.dm4": "",
}
OTHERS = (
    "cdte_lower_half/HAADF.tif",
    "fe_grain_boundary/HAADF.npy",
    "au_grain_boundary/HAADF.png",
    "unlabelled/mos2_contaminated.npy",
    "unlabelled/mos2_se_implanted.dm3",
)
N_ROUNDS = 6
_SETTINGS = Settings()
FINDER = PointDefectFinder(fdr=_SETTINGS.fdr, min_dark=_SETTINGS.min_dark, min_bright=_SETTINGS.min_bright)


def planted_table(data: Path) -> list[str]:
    """Defects of one strength planted into real images, the same search run again."""
    rows: list[dict[str, Any]] = []
    sums: dict[tuple[float, str], np.ndarray] = {}
    for name in (*REAL, *OTHERS):
        if not (data / name).exists():
            continue
        also = REAL.get(name)
        image = read_image(data / name, also=data / also if also else None)
        window = analysed_window(image)
        specimen = find_specimen(image.channels[:, *window], image.mask[window])
        spacing = min(specimen.crystal.lattice.lengths)
        row = {"image": name, "px per spacing": f"{spacing:.1f}"}
        for change in (-0.5, -0.3):
            counts, best = plant_and_count(specimen, change)
            row |= _columns(change, counts, best)
            groups = ["all ten"] if name in OTHERS else ["all ten", "labelled and perfect"]
            groups += [f"{group}, ≥ 10 px per spacing" for group in groups] if spacing >= 10 else []
            for group in groups:
                sums[change, group] = sums.get((change, group), np.zeros(3, dtype=int)) + counts
        rows.append(row)
    pooled = [
        {"images": group, "change": f"{change:+.0%}", **_columns(change, counts, None, plain=True)}
        for (change, group), counts in sorted(sums.items())
    ]
    return [
        "## Planted into real images\n\n"
        f"4 % of the columns that look perfect, all of one strength, {N_ROUNDS} rounds; judged at default "
        "settings, each round as an image of its own. False: flagged, not planted and not flagged before. "
        "Within reach: recall at the score that lets just 5 % of the discoveries be false, whatever their "
        "ratio, with the planted sites known.\n",
        markdown(rows),
        "### Pooled\n",
        markdown(pooled),
    ]


def _columns(change: float, counts: np.ndarray, best: float | None, *, plain: bool = False) -> dict[str, str]:
    found, false, n = (int(c) for c in counts)
    recall, share = proportion(found, n), proportion(false, found + false)
    tag = "" if plain else f" at {change:+.0%}"
    told = {
        f"recall{tag}": f"{recall.value:.3f} ({recall.low:.3f} to {recall.high:.3f})",
        f"false{tag}": f"{share.value:.4f} ({share.low:.4f} to {share.high:.4f})",
    }
    return told if best is None else told | {f"within reach{tag}": f"{best:.3f}"}


def plant_and_count(specimen: Specimen, change: float) -> tuple[np.ndarray, float]:
    """Found, false and planted defects of all rounds, and the recall that a known answer would allow."""
    crystal = specimen.crystal
    before = FINDER(specimen.channels, crystal)
    perfect = np.isfinite(before.z) & ~before.flagged
    planter = DefectPlanter(specimen.channels, crystal, perfect)
    counts, scores, truths = np.zeros(3, dtype=int), [], []
    for rng in np.random.default_rng(0).spawn(N_ROUNDS):
        plants = draw_plants(
            crystal, perfect & ~crystal.hollow, dark=[change], bright=[], share=0.04, rng=rng
        )
        after = FINDER(planter(plants), crystal)
        planted = np.zeros(len(perfect), dtype=bool)
        planted[plants.sites] = True
        new = after.flagged & perfect
        counts += [(new & planted).sum(), (new & ~planted).sum(), len(plants.sites)]
        own = perfect & ~crystal.hollow
        scores.append(-after.z[own])
        truths.append(planted[own])
    return counts, _recall_within_reach(np.concatenate(scores), np.concatenate(truths))


def _recall_within_reach(score: np.ndarray, true: np.ndarray) -> float:
    hits = true[np.argsort(-score)]
    found = np.cumsum(hits)
    honest = np.flatnonzero(1 - found / np.arange(1, len(hits) + 1) <= FINDER.fdr)
    return float(found[honest[-1]] / true.sum()) if len(honest) else 0.0


def scene(seed: int, replicate: int) -> tuple[Image, np.ndarray, np.ndarray]:
    """A crystal with changed columns: the image, where they are (n, 2) px, and by how much (n,)."""
    rng = np.random.default_rng(seed)
    name = list(SKETCHES)[seed % len(SKETCHES)]
    options = {
        "shape": (384, 384),
        "pixel_size": rng.uniform(0.1, 0.25),
        "rotation": rng.uniform(0, math.pi),
        "blur": BLUR,
        "drift": rng.uniform(0, 2),
        "contamination": rng.uniform(0, 0.1),
        "rng": [seed, replicate],
    }
    dose = 10 ** rng.uniform(3.5, 5.5)
    image, _ = sketch_image(name, **options)
    _, truth = sketch_image(name, **options, interstitials=1.0)
    rng = np.random.default_rng([seed, replicate, 1])
    sites = truth.sites.sample(frac=SHARE, random_state=rng).reset_index(drop=True)
    added = (sites["kind"] == "interstitial").to_numpy()
    change = np.where(added, rng.choice(BRIGHT, len(sites)), rng.choice(DARK + BRIGHT, len(sites)))
    crystal = find_sketch(name)
    sigma = math.hypot(crystal.width, BLUR)
    height = np.where(added, np.mean(crystal.brightness), sites["brightness"])
    places = sites[["y", "x"]].to_numpy()
    pixels = image.pixels + draw_columns(
        places,
        change * height * (crystal.width / sigma) ** 2,
        shape=image.shape,
        sigma=sigma / options["pixel_size"],
    )
    pixels = add_dose_noise(pixels, dose=dose, pixel_size=options["pixel_size"], rng=rng)
    return Image(pixels.astype(np.float32)), places, change


def judge_scene(seed: int) -> dict[str, float]:
    """What the self-check of one replicate promises, and what many replicates keep."""
    hits, promised, changes, n_false = [], [], [], 0
    check, rate = None, FINDER.fdr
    for replicate in range(100):
        image, places, change = scene(seed, replicate)
        specimen = find_specimen(image.channels, image.mask)
        crystal = specimen.crystal
        evidence = FINDER.measure(specimen.channels, crystal)
        if check is None:
            check = check_detection(specimen, FINDER, [evidence])
            names = [s.name for s in crystal.sublattices]
            curves = {(names[k], side): curve for (k, side), curve in check.curves[0].items()}
            rate = check.told["fdr_used"]
        scores = FINDER.at_rate(rate).decide(evidence, crystal)
        found, owner, true = _match(crystal, scores, places)
        n_false += int((scores.flagged & ~true).sum())
        hits.append(scores.flagged[found])
        changes.append(change[owner])
        names = [s.name for s in crystal.sublattices]
        for site, c in zip(found, change[owner], strict=True):
            curve = curves.get((names[crystal.sites.sublattice[site]], "dark" if c < 0 else "bright"))
            promised.append(curve(abs(c)).value if curve else math.nan)
        if sum(map(len, hits)) >= N_DEFECTS:
            break
    hit, change, promise = np.concatenate(hits), np.concatenate(changes), np.array(promised)
    known = np.isfinite(promise)
    realised = check.told["realised"]
    return {
        "seed": seed,
        "n": int(known.sum()),
        "predicted": float(promise[known].mean()),
        "real": float(hit[known].mean()),
        **{
            f"{part} {side}": float(values[known & (sign * change > 0)].mean())
            for side, sign in (("dark", -1), ("bright", 1))
            for part, values in (("predicted", promise), ("real", hit))
        },
        "real false": n_false / max(n_false + int(hit.sum()), 1),
        "false": realised["rate"] or 0.0,
        "low": realised["low"],
        "high": realised["high"],
        "rate": rate,
    }


def _match(
    crystal: PerfectCrystal, scores: SiteScores, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tested sites that hold a true defect, which it is, and a mark on every site that holds one."""
    distance, site = cKDTree(crystal.sites.positions).query(places)
    near = distance < crystal.nearest / 3
    true = np.zeros(len(crystal.sites), dtype=bool)
    true[site[near]] = True
    owner = np.flatnonzero(near & np.isfinite(scores.z[site]))
    return site[owner], owner, true


def _attempt(seed: int) -> dict[str, float] | None:
    try:
        return judge_scene(seed)
    except NoLatticeError:
        return None


def scenes_table(n: int, *, workers: int) -> list[str]:
    """How many scenes kept the promise, and the scenes that kept it least."""
    rows, refused = [], 0
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(_attempt, range(FIRST_SEED, FIRST_SEED + n + n // 20)):
            refused += row is None and len(rows) < n
            rows += [row] if row and len(rows) < n else []
    table = pd.DataFrame(rows)
    error = (table["predicted"] - table["real"]).abs()
    inside = (table["real false"] >= table["low"]) & (table["real false"] <= table["high"])
    kept, held = proportion(int((error <= 0.05).sum()), n), proportion(int(inside.sum()), n)
    summary = [
        {
            "promise": "recall within 0.05 of the real one",
            "kept": f"{(error <= 0.05).sum()} of {n} ({kept.low:.2f} to {kept.high:.2f})",
            "target": "≥ 90 of 100",
        },
        {
            "promise": "real false-discovery rate within the interval",
            "kept": f"{inside.sum()} of {n} ({held.low:.2f} to {held.high:.2f}); "
            f"{(table['real false'] < table['low']).sum()} below it",
            "target": "≥ 90 of 100",
        },
    ]
    sides = [
        _side_row(side, table[f"predicted {side}"], table[f"real {side}"]) for side in ("dark", "bright")
    ]
    worst = table.loc[error.sort_values(ascending=False).index[:8]]
    return [
        f"## {n} simulated scenes of known truth\n\n"
        f"Crystals of the library in turn, 384² px, 0.1 to 0.25 Å/px, 10^3.5 to 10^5.5 e/Å², drift, "
        f"contamination; {SHARE:.0%} of columns and hollows changed at random places by the self-check's own "
        f"strengths. Predicted by the self-check of the first replicate; real over replicates with new noise "
        f"and places until {N_DEFECTS} defects are counted. {refused} further scenes held no lattice that "
        "could be told from chance.\n",
        markdown(summary),
        "### By side\n",
        markdown(sides),
        "### The largest differences\n",
        markdown(
            [
                {
                    "seed": int(r["seed"]),
                    "defects": int(r["n"]),
                    "predicted": f"{r['predicted']:.3f}",
                    "real": f"{r['real']:.3f}",
                    "false predicted": f"{r['false']:.4f} ({r['low']:.4f} to {r['high']:.4f})",
                    "false real": f"{r['real false']:.4f}",
                }
                for _, r in worst.iterrows()
            ]
        ),
    ]


def _side_row(side: str, predicted: pd.Series, real: pd.Series) -> dict[str, str]:
    return {
        "side": side,
        "mean predicted": f"{predicted.mean():.3f}",
        "mean real": f"{real.mean():.3f}",
        "rms difference": f"{np.sqrt(((predicted - real) ** 2).mean()):.3f}",
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    data = Path(os.environ.get("ANTISITE_DATA", ""))
    parts = [
        f"# Whether the self-check tells the truth\n\nMade by `{COMMAND}`. In brackets: 95 % intervals.\n"
    ]
    if os.environ.get("ANTISITE_DATA"):
        parts += planted_table(data)
    parts += scenes_table(options.scenes, workers=options.workers)
    options.out.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
