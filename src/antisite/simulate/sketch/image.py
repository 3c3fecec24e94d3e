"""A crystal with point defects, sketched."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.random import Generator

from ...errors import InputError
from ...image import Image
from ..crystals.cells import cells_around
from ..crystals.crystal import Crystal, hollow_fraction
from ..recording.scan_distortion import drift_path, drift_positions
from ..truth.lines import turn
from ..truth.truth import Truth
from .columns import REACH, record_columns
from .crystals import find_sketch
from .point_defects import plant_defects

_MARGIN = 8.0  # Å around the frame; the same for every blur, so that a seed means one scene


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


def sketch_image(
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
    crystal : a name from `antisite.simulate.sketch.crystals.SKETCHES`, or a `Crystal`.
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
    >>> image, truth = sketch_image("wse2", shape=(64, 64), vacancies=0.1, rng=1)
    >>> image.shape, image.pixel_size, set(truth.sites["kind"]) == {"none", "vacancy"}
    ((64, 64), 0.2, True)
    """
    found = find_sketch(crystal)
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
        margin=max(_MARGIN, REACH * sigma) / pixel_size + 4 * drift,
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
