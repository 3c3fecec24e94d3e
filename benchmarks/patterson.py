"""How each variant of the Patterson method compares with `deviation`: writes `patterson.md` beside this file.

    ANTISITE_DATA=folder/of/real/images python benchmarks/patterson.py

Real images are the labelled WSe2 fields of ANTISITE_DATA (their rows are left out without it).
Everything else is simulated from seeds 20000, 20001, …, on which no constant was set; the same command gives
the same table.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markdown_tables import interval, markdown
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.svm import OneClassSVM

from antisite.crystal.contrast import Floats
from antisite.crystal.patterson import patterson, sample_segments, semantic_image
from antisite.crystal.perfect_crystal import PerfectCrystal
from antisite.detect.column_light import measure_light
from antisite.detect.columns_seen import columns_seen
from antisite.detect.local_reference import comparable_sites, local_references
from antisite.detect.patterson_defects import PattersonFinder
from antisite.detect.point_defects import PointDefectFinder
from antisite.errors import NoLatticeError
from antisite.evaluate.scores import ANY_DEFECT, Scores, evaluate_result, proportion
from antisite.image import Image
from antisite.io.annotations import read_annotations
from antisite.io.images import read_image
from antisite.run.crystal_search import Specimen, find_specimen
from antisite.run.pipeline import analysed_window
from antisite.simulate.crystals.crystal import Column, Crystal
from antisite.simulate.recording.dose_noise import add_dose_noise
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import SKETCHES, find_sketch
from antisite.simulate.sketch.image import sketch_image

FIRST_SEED = 20_000
OUT = Path(__file__).with_name("patterson.md")
COMMAND = "ANTISITE_DATA=folder/of/real/images python benchmarks/patterson.py"
FIELDS = {
    "wse2_ti_25": ("ADF1.dm4", "ADF2.dm4"),
    "wse2_cr_9": ("ADF2.npy", ""),
    "wse2_v_7795": ("ADF.tif", ""),
}
NU = 0.05  # of the published style: the share of segments that are called
TARGET = {"field": 0.97, "displaced": 0.98}
# 2H MoWTe2 seen along c: in every column a metal atom of one sheet and two Te atoms of the other
BILAYER = Crystal(
    name="2H bilayer",
    a=(0.0, 3.52),
    b=(3.52 * math.sqrt(3) / 2, -3.52 / 2),
    columns=(
        Column(fraction=(1 / 3, 2 / 3), brightness=1.0, species="W"),
        Column(fraction=(2 / 3, 1 / 3), brightness=1.0, species="W"),
    ),
)
MO_COLUMN = 0.75  # brightness of a column with Mo in place of W


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """An image, its crystal and what is true of it."""

    image: Image
    truth: pd.DataFrame
    specimen: Specimen
    corner: NDArray[np.int_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Score of every site, and whether it is flagged."""

    score: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    missing: NDArray[np.bool_]


Method = Callable[[Specimen], Found]


def finder_method(finder: PointDefectFinder | PattersonFinder) -> Method:
    def find(specimen: Specimen) -> Found:
        scores = finder(specimen.channels, specimen.crystal)
        with np.errstate(invalid="ignore"):
            missing = scores.flagged & (scores.mean_ratio < 0.15)
        return Found(score=scores.score, flagged=scores.flagged, missing=missing)

    return find


def published_style(view: str, *, one_model_for: str) -> Method:
    """As far as it can be read: square cuts of a cell, one machine for all, nothing local, ν called.

    Parameters
    ----------
    view : `raw` or `semantic`.
    one_model_for : `cells`, a cut around the first column of every cell, its score that of all sites of the
        cell; or `sites`, a cut around every site.
    """

    def find(specimen: Specimen) -> Found:
        crystal, shape = specimen.crystal, specimen.channels[0].shape
        tested = comparable_sites(crystal, shape)
        centres = tested & (crystal.sites.sublattice == 0) if one_model_for == "cells" else tested
        width = crystal.lattice.size / 4  # samples reach 2.2 widths from the middle: a cell and a tenth
        lags = []
        for pixels in [semantic(specimen)] if view == "semantic" else specimen.channels:
            cut = sample_segments(pixels, crystal.sites.positions[centres], width=width)
            lags.append(patterson(cut)[:, ::2, ::2].reshape(len(cut), -1))
        x = np.concatenate(lags, axis=1)
        x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)
        decision = OneClassSVM(nu=NU, gamma=0.25 / x.shape[1]).fit(x).decision_function(x)
        value = np.full(len(tested), np.nan)
        value[centres] = decision
        if one_model_for == "cells":
            table = pd.Series(decision, index=pd.MultiIndex.from_arrays(crystal.sites.cells[centres].T))
            value = table.reindex(pd.MultiIndex.from_arrays(crystal.sites.cells.T)).to_numpy()
            value = np.where(tested, value, np.nan)
        flagged = (np.nan_to_num(value, nan=1.0) < 0) & ~crystal.hollow
        return Found(score=np.nanmax(value) - value, flagged=flagged, missing=np.zeros_like(flagged))

    return find


