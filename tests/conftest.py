from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antisite.defects import defect_table
from antisite.image import Image
from antisite.result import Result

FRACTIONS = {"A": (0.15, 0.20), "B": (0.15 + 1 / 3, 0.20 + 1 / 3), "hollow": (0.15 + 2 / 3, 0.20 + 2 / 3)}
LEVELS = {"A": 1.0, "B": 0.55, "hollow": 0.0}
# kind, sublattice, what is left of the column (added, for the hollow)
FAULTS = (
    ("vacancy", "A", 0.0),
    ("dim_site", "A", 0.55),
    ("dim_site", "B", 0.45),
    ("bright_site", "B", 1.8),
    ("interstitial", "hollow", 0.6),
)


def _columns(shape: tuple[int, int], vectors: np.ndarray, name: str) -> np.ndarray:
    n = 2 * int(max(shape) / 10) + 6
    ij = np.stack(np.meshgrid(np.arange(-n, n), np.arange(-n, n)), axis=-1).reshape(-1, 2)
    yx = (ij + FRACTIONS[name]) @ vectors
    return yx[((yx > 3) & (yx < np.array(shape) - 4)).all(axis=1)]


def _paint(
    shape: tuple[int, int], sites: dict[str, np.ndarray], amplitudes: dict[str, np.ndarray]
) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    pixels = np.full(shape, 0.1)
    for name, yx in sites.items():
        for (cy, cx), amplitude in zip(yx, amplitudes[name], strict=True):
            pixels += amplitude * np.exp(-((y - cy) ** 2) / 8) * np.exp(-((x - cx) ** 2) / 8)
    return pixels


def _motif(vectors: np.ndarray) -> np.ndarray:
    fb, fa = (np.mgrid[:36, :40] + 0.5) / np.array([36, 40]).reshape(2, 1, 1)
    motif = np.full(fa.shape, 0.1)
    for name, f in FRACTIONS.items():
        for i, j in np.ndindex(3, 3):
            d = np.stack([fa - f[0] + i - 1, fb - f[1] + j - 1], axis=-1) @ vectors
            motif += LEVELS[name] * np.exp(-(d**2).sum(axis=-1) / 8)
    return motif.astype(np.float32)


def make_result(
    *,
    shape: tuple[int, int] = (160, 200),
    n_each: int = 2,
    n_channels: int = 1,
    pixel_size: float = 0.25,
    name: str = "fake.tif",
    warnings: Sequence[str] = (),
) -> Result:
    """A hexagonal crystal with `n_each` faults of five sorts, as the pipeline would describe it."""
    rng = np.random.default_rng(5)
    angle = 0.2
    vectors = 14 * np.array([[math.sin(angle + t), math.cos(angle + t)] for t in (0, math.pi / 3)])
    sites = {name: _columns(shape, vectors, name) for name in FRACTIONS}
    inner = {name: ((yx > 18) & (yx < np.array(shape) - 19)).all(axis=1) for name, yx in sites.items()}
    amplitudes = {name: np.full(len(yx), LEVELS[name]) for name, yx in sites.items()}
    kinds = {name: np.full(len(yx), "none", dtype=object) for name, yx in sites.items()}
    for kind, sublattice, left in FAULTS:
        free = np.flatnonzero(inner[sublattice] & (kinds[sublattice] == "none"))
        for i in rng.choice(free, n_each, replace=False):
            kinds[sublattice][i] = kind
            amplitudes[sublattice][i] = left * (LEVELS[sublattice] or 1.0)
    pixels = _paint(shape, sites, amplitudes)
    channels = np.stack([pixels + 0.05 * rng.standard_normal(shape) for _ in range(n_channels)])
    rows: dict[str, Any] = {key: [] for key in ("y", "x", "sublattice", "kind", "ratio", "z")}
    for key, yx in sites.items():
        n = len(yx)
        ratio = amplitudes[key] / (LEVELS[key] or 1.0) + 0.05 * rng.standard_normal(n)
        ratio += key == "hollow"  # 1 plus what was added
        rows["ratio"].append(ratio)
        rows["z"].append(np.where(inner[key], (ratio - 1) * 18 + 0.3 * rng.standard_normal(n), np.nan))
        rows["y"].append(yx[:, 0])
        rows["x"].append(yx[:, 1])
        rows["sublattice"].append(np.full(n, key, dtype=object))
        rows["kind"].append(kinds[key])
    columns = {key: np.concatenate(values) for key, values in rows.items()}
    columns |= {"image": name, "dy": 0.0, "dx": 0.0, "score": np.abs(columns["z"]), "method": "deviation"}
    columns |= {"p_value": 1e-4, "q_value": 0.003}
    columns |= {f"ratio_{i + 1}": columns["ratio"] for i in range(n_channels) if n_channels > 1}
    table = defect_table(columns, n_channels=n_channels)
    if not math.isnan(pixel_size):
        table = table.assign(y_A=table["y"] * pixel_size, x_A=table["x"] * pixel_size)
    defects = table[table["kind"] != "none"].reset_index(drop=True)
    domain = np.zeros(shape, dtype=np.int8)
    domain[:, -12:] = -1
    image = Image(channels, pixel_size=pixel_size, name=name)
    summary = _summary(image, table, vectors, warnings)
    return Result(
        image=image,
        sites=table,
        defects=defects,
        maps={"motif": _motif(vectors), "domain": domain},
        summary=summary,
    )


