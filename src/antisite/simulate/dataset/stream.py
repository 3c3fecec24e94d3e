"""An endless stream of labelled fields: the patches around their sites, or whole images.

Field number i follows from the seed and i alone, whoever makes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...defects import KINDS
from ...errors import InputError
from ...image import Image
from ..crystals.crystal import Crystal
from ..crystals.scene import Scene
from ..memory import refuse_too_large
from ..point_defects.planting import plant_defects
from ..progress import Progress
from ..recording.recording import Scan, record_field
from ..recording.scanned_scene import scan_scene
from ..render.patch_cutting import cut_patches
from ..truth.label_files import Labelled
from ..truth.truth import scene_truth
from .case_tables import CaseTables, prepare_cases
from .cases import Case, case_conditions, condition_names
from .field_layout import lay_out_field
from .line_defects import check_lines, put_line
from .ordered_threads import in_order

REACH = 5.0
"""Å outside the probe beyond which a column is part of a uniform level.

Against columns to the end of their tables that changes a field by 0.03 % of its contrast (rms; at most
0.15 %) in sheets of dichalcogenides, by at most 0.5 % in 50 Å of gold at 40–90 mrad: no pixel by more than
0.02 of its noise at 1e4 e/Å².
"""
_GRID = 2.0**-12  # px, of places that the scan has moved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patches:
    """The windows around the sites of one field, and what stands in their middle.

    Neighbours share pixels: keep the patches of a field on one side of a split.

    Parameters
    ----------
    patches : (n, n_detectors, size, size) electrons, or what the read-out makes of them.
    kind : (n,) index into `antisite.defects.KINDS`.
    species : (n,) atomic number of the element that does not belong there, or of the column's own; 0 where
        one is missing.
    sublattice : (n,) index into the columns of the crystal; −1: hollow.
    offset : (n, 2) px, (y, x) of the site from the pixel at `size // 2`.
    conditions : (m,), see `PatchStream.condition_names`.
    field, case : numbers of the field and of its case.
    """

    patches: NDArray[np.float32]
    kind: NDArray[np.uint8]
    species: NDArray[np.uint8]
    sublattice: NDArray[np.int16]
    offset: NDArray[np.float32]
    conditions: NDArray[np.float32]
    field: int
    case: int

    def __len__(self) -> int:
        return len(self.patches)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchStream:
    """Fields of several cases by turns, each in a random direction at a random place.

    Parameters
    ----------
    cases : with equally many detectors each.
    size : px, edge of a patch.
    shape : (y, x) px of a field.
    pixel_size : Å/px
    reach : Å outside the probe and the source, beyond which a column is part of a uniform level; None: the
        reach of its table.
    seed : 0 or more.
    cache, workers, progress : folder that keeps tables, threads that compute them, and what wraps the columns
        meanwhile.

    Raises
    ------
    InputError
        No case, a field that holds no patch or does not fit into memory, a line that its crystal has not, or
        a value out of range.

    Examples
    --------
    >>> from antisite.simulate.scattering.optics import Optics
    >>> still = Case(specimen="graphene", optics=Optics(static=True))
    >>> stream = PatchStream(cases=(still,), size=8, shape=(32, 32), seed=1)
    >>> first = stream.patches_of(0)
    >>> first.patches.shape[1:], [KINDS[kind] for kind in set(first.kind.tolist())]
    ((1, 8, 8), ['none'])
    """

    cases: tuple[Case, ...]
    size: int = 32
    shape: tuple[int, int] = (512, 512)
    pixel_size: float = 0.2
    reach: float | None = REACH
    seed: int = 0
    cache: InitVar[Path | None] = None
    workers: InitVar[int] = 1
    progress: InitVar[Progress] = iter
    tables: tuple[CaseTables, ...] = field(init=False, repr=False)

    def __post_init__(self, cache: Path | None, workers: int, progress: Progress) -> None:
        n_detectors = {len(case.optics.detectors) for case in self.cases}
        if len(n_detectors) != 1:
            raise InputError(
                f"a stream needs cases with equally many detectors, got {sorted(n_detectors) or 'no case'}"
            )
        if not 1 <= self.size <= min(self.shape):
            raise InputError(
                f"size of patches must be 1 px to the {min(self.shape)} px of a field, got {self.size}"
            )
        if not 0 < self.pixel_size < math.inf:
            raise InputError(f"pixel_size must be positive and finite [Å/px], got {self.pixel_size:g}")
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}")
        crystals = [case.find_crystal() for case in self.cases]
        self._check_memory(crystals)
        for case, crystal in zip(self.cases, crystals, strict=True):
            check_lines(case.lines, crystal, shape=self.shape, pixel_size=self.pixel_size)
        tables = prepare_cases(
            self.cases,
            pixel_size=self.pixel_size,
            reach=self.reach,
            cache=cache,
            workers=workers,
            progress=progress,
        )
        object.__setattr__(self, "tables", tables)

    @property
    def condition_names(self) -> tuple[str, ...]:
        """What the numbers in `Patches.conditions` are."""
        return condition_names(len(self.cases[0].optics.detectors))

    def __iter__(self) -> Iterator[Patches]:
        return self.patches()

    def patches(self, start: int = 0, stop: int | None = None, *, workers: int = 1) -> Iterator[Patches]:
        """The patches of one field after the other, in the same order for any number of workers.

        Parameters
        ----------
        start, stop : number of the first field, and of the first one that is left out; None: never ends.
        workers : threads.
        """
        return in_order(self.patches_of, start, stop, workers=workers)

    def images(self, start: int = 0, stop: int | None = None, *, workers: int = 1) -> Iterator[Labelled]:
        """The same fields as whole images with names, for the writers of `label_files`."""
        return in_order(self.image_of, start, stop, workers=workers)

    def patches_of(self, number: int) -> Patches:
        """The patches of one field; there may be none."""
        scene, pixels, dose = self.field_of(number)
        positions = scene.positions
        windows, kept = cut_patches(pixels, positions, self.size)
        places = positions[kept]
        own, sites = number % len(self.cases), scene.sites[kept]
        return Patches(
            patches=windows,
            kind=pd.Index(KINDS).get_indexer(pd.Index(sites["kind"])).astype(np.uint8),
            species=_atomic_numbers(sites["species"]),
            sublattice=sites["index"].to_numpy(np.int16),
            offset=(places - np.floor(places + 0.5)).astype(np.float32),
            conditions=case_conditions(self.cases[own], scene.crystal, dose=dose, pixel_size=self.pixel_size),
            field=number,
            case=own,
        )

    def image_of(self, number: int) -> Labelled:
        """Name, image and truth of one field."""
        scene, pixels, dose = self.field_of(number)
        conditions = self.cases[number % len(self.cases)].optics.conditions(dose=dose)
        name = f"{scene.crystal.name}_{number:08d}"
        image = Image(pixels, pixel_size=self.pixel_size, conditions=conditions, name=name)
        return name, image, scene_truth(scene)

    def field_of(self, number: int) -> tuple[Scene, NDArray[np.float32], float]:
        """A scene where the scan shows it, its recorded pixels, and the dose."""
        if number < 0:
            raise InputError(f"the number of a field must be 0 or more, got {number}")
        own = number % len(self.cases)
        case, tables = self.cases[own], self.tables[own]
        seeds = np.random.SeedSequence([self.seed, number])
        for_place, for_defects, for_scan, for_record, for_line = np.random.default_rng(seeds).spawn(5)
        dose, line = case.draw_dose(for_place), case.lines.draw(for_line)
        scan = case.recording.scan
        margin = tables.render.stamps.along_y.half + 2 + scan.reach
        if line:
            margin = max(margin, math.hypot(*self.shape))
        scene = lay_out_field(
            tables.crystal, shape=self.shape, pixel_size=self.pixel_size, margin=margin, rng=for_place
        )
        if line:
            scene = put_line(scene, line, rng=for_line)
        scene = plant_defects(scene, case.defects, rng=for_defects)
        rows = np.array([tables.rows[column] for column in scene.atoms])[scene.sites["atoms"]]
        scene, row_shift = scan_scene(scene, scan, rng=for_scan)
        if line or scan != Scan():  # sines and exponentials end in other digits on other processors
            y, x = (np.round(scene.positions / _GRID) * _GRID).T
            scene = replace(scene, sites=scene.sites.assign(y=y, x=x))
            row_shift = None if row_shift is None else np.round(row_shift / _GRID) * _GRID
        signal = tables.render(scene.positions, rows, shape=self.shape, row_shift=row_shift)
        pixels = record_field(
            signal,
            dose=dose,
            pixel_size=self.pixel_size,
            contamination=case.recording.contamination,
            readout=case.recording.readout,
            rng=for_record,
        )
        return scene, pixels, dose

    def _check_memory(self, crystals: Sequence[Crystal]) -> None:
        """Refuse fields that cannot be held one at a time, with all their patches."""
        densest = max(len(crystal.columns) / abs(np.linalg.det(crystal.cell)) for crystal in crystals)
        n_detectors = len(self.cases[0].optics.detectors)
        n_patches = densest * math.prod(self.shape) * self.pixel_size**2
        refuse_too_large(self.shape, n_detectors, 4 * n_detectors * n_patches * self.size**2)


def _atomic_numbers(species: pd.Series) -> NDArray[np.uint8]:
    from ase.data import atomic_numbers

    codes, present = pd.factorize(species)
    return np.array([atomic_numbers[name] if name else 0 for name in present], np.uint8)[codes]