def semantic(specimen: Specimen) -> Floats:
    """The same semantic image that the finder makes."""
    crystal, shape = specimen.crystal, specimen.channels[0].shape
    references = local_references(crystal, comparable_sites(crystal, shape), neighbours=30)
    light = [measure_light(pixels, crystal, c, references) for c, pixels in enumerate(specimen.channels)]
    ratio, followed = (np.mean([getattr(one, f) for one in light], axis=0) for f in ("ratio", "followed"))
    seen = columns_seen(specimen.channels, crystal, ratio=ratio, followed=followed)
    return semantic_image(seen, shape=shape, width=max(0.2 * crystal.nearest, 1.0))


def _patterson_method(view: Any, model: Any, *, attribute: bool = True) -> Method:
    return finder_method(
        PattersonFinder(fdr=0.05, min_dark=0.25, min_bright=0.3, input=view, model=model, attribute=attribute)
    )


METHODS: dict[str, Method] = {
    "deviation": finder_method(PointDefectFinder(fdr=0.05, min_dark=0.25, min_bright=0.3)),
    "raw, mahalanobis": _patterson_method("raw", "mahalanobis"),
    "raw, one-class-svm": _patterson_method("raw", "one-class-svm"),
    "semantic, mahalanobis": _patterson_method("semantic", "mahalanobis"),
    "semantic, one-class-svm": _patterson_method("semantic", "one-class-svm"),
    "raw, mahalanobis, clouds as they are": _patterson_method("raw", "mahalanobis", attribute=False),
    "semantic, mahalanobis, clouds as they are": _patterson_method(
        "semantic", "mahalanobis", attribute=False
    ),
    "published style, raw, a cut per cell": published_style("raw", one_model_for="cells"),
    "published style, raw, a cut per site": published_style("raw", one_model_for="sites"),
    "published style, semantic, a cut per cell": published_style("semantic", one_model_for="cells"),
    "published style, semantic, a cut per site": published_style("semantic", one_model_for="sites"),
}


def score_scene(scene: Scene, method: Method) -> Scores:
    """One method on one image, against its truth."""
    crystal: PerfectCrystal = scene.specimen.crystal
    found = method(scene.specimen)
    # nothing stands at an empty site: its position is where the lattice wants it
    offset = np.where((crystal.hollow | found.missing)[:, None], np.nan, crystal.offsets)
    place = crystal.sites.positions + scene.corner + np.nan_to_num(offset)
    table = pd.DataFrame(
        {
            "kind": np.where(found.flagged, "other", "none"),
            "y": place[:, 0],
            "x": place[:, 1],
            "dy": offset[:, 0],
            "dx": offset[:, 1],
            "sublattice": np.array([s.name for s in crystal.sublattices])[crystal.sites.sublattice],
            "score": found.score,
            "path": "",
        }
    )
    return evaluate_result(
        table,
        table[found.flagged],
        scene.truth,
        nn=crystal.nearest,
        a=crystal.lattice.size,
        shape=scene.image.shape,
    )


def make_scene(image: Image, truth: pd.DataFrame) -> Scene:
    window = analysed_window(image)
    specimen = find_specimen(image.channels[:, *window], image.mask[window])
    corner = np.array([window[0].start or 0, window[1].start or 0])
    return Scene(image=image, truth=truth, specimen=specimen, corner=corner)


