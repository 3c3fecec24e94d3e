"""A simple image of a crystal: one Gaussian per column.

Good for tests and for the demo. It holds no physics of scattering: brightness is given, not computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ..conditions import Conditions
from ..errors import InputError
from ..image import Image
from .cells import cells_around
from .crystals import Crystal, find_crystal, hollow_fraction
from .dose_noise import add_dose_noise, quantise, smooth_background
from .extended_truth import turn
from .point_defects import plant_defects
from .scan_distortion import drift_path, drift_positions
from .truth import Truth

_REACH = 5.0  # standard deviations; beyond it a Gaussian is below 4e-6 of its peak
_MARGIN = 8.0  # Å around the frame; the same for every blur, so that a seed means one scene
_CHUNK = 4_000_000  # pixels of Gaussian held at once


def render_columns(
    positions: NDArray[np.floating],
    peaks: NDArray[np.floating],
    *,
    shape: tuple[int, int],
    sigma: float,
    row_shift: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """The sum of one round Gaussian per column, sampled at the pixel centres.

    Parameters
    ----------
    positions : (N, 2) px (y, x), inside the frame or not.
    peaks : (N,) height of each Gaussian.
    shape : (y, x) px
    sigma : px, standard deviation.
    row_shift : (y,) px, how far to the right each row was sampled; none by default.

    Returns
    -------
    NDArray
        (y, x)
    """
    height, width = shape
    shift = np.zeros(height) if row_shift is None else np.asarray(row_shift, dtype=float)
    reach = math.ceil(_REACH * sigma + np.abs(shift).max(initial=0)) + 1
    near = ((positions > -reach) & (positions < np.array(shape) + reach)).all(axis=1) & (peaks != 0)
    positions, peaks = positions[near], peaks[near]
    image = np.zeros(height * width)
    step = max(1, _CHUNK // (2 * reach + 1) ** 2)
    window = np.arange(-reach, reach + 1)
    for start in range(0, len(positions), step):
        chosen = positions[start : start + step]
        corner = np.round(chosen).astype(np.intp)
        rows = (corner[:, :1] + window)[:, :, None]
        cols = (corner[:, 1:] + window)[:, None, :]
        seen = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        dx = cols + shift[np.clip(rows, 0, height - 1)] - chosen[:, 1, None, None]
        dy = rows - chosen[:, 0, None, None]
        values = peaks[start : start + step, None, None] * np.exp(-(dy**2 + dx**2) / (2 * sigma**2))
        pixels = np.broadcast_to(rows * width + cols, seen.shape)[seen]
        image += np.bincount(pixels, values[seen], minlength=image.size)
    return image.reshape(shape)


def record_columns(
    positions: NDArray[np.floating],
    brightness: NDArray[np.floating],
    crystal: Crystal,
    *,
    shape: tuple[int, int],
    pixel_size: float,
    blur: float = 0.3,
    dose: float = math.inf,
    jitter: float = 0.0,
    contamination: float = 0.0,
    bits: int = 0,
    rngs: Sequence[Generator],
) -> Image:
    """What the instrument records of columns at given places.

    Parameters
    ----------
    positions : (N, 2) px (y, x), where the columns appear (drift included).
    brightness : (N,) peak of each before blur, 1 = the brightest column.
    crystal : whose columns they are.
    shape : (y, x) px
    pixel_size : Å/px
    blur, dose, jitter, contamination, bits : as in `simulate_image`.
    rngs : three generators: of the rows' shifts, of the contamination and of the dose.

    Returns
    -------
    Image
        Of float32; 1 = peak of the brightest column before blur.
    """
    for_rows, for_background, for_dose = rngs
    sigma = math.hypot(crystal.width, blur)
    pixels = render_columns(
        positions,
        brightness * (crystal.width / sigma) ** 2,
        shape=shape,
        sigma=sigma / pixel_size,
        row_shift=for_rows.normal(0, jitter, shape[0]),
    )
    if contamination:
        length = min(20 / pixel_size, max(shape) / 4)
        pixels += contamination * smooth_background(shape, length=length, rng=for_background)
    pixels = add_dose_noise(pixels, dose=dose, pixel_size=pixel_size, rng=for_dose)
    if bits:
        pixels = quantise(pixels, bits)
    return Image(
        pixels.astype(np.float32),
        pixel_size=pixel_size,
        conditions=Conditions(dose=math.nan if math.isinf(dose) else dose),
        name=f"simulated_{crystal.name}",
    )


def _crystal_sites(
    crystal: Crystal,
    *,
    shape: tuple[int, int],
    pixel_size: float,
    rotation: float,
    margin: float,
    rng: Generator,
) -> pd.DataFrame:
    """Every site within a margin [px] of the frame, the origin of the lattice at a random place."""
    cell = crystal.cell @ turn(rotation) / pixel_size
    centre = np.array(shape) / 2
    cells = cells_around(cell, shape=shape, margin=margin)
    motif = np.vstack([crystal.fractions, hollow_fraction(crystal)])
    index = np.append(np.arange(len(crystal.columns)), -1)
    positions = centre + (cells[:, None] + motif + rng.random(2)).reshape(-1, 2) @ cell
    species = np.array([column.species for column in crystal.columns] + [""])
    brightness = np.append(crystal.brightness, crystal.brightness.max())
    sites = pd.DataFrame({"y": positions[:, 0], "x": positions[:, 1], "index": np.tile(index, len(cells))})
    sites["brightness"] = brightness[sites["index"]]
    sites["species"] = pd.Series(species[sites["index"]], dtype="str")
    sites["kind"] = pd.Series("none", index=sites.index, dtype="str")
    near = sites["y"].between(-margin, shape[0] + margin) & sites["x"].between(-margin, shape[1] + margin)
    return sites[near].reset_index(drop=True)


def simulate_image(
    crystal: str | Crystal = "wse2",
    *,
    shape: tuple[int, int] = (512, 512),
    pixel_size: float = 0.2,
    rotation: float = 0.0,
    blur: float = 0.3,
    dose: float = math.inf,
    vacancies: float = 0.0,
    partial_vacancies: float = 0.0,
    dim_sites: float = 0.0,
    bright_sites: float = 0.0,
    interstitials: float = 0.0,
    drift: float = 0.0,
    jitter: float = 0.0,
    contamination: float = 0.0,
    bits: int = 0,
    rng: int | Generator | None = None,
) -> tuple[Image, Truth]:
    """An image of a crystal with point defects, and what is really in it.

    The defects do not depend on dose, blur, jitter or contamination: the same seed gives the same scene.
    The truth holds drift (positions are where columns appear) but not the jitter of single rows.

    Parameters
    ----------
    crystal : a name from `antisite.simulate.crystals.CRYSTALS`, or a `Crystal`.
    shape : (y, x) px
    pixel_size : Å/px
    rotation : rad, direction of `a` from +x towards +y.
    blur : Å, standard deviation of the probe, added to the column's own width.
    dose : e/Å²; 1 in 20 electrons is scattered by a column of brightness 1; infinite: no noise.
    vacancies : share of all columns that are empty.
    partial_vacancies : share of the two-atom columns that have lost one atom.
    dim_sites, bright_sites : share of the other columns that are substituted (0.4 and 1.6 times as bright).
    interstitials : share of the hollows that hold an atom.
    drift : px, root mean square of a smooth drift along each axis.
    jitter : px, standard deviation of each row's shift along x.
    contamination : height of a smooth random background, 1 = the brightest column.
    bits : 8 gives whole numbers from 0 to 255; 0 leaves the values as they are.
    rng : seed or generator.

    Raises
    ------
    InputError
        An unknown crystal, or a value out of range.

    Examples
    --------
    >>> image, truth = simulate_image("wse2", shape=(64, 64), vacancies=0.1, rng=1)
    >>> image.shape, image.pixel_size, set(truth.sites["kind"]) == {"none", "vacancy"}
    ((64, 64), 0.2, True)
    """
    found = find_crystal(crystal)
    if not 0 < pixel_size < math.inf:
        raise InputError(f"pixel_size must be positive and finite [Å/px], got {pixel_size:g}")
    for_sites, for_defects, for_drift, for_rows, for_background, for_dose = np.random.default_rng(rng).spawn(
        6
    )
    sigma = math.hypot(found.width, blur)
    sites = _crystal_sites(
        found,
        shape=shape,
        pixel_size=pixel_size,
        rotation=rotation,
        margin=max(_MARGIN, _REACH * sigma) / pixel_size + 4 * drift,
        rng=for_sites,
    )
    sites = plant_defects(
        sites,
        found,
        vacancies=vacancies,
        partial_vacancies=partial_vacancies,
        dim_sites=dim_sites,
        bright_sites=bright_sites,
        interstitials=interstitials,
        rng=for_defects,
    )
    path = drift_path(shape[0], drift, for_drift)
    sites[["y", "x"]] = drift_positions(sites[["y", "x"]].to_numpy(), path)
    image = record_columns(
        sites[["y", "x"]].to_numpy(),
        sites["brightness"].to_numpy(),
        found,
        shape=shape,
        pixel_size=pixel_size,
        blur=blur,
        dose=dose,
        jitter=jitter,
        contamination=contamination,
        bits=bits,
        rngs=(for_rows, for_background, for_dose),
    )
    inside = sites["y"].between(-0.5, shape[0] - 0.5) & sites["x"].between(-0.5, shape[1] - 0.5)
    return image, Truth(sites[inside].reset_index(drop=True), found.name)
