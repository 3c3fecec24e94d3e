"""How near simulated images come to multislice, and how much faster: writes `scattering.md` beside this file.

    ANTISITE_DATA=folder/of/real/images python benchmarks/scattering.py
    python benchmarks/scattering.py --thick FOLDER
    python benchmarks/scattering.py --speed

Each makes its own table anew and leaves the others as they are. The first reads the sheets of
`abtem_reference` in ANTISITE_DATA. `--thick` keeps abTEM's images in FOLDER, where they are made once (about
10 minutes); that and `--speed` need abTEM (`pip install 'antisite[multislice]'`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.build import make_supercell, mx2
from markdown_tables import markdown
from numpy.typing import NDArray

from antisite.conditions import Detector
from antisite.simulate.multislice import multislice_image
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.thermal import rms_displacement

OUT = Path(__file__).with_name("scattering.md")
NEAR = 1.5  # Å around a defect
SHEET = {  # most NRMSE [%] after scale and offset
    "LAADF30-60": 1.5,
    "MAADF40-100": 0.5,
    "ADF60-200": 0.5,
    "HAADF80-200": 0.5,
}
SRTIO3 = Atoms(
    ["Sr", "O", "Ti", "O", "O"],
    scaled_positions=[(0, 0, 0), (0.5, 0.5, 0), (0.5, 0.5, 0.5), (0, 0.5, 0.5), (0.5, 0, 0.5)],
    cell=[3.905] * 3,
    pbc=True,
)
THICK_OPTICS = {
    "beam_energy": 200e3,
    "convergence": 20.0,
    "detectors": (Detector(inner=70, outer=200), Detector(inner=40, outer=100)),
}
N_PHONONS = 12
N_SCAN = 14  # positions along a cell of SrTiO3; 13 hold all that a probe of 20 mrad resolves
# edge [Å], px/Å, and detector of the fields that are timed
FIELD_EDGE, FIELD_PIXEL, FIELD_SAMPLING = 50.0, 0.2, 0.065
FIELD_OPTICS = Optics(
    beam_energy=80e3, convergence=30, detectors=(Detector(inner=70, outer=200),), static=True
)
PATCH = 32  # px
STREAM_EDGE, N_FIELDS = 836, 20  # antisite's fields: px, and how many
SEED = 0


def nrmse(image: NDArray[np.floating], reference: NDArray[np.floating], where: Any = ...) -> float:
    """Root mean square of the difference over the range of the whole reference [%]."""
    difference = (image - reference)[where]
    return 100 * float(np.sqrt(np.mean(np.square(difference, dtype=float))) / np.ptp(reference))


def fitted(image: NDArray[np.floating], reference: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """The image with the scale and offset that bring it nearest to the reference, and the scale."""
    scale, offset = np.polyfit(image.ravel().astype(float), reference.ravel().astype(float), 1)
    return scale * image + offset, float(scale)


def near_defects(defects: list[Any], cell: list[float], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(y, x) where a defect is near, over the cell's edges too; everywhere if there is none."""
    if not defects:
        return np.ones(shape, dtype=bool)
    y, x = np.indices(shape)
    sites = np.array([site[:2] for _, site in defects])
    dx = x[..., None] * cell[0] / shape[1] - sites[:, 0]
    dy = y[..., None] * cell[1] / shape[0] - sites[:, 1]
    dx, dy = (d - edge * np.rint(d / edge) for d, edge in ((dx, cell[0]), (dy, cell[1])))
    return np.asarray((np.hypot(dx, dy) < NEAR).any(axis=-1))