def displaced_columns(
    crystal: str | Crystal,
    seed: int,
    *,
    side: int,
    share: float = 0.03,
    molybdenum: float = 0.0,
    pixel_size: float = 0.15,
    dose: float = 1e4,
    jitter: float = 0.3,
) -> tuple[Image, pd.DataFrame]:
    """Columns displaced by 15 to 25 % of the nearest distance, as bright as the others.

    Parameters
    ----------
    side : px
    share : of the columns, displaced.
    molybdenum : share of the columns that hold Mo in place of W, which is no defect here.
    dose : e/Å²
    jitter : px, standard deviation of each row's shift along x.
    """
    rng = np.random.default_rng(seed)
    found, margin = find_sketch(crystal), 40
    sites = sketch_image(
        found,
        shape=(side + 2 * margin, side + 2 * margin),
        pixel_size=pixel_size,
        rotation=rng.uniform(0, math.pi),
        rng=rng,
    )[1].sites
    place = sites[["y", "x"]].to_numpy() - margin
    nearest = cKDTree(place).query(place, k=2)[0][:, 1].min()
    moved = rng.random(len(place)) < share
    angle, length = rng.uniform(0, 2 * math.pi, len(place)), rng.uniform(0.15, 0.25, len(place)) * nearest
    place += np.where(moved, length, 0)[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    sigma = math.hypot(found.width, 0.3)
    peaks = sites["brightness"].to_numpy() * (found.width / sigma) ** 2
    peaks = peaks * np.where(rng.random(len(place)) < molybdenum, MO_COLUMN, 1.0)
    shift = rng.normal(0, jitter, side)
    pixels = draw_columns(place, peaks, shape=(side, side), sigma=sigma / pixel_size, row_shift=shift)
    pixels = add_dose_noise(pixels, dose=dose, pixel_size=pixel_size, rng=rng)
    inside = moved & ((place >= 0) & (place <= side - 1)).all(axis=1)
    truth = pd.DataFrame(
        {"y": place[inside, 0], "x": place[inside, 1], "kind": "other", "label": "displaced"}
    )
    image = Image(pixels.astype(np.float32), pixel_size=pixel_size, name=f"{found.name}_{seed}")
    return image, truth.assign(path="", scored=True)


def planted_defects(seed: int) -> tuple[Image, pd.DataFrame]:
    """Vacancies and dim columns in each crystal of the library in its turn."""
    rng = np.random.default_rng(seed)
    image, truth = sketch_image(
        list(SKETCHES)[seed % len(SKETCHES)],
        shape=(384, 384),
        pixel_size=rng.uniform(0.12, 0.28),
        rotation=rng.uniform(0, math.pi),
        dose=10 ** rng.uniform(3.5, 5),
        drift=rng.uniform(0, 2),
        jitter=0.3,
        contamination=rng.uniform(0, 0.1),
        vacancies=0.01,
        partial_vacancies=0.01,
        dim_sites=0.01,
        rng=rng,
    )
    return image, truth.defects.assign(label=truth.defects["kind"], path="", scored=True)


SIMULATED: dict[str, Callable[[int], tuple[Image, pd.DataFrame]]] = {
    "monoclinic, 5 columns a cell, displaced": lambda seed: displaced_columns("monoclinic", seed, side=768),
    "2H bilayer, displaced": lambda seed: displaced_columns(BILAYER, seed, side=512),
    "2H bilayer, half Mo half W, displaced": lambda seed: displaced_columns(
        BILAYER, seed, side=512, molybdenum=0.5
    ),
    "all crystals in turn, vacancies and dim columns": planted_defects,
}


def field_tables(data: Path) -> list[str]:
    """One table for each labelled image."""
    parts = ["## Labelled images\n\nAny defect against every scored perfect site.\n"]
    for name, (first, second) in FIELDS.items():
        if (data / name).is_dir():
            image = read_image(data / name / first, also=data / name / second if second else None)
            scene = make_scene(image, read_annotations(data / name / "labels.json"))
            rows = [_field_row(label, score_scene(scene, method)) for label, method in METHODS.items()]
            parts.append(f"### {name}\n\n{markdown(rows)}")
    return parts


def _field_row(label: str, scores: Scores) -> dict[str, Any]:
    found = scores.detection
    return {
        "method": label,
        "area under ROC": interval(scores.roc[ANY_DEFECT], 4),
        "target": f"≥ {TARGET['field']:g}" if label.endswith(", mahalanobis") else "–",
        "F1": interval(found.f1, 3),
        "precision": interval(found.precision, 3),
        "recall": interval(found.recall, 3),
    }


def simulated_tables(n: int) -> list[str]:
    """One table for each kind of simulated image."""
    parts = [
        "## Simulated images\n\nDisplaced: 3 % of the columns by 15 to 25 % of the nearest distance in any "
        "direction, no column dimmed; 1e4 e/Å², 0.15 Å/px, rows jittered by 0.3 px. Area under ROC: mean "
        "over the images, and the least.\n"
    ]
    for name, make in SIMULATED.items():
        results: dict[str, list[Scores]] = {label: [] for label in METHODS}
        refused = 0
        for seed in range(FIRST_SEED, FIRST_SEED + n):
            try:
                scene = make_scene(*make(seed))
            except NoLatticeError:
                refused += 1
                continue
            for label, method in METHODS.items():
                results[label].append(score_scene(scene, method))
        rows = [_simulated_row(name, label, scores) for label, scores in results.items()]
        seeds = f"Seeds {FIRST_SEED} to {FIRST_SEED + n - 1}, {refused} without a lattice."
        parts.append(f"### {name}\n\n{seeds}\n\n{markdown(rows)}")
    return parts


def _simulated_row(name: str, label: str, scores: list[Scores]) -> dict[str, Any]:
    areas = [s.roc[ANY_DEFECT].value for s in scores]
    tp, fp, fn = (sum(getattr(s.detection, f) for s in scores) for f in ("tp", "fp", "fn"))
    aimed = "displaced" in name and label == "semantic, mahalanobis"
    return {
        "method": label,
        "area under ROC": f"{np.nanmean(areas):.4f}",
        "least": f"{np.nanmin(areas):.3f}",
        "target": f"≥ {TARGET['displaced']:g}" if aimed else "–",
        "found": tp,
        "precision": interval(proportion(tp, tp + fp), 3),
        "recall": interval(proportion(tp, tp + fn), 3),
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=9, help="of each simulated kind")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    parts = [
        "# The Patterson method against `deviation`\n",
        f"Made by `{COMMAND}`. In brackets: 95 % intervals. Scored by the rule of",
        "`antisite.evaluate.scored_sites`, default settings, search with seed 0. What the variants are",
        "is told in [docs/patterson.md](../docs/patterson.md).\n",
        *field_tables(Path(os.environ.get("ANTISITE_DATA", "no-data"))),
        *simulated_tables(given.images),
    ]
    given.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
