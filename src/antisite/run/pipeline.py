"""The main job: an image in, a table of its defects out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..crystal.domains import SpectrumDomainFinder
from ..defects import defect_table
from ..detect.patterson_defects import PattersonFinder
from ..detect.patterson_domains import PattersonDomainFinder
from ..detect.point_defects import PointDefectFinder
from ..detect.site_finder import SiteFinder
from ..detect.site_scores import SiteScores
from ..errors import InputError
from ..image import Image, Region
from ..result import Result
from .crystal_search import Specimen, find_specimen
from .grain import judge_grains
from .planar_rows import planar_rows, sites_of_lines
from .planar_summary import summarise_planar
from .self_check import SelfCheck, check_detection
from .settings import Settings
from .site_table import defect_rows, domain_table, site_table
from .strain_maps import map_strain
from .summary import summarise, summarise_nothing


def find_defects(
    image: Image, *, settings: Settings | None = None, lattice_constant: float = math.nan
) -> Result:
    """Find the crystal defects of an image, without labels, training or tuning.

    The image is compared with the perfect crystals that it shows itself: every site with
    those of its own sublattice and grain nearby.

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
    >>> from antisite.simulate.sketch.image import sketch_image
    >>> image, truth = sketch_image("graphene", shape=(128, 128), pixel_size=0.2, rng=0)
    >>> result = antisite.find_defects(image)
    >>> len(result.defects)
    0
    """
    with threadpool_limits(1, user_api="blas"):  # the matrices are small: more threads wait for each other
        return _find(image, settings or Settings(), lattice_constant)


def _find(image: Image, settings: Settings, lattice_constant: float) -> Result:
    window = analysed_window(image)
    search = partial(
        find_specimen,
        planar=settings.planar,
        finder=PattersonDomainFinder() if settings.method == "patterson" else SpectrumDomainFinder(),
        seed=settings.seed,
    )
    specimen = search(image.channels[:, *window], image.mask[window])
    finder = choose_finder(settings)
    evidence = [finder.measure(specimen.channels, crystal) for crystal in specimen.crystals]
    check = (
        check_detection(specimen, finder, evidence, search=search, seed=settings.seed)
        if settings.self_check
        else None
    )
    scores = (
        check.scores
        if check
        else [finder.decide(own, crystal) for own, crystal in zip(evidence, specimen.crystals, strict=True)]
    )
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
    """What `find_defects` compares with: lattices, sublattices and sites, nothing scored.

    Domains are those of windows; neither where exactly they meet nor their strain is looked at. Raises
    the same errors.
    """
    settings = Settings(planar=False)
    window = analysed_window(image)
    specimen = find_specimen(image.channels[:, *window], image.mask[window])
    nothing = [
        SiteScores.empty(
            len(crystal.sites), n_channels=image.n_channels, n_sublattices=len(crystal.sublattices)
        )
        for crystal in specimen.crystals
    ]
    return _result(image, window, specimen, nothing, settings=settings, lattice_constant=lattice_constant)


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
    scores: Sequence[SiteScores],
    *,
    settings: Settings,
    lattice_constant: float,
    check: SelfCheck | None = None,
) -> Result:
    grains = judge_grains(specimen.crystals, scores)
    summary = summarise(
        image, specimen, grains, settings=settings, lattice_constant=lattice_constant, check=check
    )
    corner = np.array([window[0].start or 0, window[1].start or 0])
    pixel_size = summary["pixel_size"]
    sites = site_table(image, grains, corner=corner, pixel_size=pixel_size, method=settings.method)
    points = defect_rows(sites, np.concatenate([grain.hole for grain in grains]))
    lines = planar_rows(
        image, specimen, corner=corner, pixel_size=pixel_size, first_id=len(sites), like=points
    )
    strain: dict[str, NDArray[np.float32]] = {}
    if settings.planar:
        summary["counts"] |= {str(kind): int(n) for kind, n in lines["kind"].value_counts(sort=False).items()}
        summary["planar"] = summarise_planar(
            specimen, corner=corner, pixel_size=pixel_size, first_id=len(sites)
        )
        mean = np.asarray(np.mean(specimen.channels, axis=0), dtype=np.float32)
        summary["strain"], strain = map_strain(
            mean, specimen.crystals, origin=(int(corner[0]), int(corner[1]))
        )
    domains = np.full(image.shape, -1, dtype=np.int8)
    domains[window] = specimen.domains
    motifs: dict[str, NDArray[np.generic]] = {
        f"motif_{grain.number}" if grain.number else "motif": grain.crystal.motif for grain in grains
    }
    return Result(
        image=image,
        sites=sites_of_lines(sites, specimen, corner=corner),
        defects=pd.concat([lines, points], ignore_index=True) if len(lines) else points,
        domains=domain_table(specimen.crystals, domains),
        maps=motifs | {"domain": domains} | strain,
        summary=summary,
    )
