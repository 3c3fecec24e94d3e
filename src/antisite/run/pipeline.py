"""The main job: an image in, a table of its defects out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..crystal.perfect_crystal import PerfectCrystal
from ..defects import defect_table
from ..detect.holes import group_holes
from ..detect.kinds import point_kinds
from ..detect.patterson_defects import PattersonFinder
from ..detect.point_defects import PointDefectFinder
from ..detect.site_finder import SiteFinder
from ..detect.site_scores import SiteScores
from ..errors import InputError
from ..image import Image, Region
from ..result import Result
from .crystal_search import Specimen, find_specimen
from .self_check import SelfCheck, check_detection
from .settings import Settings
from .summary import summarise, summarise_nothing

_MISSING = 0.3  # ratio below which a column of a hole is gone


def find_defects(
    image: Image, *, settings: Settings | None = None, lattice_constant: float = math.nan
) -> Result:
    """Find the crystal defects of an image, without labels, training or tuning.

    The image is compared with the perfect crystal that it shows itself: every site with
    those of its own sublattice nearby.

    Parameters
    ----------
    image : one field, one or more detectors.
    settings : of the search; the defaults suit any image.
    lattice_constant : Å, length of the shortest repeat that the image shows, or NaN; it
        calibrates the scale.

    Raises
    ------
    NoLatticeError
        The image shows no lattice.
    InputError
        The image is too small or its cells have fewer than six pixels across.

    Examples
    --------
    >>> import antisite
    >>> image, truth = antisite.simulate_image("graphene", shape=(128, 128), pixel_size=0.2, rng=0)
    >>> result = antisite.find_defects(image)
    >>> len(result.defects)
    0
    """
    with threadpool_limits(1, user_api="blas"):  # the matrices are small: more threads wait for each other
        return _find(image, settings or Settings(), lattice_constant)


def _find(image: Image, settings: Settings, lattice_constant: float) -> Result:
    window = analysed_window(image)
    specimen = find_specimen(image.channels[:, *window], image.mask[window], seed=settings.seed)
    finder = choose_finder(settings)
    evidence = finder.measure(specimen.channels, specimen.crystal)
    check = check_detection(specimen, finder, evidence, seed=settings.seed) if settings.self_check else None
    scores = check.scores if check else finder.decide(evidence, specimen.crystal)
    return _result(
        image, window, specimen, scores, settings=settings, lattice_constant=lattice_constant, check=check
    )


def choose_finder(settings: Settings) -> SiteFinder:
    """The method that the settings ask for."""
    fdr, min_dark, min_bright = settings.fdr, settings.min_dark, settings.min_bright
    if settings.method == "deviation":
        return PointDefectFinder(fdr=fdr, min_dark=min_dark, min_bright=min_bright)
    return PattersonFinder(
        fdr=fdr,
        min_dark=min_dark,
        min_bright=min_bright,
        input=settings.patterson_input,
        model=settings.patterson_model,
        seed=settings.seed,
    )


def inspect_crystal(image: Image, *, lattice_constant: float = math.nan) -> Result:
    """What `find_defects` compares with: lattice, sublattices and sites, nothing scored.

    Raises the same errors.
    """
    window = analysed_window(image)
    specimen = find_specimen(image.channels[:, *window], image.mask[window])
    crystal = specimen.crystal
    nothing = SiteScores.empty(
        len(crystal.sites), n_channels=image.n_channels, n_sublattices=len(crystal.sublattices)
    )
    return _result(image, window, specimen, nothing, settings=Settings(), lattice_constant=lattice_constant)


def no_lattice_result(image: Image, reason: str) -> Result:
    """The result of an image without a lattice: it says so, and its tables are empty."""
    empty = defect_table(n_channels=image.n_channels)
    return Result(image=image, sites=empty, defects=empty, summary=summarise_nothing(image, reason))


def analysed_window(image: Image) -> Region:
    """Slices (y, x) of the smallest box around what was recorded: neither masked nor a blank border."""
    if not isinstance(image, Image):
        raise InputError(
            f"antisite looks at an Image, got {type(image).__name__}: give "
            "antisite.Image(array, pixel_size=…) or antisite.read_image(path)"
        )
    slices = []
    for axis in (0, 1):
        across = 1 - axis
        blank = (np.ptp(image.channels, axis=1 + across) == 0).any(axis=0) | image.mask.all(axis=across)
        seen = np.flatnonzero(~blank)
        slices.append(slice(int(seen[0]), int(seen[-1]) + 1) if len(seen) else slice(None))
    return slices[0], slices[1]


def _result(
    image: Image,
    window: Region,
    specimen: Specimen,
    scores: SiteScores,
    *,
    settings: Settings,
    lattice_constant: float,
    check: SelfCheck | None = None,
) -> Result:
    crystal = specimen.crystal
    corner = np.array([window[0].start or 0, window[1].start or 0])
    missing = scores.flagged & (scores.mean_ratio < _MISSING)
    hole = group_holes(crystal.sites.positions, missing, nearest=crystal.nearest)
    kind = np.where(scores.flagged, point_kinds(scores.mean_ratio, crystal.hollow, scores.shifted), "none")
    kind = np.where(hole >= 0, "hole", kind)
    summary = summarise(
        image,
        specimen,
        scores,
        kind,
        hole,
        settings=settings,
        lattice_constant=lattice_constant,
        check=check,
    )
    sites = _site_table(
        image, crystal, scores, kind, corner=corner, pixel_size=summary["pixel_size"], method=settings.method
    )
    domains = np.full(image.shape, -1, dtype=np.int8)
    domains[window] = specimen.domains
    return Result(
        image=image,
        sites=sites,
        defects=_defect_rows(sites, hole, nearest=crystal.nearest),
        domains=_domain_table(crystal, domains),
        maps={"motif": crystal.motif, "domain": domains},
        summary=summary,
    )


def _site_table(
    image: Image,
    crystal: PerfectCrystal,
    scores: SiteScores,
    kind: NDArray[np.str_],
    *,
    corner: NDArray[np.int_],
    pixel_size: float | None,
    method: str,
) -> pd.DataFrame:
    """One row per site, sublattice after sublattice."""
    sites = crystal.sites
    names = np.array([s.name for s in crystal.sublattices])
    ratio = scores.mean_ratio
    # nothing stands at an empty site: its position is where the lattice wants it
    empty = crystal.hollow | np.isin(kind, ("vacancy", "hole"))
    offset = np.where(empty[:, None], np.nan, crystal.offsets)
    place = sites.positions + corner + np.nan_to_num(offset)
    scale = math.nan if pixel_size is None else pixel_size
    columns = {
        "image": image.name,
        "frame": image.frame,
        "kind": kind,
        "y": place[:, 0],
        "x": place[:, 1],
        "dy": offset[:, 0],
        "dx": offset[:, 1],
        "y_A": place[:, 0] * scale,
        "x_A": place[:, 1] * scale,
        "length": crystal.nearest,
        "width": crystal.nearest,
        "angle": 0.0,
        "sublattice": names[sites.sublattice],
        "ratio": ratio,
        "z": scores.z,
        "score": scores.score,
        "p_value": scores.p_value,
        "q_value": scores.q_value,
        "method": method,
    }
    if image.n_channels > 1:
        columns |= {f"ratio_{c + 1}": values for c, values in enumerate(scores.ratio)}
    return defect_table(columns, n_channels=image.n_channels)


def _defect_rows(sites: pd.DataFrame, hole: NDArray[np.int_], *, nearest: float) -> pd.DataFrame:
    """One row per defect, the strangest first; the sites of a hole together are one."""
    rows = [sites[~sites["kind"].isin(("none", "hole"))]]
    for number in range(int(hole.max(initial=-1)) + 1):
        members = sites[hole == number]
        row = members.loc[[members["score"].idxmax()]].copy()
        middle = ["y", "x", "y_A", "x_A", "ratio"]
        row[middle] = members[middle].mean().to_numpy()[None]
        row[["length", "width", "angle"]] = [_box(members[["y", "x"]].to_numpy(), nearest)]
        row["sublattice"] = ""
        rows.append(row)
    defects = pd.concat(rows) if len(rows) > 1 else rows[0]
    return defects.sort_values(["score", "id"], ascending=[False, True]).reset_index(drop=True)


def _box(positions: NDArray[np.float64], nearest: float) -> tuple[float, float, float]:
    """Length, width [px] and angle [rad] of the box round columns at positions (n, 2) as (y, x)."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    length, width = np.ptp(centred @ axes, axis=0) + nearest
    angle = float(np.arctan2(axes[0, 0], axes[1, 0]) % np.pi)
    return (length, width, angle) if length >= width else (width, length, (angle + np.pi / 2) % np.pi)


def _domain_table(crystal: PerfectCrystal, domains: NDArray[np.int8]) -> pd.DataFrame:
    """One row per domain; the lattice is known only of the analysed one."""
    (ay, ax), (by, bx) = crystal.lattice.vectors
    area = np.bincount(domains[domains >= 0], minlength=1)
    table = pd.DataFrame(
        {"domain": np.arange(len(area)), "area": area, "analysed": np.arange(len(area)) == 0}
    )
    own = {
        "ay": ay,
        "ax": ax,
        "by": by,
        "bx": bx,
        "coherence": crystal.lattice.coherence,
        "n_sites": len(crystal.sites),
    }
    for name, value in own.items():
        table[name] = np.where(table["analysed"], float(value), np.nan)
    return table
