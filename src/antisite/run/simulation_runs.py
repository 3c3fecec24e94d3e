"""A specimen's image, the twin of an image, or the image of a structure: computed and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.images import read_image
from ..io.structures import read_structure
from ..simulate.memory import refuse_too_large
from ..simulate.progress import Progress
from ..simulate.scattering.optics import Optics
from .simulation import Simulation, blankness, saturation
from .simulation_files import (
    STRUCTURE,
    SUMMARY,
    TWINS,
    refuse_simulation,
    simulation_files,
    write_simulation,
    write_structure_image,
)

if TYPE_CHECKING:
    from ..image import Image
    from ..simulate.fit_conditions.fitted_conditions import FittedConditions

_UNTOLD = ("crystal", "shape", "name", "vibration")  # of fitted conditions: said elsewhere, or long
_SCALES_APART = 0.1


def run_simulation(
    chosen: Simulation,
    out: Path,
    *,
    overwrite: bool = False,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> tuple[Path, dict[str, Any]]:
    """Simulate a specimen and write its files.

    Returns
    -------
    The folder `out`/<name of the specimen>, and the summary in it.
    """
    crystal = chosen.find_crystal()
    chosen.check(crystal)
    folder = out / crystal.name
    files = simulation_files(crystal.name, len(chosen.optics.detectors))
    refuse_simulation(folder, files=files, overwrite=overwrite)
    image, truth = chosen.simulate(crystal, cache=cache, workers=workers, progress=progress)
    readout = chosen.recording.readout
    summary = write_simulation(
        replace(image, name=files[0]),
        truth,
        folder,
        name=crystal.name,
        settings=chosen.settings(),
        source=chosen.source,
        bits=readout.bits,
        cautions=[*chosen.optics.cautions, *blankness(image), *saturation(image, readout)],
    )
    return folder, summary


def run_twin(
    chosen: Simulation,
    like: Path,
    out: Path,
    *,
    beam: Mapping[str, Any] | None = None,
    shape: tuple[int, int] | None = None,
    lattice_constant: float = math.nan,
    overwrite: bool = False,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> tuple[Path, dict[str, Any]]:
    """Fit the conditions of an image, simulate its twin and write its files and `twins.png`.

    Parameters
    ----------
    chosen : specimen, defects and seed; the rest comes from the image.
    beam : fields of `Optics` that go before what the image names.
    shape : (y, x) px of the twin; that of the image by default.

    Returns
    -------
    The folder `out`/<stem of the image>_twin, and the summary in it.

    Raises
    ------
    NoLatticeError
        The image shows none.
    InputError
        It cannot be read or does not fit the specimen, or its beam is not known.
    """
    from ..plot.twins import twins_png
    from ..simulate.fit_conditions.fit import beam_of_image, fit_conditions
    from ..simulate.fit_conditions.twin import twin

    crystal = chosen.find_crystal()
    image = read_image(like)
    chosen = replace(chosen, shape=shape or image.shape, optics=beam_of_image(image, beam))
    chosen.check(crystal)
    name = f"{like.stem}_twin"
    folder = out / name
    files = [*simulation_files(name, image.n_channels), TWINS]
    refuse_simulation(folder, files=files, overwrite=overwrite)
    how: dict[str, Any] = {"cache": cache, "workers": workers, "progress": progress}
    fitted = fit_conditions(image, crystal, optics=chosen.optics, lattice_constant=lattice_constant, **how)
    made, truth = twin(fitted, defects=chosen.defects, shape=chosen.shape, rng=chosen.seed, **how)
    settings = chosen.settings()
    told = {
        name: settings[name] for name in ("specimen", "zone_axis", "thickness", "defects", "shape", "seed")
    }
    summary = write_simulation(
        replace(made, name=files[0]),
        truth,
        folder,
        name=name,
        settings=told,
        source=chosen.source,
        bits=_bits(fitted),
        cautions=[*fitted.cautions, *_scale_cautions(image, fitted)],
        told={"like": like.name, "fitted": fitted_settings(fitted)},
        extra={TWINS: twins_png(replace(image, pixel_size=fitted.pixel_size), made)},
    )
    return folder, summary


def _scale_cautions(image: Image, fitted: FittedConditions) -> list[str]:
    """What to know where the file's scale and the crystal's contradict each other."""
    told, found = image.pixel_size, fitted.pixel_size
    if not abs(found / told - 1) > _SCALES_APART:  # nor where the file tells none
        return []
    return [
        f"the file says {told:.4g} Å/px, the lattice of the specimen makes it {found:.4g}: either the scale "
        f"is wrong or the crystal is another"
    ]


def run_structure(
    path: Path,
    out: Path,
    *,
    optics: Optics,
    shape: tuple[int, int],
    overwrite: bool = False,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> tuple[Path, dict[str, Any]]:
    """Simulate one cell of a structure file, noiseless, and write `out`/image.npy.

    Returns
    -------
    The folder `out`, and the summary in it.
    """
    from ..simulate.structure_image import structure_image

    atoms = read_structure(path)
    refuse_too_large(shape, len(optics.detectors))
    refuse_simulation(out, files=[STRUCTURE, SUMMARY], overwrite=overwrite)
    pixels = structure_image(atoms, optics, shape=shape, cache=cache, workers=workers, progress=progress)
    settings = {"specimen": path.name, "periodic": True, "shape": list(shape), "optics": asdict(optics)}
    summary = write_structure_image(pixels, out, settings=settings, source=path, cautions=optics.cautions)
    return out, summary


def fitted_settings(fitted: FittedConditions) -> dict[str, Any]:
    """Fitted conditions, JSON-ready."""
    told = {name: value for name, value in asdict(fitted).items() if name not in _UNTOLD}
    return {"rotation": fitted.rotation, "mirrored": fitted.mirrored, "stretch": fitted.stretch, **told}


def _bits(fitted: FittedConditions) -> int:
    """Of whole numbers, where every detector recorded such; else 0."""
    bits = [detector.readout.bits for detector in fitted.detectors]
    return max(bits) if all(bits) else 0