def _summary(image: Image, sites: Any, vectors: np.ndarray, warnings: Sequence[str]) -> dict[str, Any]:
    known = not math.isnan(image.pixel_size)
    counts = sites.loc[sites["kind"] != "none", "kind"].value_counts().sort_index()
    area = image.shape[0] * image.shape[1] * 0.9 * (image.pixel_size / 10) ** 2 if known else None
    sublattices = []
    for name in FRACTIONS:
        own = sites[sites["sublattice"] == name]
        hollow = name == "hollow"
        sublattices.append(
            {
                "name": name,
                "hollow": hollow,
                "fractions": [list(FRACTIONS[name])],
                "level": LEVELS[name],
                "n_sites": len(own),
                "n_tested": int(own["z"].notna().sum()),
                "null_centre": 0.0,
                "null_width": 1.0,
                "z_dark": None if hollow else -4.1,
                "z_bright": 4.3,
                "n_dark": int((own["kind"].isin(["vacancy", "dim_site"])).sum()),
                "n_bright": int((own["kind"].isin(["bright_site", "interstitial"])).sum()),
                "n_shifted": 0,
                "modes": []
                if hollow
                else [
                    {"ratio": 1.8, "spread": 0.05, "share": 0.4, "overlap": 0.0},
                    {"ratio": 0.5, "spread": 0.05, "share": 0.6, "overlap": 0.001},
                ],
            }
        )
    n_sites = max(int(sites["z"].notna().sum()), 1)
    per = area if known else n_sites
    own = sites[sites["kind"] != "none"].groupby(["kind", "sublattice"]).size()
    whole = {(kind, "all"): int(n) for kind, n in counts.items()}
    numbers = whole | {key: int(n) for key, n in own.items()}
    densities = [
        {
            "kind": kind,
            "sublattice": name,
            "n": n,
            "per": "nm2" if known else "site",
            "density": n / per,
            "low": 0.24 * n / per,
            "high": 2.9 * n / per,
            **dict.fromkeys(("recall", "corrected", "corrected_low", "corrected_high")),
        }
        for (kind, name), n in numbers.items()
    ]
    return {
        "schema": 2,
        "image": image.name,
        "frame": 0,
        "shape": list(image.shape),
        "n_channels": image.n_channels,
        "lattice_found": True,
        "reason": "",
        "fdr": 0.05,
        "min_dark": 0.25,
        "min_bright": 0.3,
        "pixel_size": image.pixel_size if known else None,
        "pixel_size_from": "given" if known else "unknown",
        "pixel_size_recorded": None,
        "lattice_constant": None,
        "grains": [
            {
                "grain": 0,
                "lattice": {
                    "a": 14.0,
                    "b": 14.0,
                    "gamma": math.pi / 3,
                    "angle": 0.2,
                    "vectors": vectors.tolist(),
                    "coherence": 0.93,
                    "cell_area": 14.0**2 * math.sin(math.pi / 3),
                    "a_A": 14 * image.pixel_size if known else None,
                    "b_A": 14 * image.pixel_size if known else None,
                },
                "nn": 14 / math.sqrt(3),
                "sublattices": sublattices,
                "drift_rms": [0.3, 0.4],
                "area_fraction": 0.9,
                "n_sites": sum(one["n_tested"] for one in sublattices if not one["hollow"]),
            }
        ],
        "n_domains": 1,
        "analysed_fraction": 0.9,
        "area": area,
        "counts": {kind: int(n) for kind, n in counts.items()},
        "densities": densities,
        "self_check": None,
        "warnings": list(warnings),
    }


def make_no_lattice(shape: tuple[int, int] = (64, 64), name: str = "carbon.tif") -> Result:
    """What the pipeline gives when no crystal is seen."""
    pixels = np.random.default_rng(1).normal(size=shape)
    summary = {
        "schema": 2,
        "image": name,
        "frame": 0,
        "shape": list(shape),
        "n_channels": 1,
        "lattice_found": False,
        "reason": "no period stands out of the noise",
        "fdr": 0.05,
        "pixel_size": None,
        "pixel_size_from": "unknown",
        "pixel_size_recorded": None,
        "lattice_constant": None,
        "grains": [],
        "n_domains": 0,
        "analysed_fraction": 0.0,
        "area": None,
        "counts": {},
        "densities": [],
        "self_check": None,
        "warnings": [],
    }
    return Result(image=Image(pixels, name=name), summary=summary)


@pytest.fixture(name="make_result", scope="session")
def _make_result() -> Callable[..., Result]:
    return make_result


@pytest.fixture(name="with_planar", scope="session")
def _with_planar() -> Callable[..., Result]:
    """Grains, boundaries, dislocations and strain put into a result: `planar_result.py` beside this file."""
    place = Path(__file__).with_name("planar_result.py")
    spec = spec_from_file_location("planar_result", place)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.with_planar


@pytest.fixture(name="no_lattice", scope="session")
def _no_lattice() -> Result:
    return make_no_lattice()