def sheet_rows(folder: Path) -> list[dict[str, Any]]:
    """A line for each sheet and detector."""
    from antisite.simulate.structure_image import structure_image

    rows = []
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        names = {name: Detector(inner=i, outer=o) for name, (i, o) in told["detectors_mrad"].items()}
        reference = np.stack([np.load(folder / f"{path.stem}__{name}.npy").T for name in names])
        optics = Optics(
            beam_energy=1e3 * told["kV"],
            convergence=told["alpha_mrad"],
            detectors=tuple(names.values()),
            defocus=told["defocus"],
            cs=told["Cs"],
            static=True,
        )
        atoms = Atoms(told["symbols"], told["positions_A"], cell=told["cell_A"], pbc=True)
        start = time.perf_counter()
        images = structure_image(atoms, optics, shape=reference.shape[1:])
        seconds = time.perf_counter() - start
        own = structure_image(atoms, optics, shape=reference.shape[1:], slice_thickness=0)
        near = near_defects(told.get("defects", []), told["cell_A"], reference.shape[1:])
        for name, image, exact, right in zip(names, images, own, reference, strict=True):
            best, scale = fitted(image, right)
            rows.append(
                {
                    "sheet": path.stem,
                    "detector [mrad]": name,
                    "fitted [%]": f"{nrmse(best, right):.2f}",
                    "target": f"≤ {SHEET[name]:g}",
                    "raw [%]": f"{nrmse(image, right):.2f}",
                    "target, raw": "≤ 2",
                    "near defects [%]": "–" if near.all() else f"{nrmse(best, right, near):.2f}",
                    "target, near": "–" if near.all() else "≤ 2",
                    "near defects, raw [%]": "–" if near.all() else f"{nrmse(image, right, near):.2f}",
                    "own heights [%]": f"{nrmse(fitted(exact, right)[0], right):.2f}",
                    "scale": f"{scale:.4f}",
                    "seconds, all detectors": f"{seconds:.2f}",
                }
            )
    return rows


