"""How near fitted conditions come to the truth, and how alike twins are: writes `fit_conditions.md`.

    ANTISITE_DATA=folder/of/real/images python benchmarks/fit_conditions.py --cache FOLDER
    python benchmarks/fit_conditions.py --known --cache FOLDER

Each makes its own tables anew and leaves the others as they are. The first also draws `docs/twin_*.jpg`, of
the two specimens whose images may be shown. FOLDER keeps the columns' tables.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from markdown_tables import markdown
from PIL import Image as Picture
from scipy.ndimage import gaussian_filter
from scipy.spatial import Delaunay, cKDTree

from antisite import read_image
from antisite.conditions import Detector
from antisite.image import Image, combine
from antisite.plot.twins import twins_png
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.fit_conditions.fit import fit_conditions
from antisite.simulate.fit_conditions.fitted_conditions import FittedConditions
from antisite.simulate.fit_conditions.twin import twin
from antisite.simulate.fit_conditions.two_sample import tell_apart
from antisite.simulate.image import simulate_image
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Contamination, Readout, Recording, Scan
from antisite.simulate.scattering.optics import Optics

OUT = Path(__file__).with_name("fit_conditions.md")
DOCS = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A real image, what it shows, and the angles that are assumed (the files do not hold them)."""

    files: tuple[str, ...]
    specimen: str
    angles: tuple[tuple[float, float], ...]
    defects: PointDefects = field(default_factory=PointDefects)
    energy: float = 80e3
    shown: bool = False

    def optics(self, factor: float = 1.0) -> Optics:
        """The beam; `factor` changes the inner angles."""
        rings = tuple(Detector(inner=max(factor * inner, 31), outer=outer) for inner, outer in self.angles)
        return Optics(beam_energy=self.energy, convergence=30, detectors=rings)


# Shares of defects as the files' authors labelled them.
CASES = {
    "wse2_ti_25": Case(
        files=("ADF1.dm4", "ADF2.dm4"),
        specimen="WSe2",
        angles=((70, 200), (40, 120)),
        defects=PointDefects(vacancies={"Se": 104 / 3913}, substitutions={"Ti": 1 / 3908}),
        shown=True,
    ),
    "wse2_cr_9": Case(
        files=("ADF2.npy",),
        specimen="WSe2",
        angles=((40, 120),),
        defects=PointDefects(vacancies={"Se": 93 / 1739}, substitutions={"Cr": 22 / 1739}),
        shown=True,
    ),
    "wse2_v_7795": Case(
        files=("ADF.tif",),
        specimen="WSe2",
        angles=((60, 200),),
        defects=PointDefects(
            vacancies={"Se": 57 / 966}, column_vacancies={"Se": 10 / 966}, substitutions={"V": 59 / 966}
        ),
    ),
    "cdte_lower_half": Case(files=("HAADF.tif",), specimen="CdTe_110", angles=((70, 200),), energy=200e3),
}
KINDS = {"W": 0, "Ti_on_W": 0, "Cr_on_W": 0, "Se2": 1, "Se_vacancy": 1}


def load(name: str, data: Path) -> Image:
    """All detectors of one scan."""
    return combine([read_image(data / name / file) for file in CASES[name].files])


