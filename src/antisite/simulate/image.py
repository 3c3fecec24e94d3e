"""From a specimen to its recorded image, and what is really in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.random import Generator

from ..image import Image
from .crystals.crystal import Crystal
from .crystals.library import find_specimen
from .crystals.scene import Scene, perfect_scene
from .point_defects.planting import PointDefects, plant_defects
from .progress import Progress
from .recording.recording import Recording, Scan, record_field
from .recording.scanned_scene import scan_scene
from .scattering.optics import Optics
from .scattering.responses import compute_responses, widest_probe
from .truth.truth import Truth, scene_truth


def simulate_image(
    specimen: str | Path | Crystal,
    *,
    defects: PointDefects | None = None,
    optics: Optics | None = None,
    recording: Recording | None = None,
    shape: tuple[int, int] = (512, 512),
    pixel_size: float = 0.2,
    rotation: float = 0.0,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
    rng: int | Generator | None = None,
) -> tuple[Image, Truth]:
    """An image of a specimen with point defects, computed from its atoms.

    Parameters
    ----------
    specimen : name in the library, a structure file that ASE reads, or a crystal.
    defects : which, and how many; none by default.
    optics : beam and detectors; 80 kV, 30 mrad and 70–200 mrad by default.
    recording : scan, dose and read-out; by default no noise: the image is the share of the beam.
    shape : (y, x) px
    pixel_size : Å/px
    rotation : rad, direction of the crystal's `a` from +x towards +y.
    cache : folder that keeps the columns' tables; without one they are computed anew.
    workers : threads that compute tables.
    progress : wraps the columns while their tables are computed.
    rng : seed or generator; the same gives the same image.

    Raises
    ------
    InputError
        An unknown specimen, or a value out of range.

    Examples
    --------
    >>> still = Optics(static=True)
    >>> image, truth = simulate_image(
    ...     "graphene", defects=PointDefects(vacancies={"C": 0.05}), optics=still, shape=(48, 64), rng=1
    ... )
    >>> image.shape, sorted(set(truth.sites["kind"]))
    ((48, 64), ['none', 'vacancy'])
    """
    crystal = specimen if isinstance(specimen, Crystal) else find_specimen(specimen)
    for_place, for_defects, for_record = np.random.default_rng(rng).spawn(3)
    optics, recording = optics or Optics(), recording or Recording()
    further = further_reach(crystal, optics, recording.scan, pixel_size=pixel_size)
    scene = perfect_scene(
        crystal, shape=shape, pixel_size=pixel_size, rotation=rotation, further=further, rng=for_place
    )
    scene = plant_defects(scene, defects or PointDefects(), rng=for_defects)
    return image_scene(
        scene,
        optics=optics,
        recording=recording,
        cache=cache,
        workers=workers,
        progress=progress,
        rng=for_record,
    )


def further_reach(crystal: Crystal, optics: Optics, scan: Scan, *, pixel_size: float) -> float:
    """Px, from how much farther columns come to a frame than to a sharp probe that stays in place."""
    wide = widest_probe((column.atoms for column in crystal.columns), optics) + 2 * optics.source_size
    return float(scan.reach + wide / pixel_size)


def image_scene(
    scene: Scene,
    *,
    optics: Optics,
    recording: Recording,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
    rng: int | Generator | None = None,
) -> tuple[Image, Truth]:
    """An image of a scene, and what is in its frame.

    The truth holds drift and flyback (everything is where it appears) but not the jitter of single rows.

    Parameters
    ----------
    scene : with defects in it or not.
    optics, recording, cache, workers, progress, rng : as in `simulate_image`.
    """
    from .render.field import FieldRenderer

    for_scan, for_counts = np.random.default_rng(rng).spawn(2)
    moved, row_shift = scan_scene(scene, recording.scan, rng=for_scan)
    sites = moved.sites
    index = (sites["atoms"] if "atoms" in sites else sites["index"]).to_numpy()
    used, index = np.unique(index, return_inverse=True)
    responses = compute_responses(
        [scene.atoms[i] for i in used], optics, cache=cache, workers=workers, progress=progress
    )
    render = FieldRenderer(responses=responses, pixel_size=scene.pixel_size)
    signal = render(moved.positions, index, shape=scene.shape, row_shift=row_shift)
    pixels = record_field(
        signal,
        dose=recording.dose,
        pixel_size=scene.pixel_size,
        contamination=recording.contamination,
        readout=recording.readout,
        rng=for_counts,
    )
    conditions = optics.conditions(dose=recording.dose)
    name = f"simulated_{scene.crystal.name}"
    image = Image(pixels, pixel_size=scene.pixel_size, conditions=conditions, name=name)
    return image, scene_truth(moved)