def symmetrised(images: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mean over what leaves SrTiO3 as it is seen along [001]: p4m about pixel (0, 0)."""
    images = (images + images.swapaxes(-1, -2)) / 2
    for axis in (-1, -2):
        images = (images + np.roll(np.flip(images, axis), 1, axis)) / 2
    return images


def thick_reference(
    folder: Path, *, n_cells: int, static: bool
) -> tuple[NDArray[np.floating], NDArray[np.floating], float]:
    """abTEM's image of one cell, that of its first half of the phonons, and the seconds that it took."""
    moves = {symbol: rms_displacement(symbol) for symbol in ("Sr", "Ti", "O")}
    halves = 1 if static else 2
    settings = {
        "shape": (N_SCAN, N_SCAN),
        "region": (3.905, 3.905),
        "sampling": 0.0391,
        "slice_thickness": 3.905 / 2,
        "n_phonons": 0 if static else N_PHONONS // halves,
        "displacements": moves,
    }
    kept = {"cells": [4, 4, n_cells], "seed": SEED, "static": static, **settings}
    path = folder / f"SrTiO3_{n_cells}_{'static' if static else 'thermal'}.npy"
    told = path.with_suffix(".json")
    if not told.exists() or json.loads(told.read_text())["settings"] != json.loads(json.dumps(kept)):
        start = time.perf_counter()
        images = [
            multislice_image(
                SRTIO3 * (4, 4, n_cells), Optics(**THICK_OPTICS, static=static), rng=SEED + half, **settings
            )
            for half in range(halves)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack(images))
        told.write_text(json.dumps({"settings": kept, "seconds": time.perf_counter() - start}, indent=1))
    images = symmetrised(np.load(path))
    return images.mean(axis=0), images[0], json.loads(told.read_text())["seconds"]


def thick_rows(folder: Path) -> list[dict[str, Any]]:
    """A line for each thickness and detector, atoms still and moving."""
    from antisite.simulate.structure_image import structure_image

    rows = []
    for n_cells, static in ((26, True), (13, False), (26, False)):
        reference, half, abtem_seconds = thick_reference(folder, n_cells=n_cells, static=static)
        optics = Optics(**THICK_OPTICS, static=static)
        start = time.perf_counter()
        images = structure_image(SRTIO3 * (1, 1, n_cells), optics, shape=(N_SCAN, N_SCAN))
        seconds = time.perf_counter() - start
        for ring, image, right, part in zip(optics.detectors, images, reference, half, strict=True):
            best, scale = fitted(image, right)
            rows.append(
                {
                    "SrTiO3 [001] [Å]": f"{n_cells * 3.905:.1f}",
                    "atoms": "still" if static else "moving",
                    "detector [mrad]": f"{ring.inner:g} to {ring.outer:g}",
                    "fitted [%]": f"{nrmse(best, right):.2f}",
                    "raw [%]": f"{nrmse(image, right):.2f}",
                    "scale": f"{scale:.3f}",
                    "peak of Sr": f"{image[0, 0]:.4f}",
                    "abTEM": f"{right[0, 0]:.4f}",
                    "peak of Ti and O": f"{image[N_SCAN // 2, N_SCAN // 2]:.4f}",
                    "abTEM ": f"{right[N_SCAN // 2, N_SCAN // 2]:.4f}",
                    "noise of abTEM [%]": "–" if static else f"{nrmse(part, right):.2f}",
                    "seconds": f"{seconds:.1f}",
                    "seconds, abTEM": f"{abtem_seconds:.0f}",
                }
            )
    return rows


def tungsten_diselenide(edge: float) -> Atoms:
    """A sheet of WSe2 in a rectangular cell of about this edge [Å], two Å of vacuum around it."""
    cell = make_supercell(mx2("WSe2", a=3.32, thickness=3.34, vacuum=1.0), [[1, 0, 0], [1, 2, 0], [0, 0, 1]])
    cell.wrap()
    return cell.repeat((round(edge / cell.cell[0, 0]), round(edge / cell.cell[1, 1]), 1))


def time_abtem(
    method: Literal["multislice", "prism"], *, n_probes: tuple[int, int], interpolation: int = 1
) -> tuple[float, float]:
    """Seconds before the first probe and seconds per probe, from two scans of a small square [n² probes]."""
    atoms = tungsten_diselenide(FIELD_EDGE)
    seconds = []
    for n in (n_probes[0], *n_probes):  # the first compiles
        start = time.perf_counter()
        multislice_image(
            atoms,
            FIELD_OPTICS,
            shape=(n, n),
            region=(n * FIELD_PIXEL, n * FIELD_PIXEL),
            sampling=FIELD_SAMPLING,
            method=method,
            interpolation=interpolation,
        )
        seconds.append(time.perf_counter() - start)
    few, many = (n * n for n in n_probes)
    each = (seconds[2] - seconds[1]) / (many - few)
    return max(seconds[1] - few * each, 0.0), each


def field_of_patches() -> tuple[int, float]:
    """How many pixels a field has, and how many site-centred patches lie within it."""
    px = round(FIELD_EDGE / FIELD_PIXEL)
    inside = ((px - PATCH) * FIELD_PIXEL) ** 2
    return px * px, inside * 2 / (3.32**2 * math.sqrt(3) / 2)


def speed_row(
    name: str, *, seconds: float, n_pixels: float, n_patches: float, beside: dict[str, float]
) -> dict[str, Any]:
    """What a way of simulating makes in a second, and how many times what others make [patches a second]."""
    return {
        "simulated by": name,
        "seconds": f"{seconds:.3g}",
        "unique pixels": f"{n_pixels:.3g}",
        "patches": f"{n_patches:.3g}",
        "unique pixels a second": f"{n_pixels / seconds:.3g}",
        "patches a second": f"{n_patches / seconds:.3g}",
        **{f"times {other}": f"{n_patches / seconds / rate:,.3g}" for other, rate in beside.items()},
    }


def time_stream(*, n_fields: int) -> tuple[float, int, int, float]:
    """Seconds, unique pixels and patches of noisy fields with defects, and the seconds for tables before."""
    from antisite.simulate.dataset.cases import Case
    from antisite.simulate.dataset.doped_tmds import doped_defects
    from antisite.simulate.dataset.stream import PatchStream

    case = Case(specimen="WSe2", defects=doped_defects("W", "Se", "V"), optics=FIELD_OPTICS)
    start = time.perf_counter()
    stream = PatchStream(
        cases=(case,), size=PATCH, shape=(STREAM_EDGE,) * 2, pixel_size=FIELD_PIXEL, seed=SEED
    )
    before = time.perf_counter() - start
    stream.patches_of(n_fields)  # compiles
    start = time.perf_counter()
    n_patches = sum(len(batch) for batch in stream.patches(0, n_fields))
    return time.perf_counter() - start, n_fields * STREAM_EDGE**2, n_patches, before


def speed_rows() -> list[dict[str, Any]]:
    """abTEM's field of WSe2 by each method, extrapolated from the part that was timed, and a stream's."""
    import dask

    n_pixels, n_patches = field_of_patches()
    taken: dict[str, tuple[float, float, float]] = {}
    with dask.config.set(scheduler="synchronous"):
        for name, method, counts, interpolation in (
            ("abTEM multislice", "multislice", (4, 12), 1),
            ("abTEM PRISM, one wave in 4 × 4", "prism", (16, 64), 4),
        ):
            first, each = time_abtem(method, n_probes=counts, interpolation=interpolation)
            taken[name] = first + n_pixels * each, n_pixels, n_patches
    beside = {name.split(",")[0]: patches / seconds for name, (seconds, _, patches) in taken.items()}
    seconds, n_made, n_cut, before = time_stream(n_fields=N_FIELDS)
    name = f"antisite, {N_FIELDS} noisy fields with defects (tables before: {before:.1f} s)"
    taken[name] = seconds, n_made, n_cut
    return [
        speed_row(name, seconds=seconds, n_pixels=pixels, n_patches=patches, beside=beside)
        for name, (seconds, pixels, patches) in taken.items()
    ]


PARTS = {
    "Sheets": "Made by `ANTISITE_DATA=folder/of/real/images python benchmarks/scattering.py`. NRMSE (rms of "
    "the difference over the range of the reference) against abTEM's multislice of MoS2 and WSe2 sheets, "
    f"atoms still: after scale and offset, raw, and within {NEAR:g} Å of the defects alone (scale and offset "
    "of the whole image). Slices of 1 Å and sampled potentials, as the references have them; own heights: "
    "every atom at its own height and exact potentials, after scale and offset.",
    "A thick crystal": "Made by `python benchmarks/scattering.py --thick FOLDER`: SrTiO3 [001], 200 kV, "
    f"20 mrad, focus at the entrance, against abTEM with {N_PHONONS} frozen phonons in 4 × 4 cells (seeds "
    f"{SEED} and {SEED + 1}) and the symmetry of the crystal. Noise of abTEM: half of them against all.",
    "Speed": "Made by `python benchmarks/scattering.py --speed`, one thread: a field of WSe2 of "
    f"{FIELD_EDGE:g} × {FIELD_EDGE:g} Å at {FIELD_PIXEL:g} Å/px, 80 kV, one detector, potential at "
    f"{FIELD_SAMPLING:g} Å, and the patches of {PATCH} × {PATCH} px around each of its columns, which share "
    "pixels. abTEM's seconds are extrapolated from a part of the field.",
}


def write_part(out: Path, title: str, rows: list[dict[str, Any]]) -> None:
    """Print a table and put it in the place of the one with its title."""
    print(markdown(rows))
    old = out.read_text(encoding="utf-8") if out.exists() else ""
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", old, flags=re.DOTALL | re.MULTILINE))
    parts[title] = f"\n{PARTS[title]}\n\n{markdown(rows)}\n"
    text = "\n\n".join(f"## {name}\n{parts[name].rstrip()}" for name in PARTS if name in parts)
    out.write_text(f"# Simulated images beside multislice\n\n{text}".rstrip() + "\n", encoding="utf-8")


def main() -> None:
    """Make one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--thick", type=Path, metavar="FOLDER", help="the thick crystal; keeps abTEM's images"
    )
    parser.add_argument("--speed", action="store_true", help="patches a second beside abTEM's")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    data = os.environ.get("ANTISITE_DATA")
    if given.thick:
        write_part(given.out, "A thick crystal", thick_rows(given.thick))
    elif given.speed:
        write_part(given.out, "Speed", speed_rows())
    else:
        write_part(given.out, "Sheets", sheet_rows(Path(data) / "abtem_reference") if data else [])


if __name__ == "__main__":
    main()