def labelled_columns(name: str, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) px and kinds (n,) of the columns, where nearly all are labelled; none otherwise."""
    objects = json.loads((data / name / "labels.json").read_text())["objects"]
    known = [(o["y"], o["x"], KINDS[o["label"]]) for o in objects if o.get("label") in KINDS]
    if len({kind for *_, kind in known}) < 2 or len(known) < 500:
        known = []
    table = np.array(known, float).reshape(-1, 3)
    return table[:, :2], table[:, 2].astype(int)


def agreement(fitted: FittedConditions, name: str, data: Path) -> str:
    """Share of the labelled columns [%] that the fitted crystal takes for the same element."""
    places, kinds = labelled_columns(name, data)
    if not len(places):
        return "–"
    reach = 2 * max(fitted.shape)
    n = int(reach / np.sqrt(abs(np.linalg.det(fitted.cell))))
    cells = np.stack(np.meshgrid(np.arange(-n, n), np.arange(-n, n), indexing="ij"), axis=-1).reshape(
        -1, 1, 2
    )
    sites = (cells + fitted.crystal.fractions).reshape(-1, 2) @ fitted.cell + fitted.corner
    _, nearest = cKDTree(sites).query(places)
    return f"{100 * np.mean(nearest % 2 == kinds):.1f}"


def cell_area(name: str, image: Image, data: Path) -> tuple[float, str]:
    """Area of the cell [px²] measured without the fit, and on what.

    Triangles between labelled columns of one kind, or the image's two strongest spots in Fourier space.
    """
    places, kinds = labelled_columns(name, data)
    if len(places):
        areas = []
        for kind in (0, 1):
            own = places[kinds == kind]
            corners = own[Delaunay(own).simplices]
            areas.append(np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])))
        all_areas = np.concatenate(areas)
        regular = np.abs(all_areas / np.median(all_areas) - 1) < 0.4  # not at the rim or a gap
        return float(all_areas[regular].mean()), "columns"
    values = image.channels[0].astype(float)
    values -= gaussian_filter(values, max(values.shape) / 24)
    window = np.hanning(values.shape[0])[:, None] * np.hanning(values.shape[1])
    shape = tuple(4 * n for n in values.shape)
    power = np.log(np.abs(np.fft.fft2(values * window, shape)) ** 2 + 1e-30)
    spots: list[np.ndarray] = []
    for y, x in zip(*np.unravel_index(np.argsort(power.ravel())[::-1], shape), strict=True):
        around = power.take(range(y - 1, y + 2), 0, mode="wrap").take(range(x - 1, x + 2), 1, mode="wrap")
        spot = np.array([np.fft.fftfreq(shape[0])[y], np.fft.fftfreq(shape[1])[x]])
        for axis, (low, middle, high) in enumerate((around[:, 1], around[1])):
            spot[axis] += (low - high) / (2 * (low - 2 * middle + high)) / shape[axis]
        if not spots:
            spots.append(spot)
        elif abs(np.linalg.det([spots[0], spot])) > 0.3 * (spots[0] @ spots[0]):
            return float(1 / abs(np.linalg.det([spots[0], spot]))), "spots"
    raise ValueError(f"{name} has no two spots")


def rows_of(name: str, fitted: FittedConditions, right: str, area: tuple[float, str]) -> list[dict[str, Any]]:
    """What was fitted, one row per detector."""
    rows = []
    shake_y, shake_x = (shake * fitted.pixel_size for shake in fitted.vibration.rms)
    for ring, one in zip(fitted.optics.detectors, fitted.detectors, strict=True):
        full = one.dose * one.readout.gain * fitted.pixel_size**2  # value of the whole beam
        film = one.contamination
        measured = math.sqrt(abs(np.linalg.det(fitted.crystal.cell)) / area[0])
        rows.append(
            {
                "image": name,
                "detector [mrad]": f"{ring.inner:g}–{ring.outer:g}",
                "Å/px": f"{fitted.pixel_size:.4f}",
                "off columns or spots [%]": f"{100 * (fitted.pixel_size / measured - 1):+.2f} ({area[1]})",
                "stretch [%]": f"{100 * fitted.stretch:.1f}",
                "a at": f"{np.degrees(fitted.rotation):.1f}°",
                "right columns [%]": right,
                "source [Å]": f"{fitted.source.size:.2f} + {fitted.source.smear:.2f}",
                "vibration y, x [Å]": f"{shake_y:.2f}, {shake_x:.2f}",
                "jitter, drift [px]": f"{fitted.scan.jitter:.2f}, {fitted.scan.drift:.2f}",
                "dose [e/Å²]": f"{one.dose:.3g}",
                "read noise [e]": f"{one.readout.read_noise / one.readout.gain:.1f}",
                "offset / beam": f"{one.readout.offset / full:.3f}",
                "film [%], exponent": f"{100 * film.strength:.1f}, {film.exponent:.1f}",
                "smoothing y, x [px]": "{:.2f}, {:.2f}".format(*one.smoothing),
                "contrast varies [%]": f"{100 * one.contrast_spread:.1f}",
                "misfit [%]": f"{100 * one.misfit:.1f}",
            }
        )
    return rows


def worse(fitted: FittedConditions) -> dict[str, FittedConditions]:
    """Twins that the classifier must be able to tell."""
    blurred = replace(fitted.optics, source_size=fitted.source.size + 0.4)
    weak = tuple(
        replace(d, dose=d.dose / 4, readout=replace(d.readout, gain=4 * d.readout.gain))
        for d in fitted.detectors
    )
    return {
        "source 0.4 Å larger": replace(
            fitted, optics=blurred, source=replace(fitted.source, size=blurred.source_size)
        ),
        "a quarter of the dose": replace(fitted, detectors=weak),
    }


def judge_real(data: Path, cache: Path) -> tuple[str, str, str]:
    """Tables of the conditions, of the two-sample scores, and of what the angles change."""
    conditions, scores, angles = [], [], []
    for name, case in CASES.items():
        image, crystal = load(name, data), find_specimen(case.specimen)
        for factor in (0.8, 1.0, 1.2) if case.energy < 100e3 else (1.0,):  # thick columns take minutes
            fitted = fit_conditions(image, crystal, optics=case.optics(factor), cache=cache)
            for ring, one in zip(fitted.optics.detectors, fitted.detectors, strict=True):
                angles.append(
                    {
                        "image": name,
                        "detector [mrad]": f"{ring.inner:g}–{ring.outer:g}",
                        "right columns [%]": agreement(fitted, name, data),
                        "source [Å]": f"{fitted.source.size:.2f} + {fitted.source.smear:.2f}",
                        "dose [e/Å²]": f"{one.dose:.3g}",
                        "misfit [%]": f"{100 * one.misfit:.1f}",
                    }
                )
        fitted = fit_conditions(image, crystal, optics=case.optics(), cache=cache)
        conditions += rows_of(name, fitted, agreement(fitted, name, data), cell_area(name, image, data))
        made = [twin(fitted, defects=case.defects, cache=cache, rng=seed)[0] for seed in (1, 2, 3)]
        bad = {
            words: twin(one, defects=case.defects, cache=cache, rng=1)[0]
            for words, one in worse(fitted).items()
        }
        for number, ring in enumerate(fitted.optics.detectors):
            real = image.channels[number]
            own = [tell_apart(real, m.channels[number], rng=seed).accuracy for seed, m in enumerate(made)]
            row = {
                "image": name,
                "detector [mrad]": f"{ring.inner:g}–{ring.outer:g}",
                "real : twin [%]": f"{100 * np.mean(own):.1f} ({', '.join(f'{100 * a:.0f}' for a in own)})",
            }
            for words, poor in bad.items():
                row[f"{words} [%]"] = f"{100 * tell_apart(real, poor.channels[number], rng=1).accuracy:.1f}"
            alike = tell_apart(made[0].channels[number], made[1].channels[number], rng=1).accuracy
            upper, lower = np.array_split(real, 2)
            itself = tell_apart(upper, lower, rng=1).accuracy
            row |= {"twin : twin [%]": f"{100 * alike:.1f}", "upper : lower half [%]": f"{100 * itself:.1f}"}
            scores.append(row)
            print(row, flush=True)
        if case.shown:
            known = replace(image, pixel_size=fitted.pixel_size)
            picture = Picture.open(BytesIO(twins_png(known, made[0], dpi=75))).convert("RGB")
            picture.save(DOCS / f"twin_{name}.jpg", quality=80)
    return markdown(conditions), markdown(scores), markdown(angles)


def judge_known(cache: Path, *, n_seeds: int = 5) -> str:
    """Errors on simulated images, conditions drawn at random; median and largest of them."""
    rows = []
    for name, optics in (
        ("WSe2", Optics(beam_energy=80e3, detectors=(Detector(inner=70, outer=200),))),
        ("MoS2", Optics(beam_energy=60e3, detectors=(Detector(inner=60, outer=200),))),
        ("CdTe_110", Optics(beam_energy=200e3, detectors=(Detector(inner=70, outer=200),))),
    ):
        off: dict[str, list[float]] = {}
        for seed in range(n_seeds):
            rng = np.random.default_rng(seed)
            size, dose, strength = rng.uniform(0.15, 0.3), 10 ** rng.uniform(4, 5), rng.uniform(0.05, 0.3)
            source, jitter, turned = rng.uniform(0.2, 0.6), rng.uniform(0, 0.3), rng.uniform(-3, 3)
            recording = Recording(
                dose=dose,
                scan=Scan(jitter=jitter),
                contamination=Contamination(strength=strength, exponent=2.5),
                readout=Readout(gain=20.0, offset=100.0),
            )
            image, _ = simulate_image(
                name,
                optics=replace(optics, source_size=source),
                recording=recording,
                pixel_size=size,
                rotation=turned,
                cache=cache,
                rng=seed,
            )
            image = replace(image, pixel_size=math.nan)
            fitted = fit_conditions(image, find_specimen(name), optics=optics, cache=cache)
            (one,) = fitted.detectors
            width = math.sqrt(fitted.source.size**2 + fitted.source.smear**2 / 2)
            found = {
                "pixel size [%]": 100 * (fitted.pixel_size / size - 1),
                "source [Å]": width - source,
                "dose [%]": 100 * (one.dose / dose - 1),
                "gain [%]": 100 * (one.readout.gain / 20 - 1),
                "film [% of signal]": 100 * (one.contamination.strength - strength),
                "exponent": one.contamination.exponent - 2.5,
                "jitter [px]": fitted.scan.jitter - jitter,
            }
            print(name, seed, {k: round(v, 3) for k, v in found.items()}, fitted.source, flush=True)
            for words, value in found.items():
                off.setdefault(words, []).append(value)
        rows.append(
            {"specimen": name} | {k: f"{np.median(v):+.2f} ({max(v, key=abs):+.2f})" for k, v in off.items()}
        )
    return markdown(rows)


def write_section(title: str, text: str) -> None:
    """Put one section of the file anew, or at its end."""
    before = OUT.read_text() if OUT.exists() else "# Fitted conditions and twins\n"
    section = f"\n## {title}\n\n{text}"
    pattern = re.compile(rf"\n## {re.escape(title)}\n.*?(?=\n## |\Z)", re.DOTALL)
    if pattern.search(before):
        OUT.write_text(pattern.sub(lambda _: section, before))
    else:
        OUT.write_text(before.rstrip("\n") + "\n" + section)


def main() -> None:
    """Make the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--known", action="store_true", help="simulated images of known conditions")
    parser.add_argument("--cache", type=Path, help="folder of the columns' tables")
    given = parser.parse_args()
    if given.known:
        write_section("Known conditions: error, median of 5 seeds (largest)", judge_known(given.cache))
        return
    conditions, scores, angles = judge_real(Path(os.environ["ANTISITE_DATA"]), given.cache)
    write_section("Conditions of real images", conditions)
    write_section("Real against simulated patches of 32 px", scores)
    write_section("Inner angles 20 % smaller and larger", angles)


if __name__ == "__main__":
    main()
