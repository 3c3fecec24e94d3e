"""Tables for many cases at once: cases that share beam, detectors or columns share what is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...conditions import Detector
from ..crystals.column_atoms import ColumnAtoms
from ..crystals.crystal import Crystal
from ..progress import Progress
from ..render.field import FieldRenderer
from ..scattering.optics import Optics
from ..scattering.responses import Responses, compute_responses, widest_probe
from .cases import Case
from .possible_columns import possible_columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseTables:
    """What the fields of one case are made with.

    Parameters
    ----------
    crystal : the specimen.
    rows : where the renderer has each column.
    render : columns to images, the same object for all cases with the same optics.
    """

    crystal: Crystal
    rows: dict[ColumnAtoms, int]
    render: FieldRenderer


def prepare_cases(
    cases: Sequence[Case],
    *,
    pixel_size: float,
    reach: float | None = None,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> tuple[CaseTables, ...]:
    """Compute the tables of all cases, in their order; detectors of one beam are computed together.

    Parameters
    ----------
    pixel_size : Å/px
    reach : Å outside the probe and the source, columns end there; None: with their table.
    cache, workers, progress : as in `compute_responses`, which is called for each beam.
    """
    crystals = [case.find_crystal() for case in cases]
    columns = [possible_columns(crystal, case.defects) for crystal, case in zip(crystals, cases, strict=True)]
    beams = [_beam(case.optics) for case in cases]
    rows: dict[Optics, dict[ColumnAtoms, int]] = {}
    renderers: dict[tuple[Optics, tuple[Detector, ...]], FieldRenderer] = {}
    for beam in dict.fromkeys(beams):
        own = [i for i, one in enumerate(beams) if one == beam]
        atoms = tuple(dict.fromkeys(column for i in own for column in columns[i]))
        rows[beam] = {column: row for row, column in enumerate(atoms)}
        wanted = dict.fromkeys(cases[i].optics.detectors for i in own)
        detectors = tuple(dict.fromkeys(ring for rings in wanted for ring in rings))
        optics = replace(cases[own[0]].optics, detectors=detectors)
        responses = compute_responses(atoms, optics, cache=cache, workers=workers, progress=progress)
        end = None if reach is None else reach + widest_probe(atoms, optics) + optics.source_size
        for rings in wanted:
            some = _of_detectors(responses, [detectors.index(ring) for ring in rings])
            renderers[beam, rings] = FieldRenderer(responses=some, pixel_size=pixel_size, reach=end)
    return tuple(
        CaseTables(crystal=crystal, rows=rows[beam], render=renderers[beam, case.optics.detectors])
        for crystal, beam, case in zip(crystals, beams, cases, strict=True)
    )


def tables_checksum(tables: Iterable[CaseTables]) -> str:
    """SHA-256 of all that the tables add to images."""
    checksum = hashlib.sha256()
    for render in dict.fromkeys(one.render for one in tables):
        for lines in (render.stamps.along_y, render.stamps.along_x):
            checksum.update(np.ascontiguousarray(lines.values).tobytes())
        checksum.update(render.stamps.beyond.tobytes() + render.responses.vacuum.tobytes())
    return checksum.hexdigest()


def _beam(optics: Optics) -> Optics:
    """The optics without what tells detectors apart."""
    return replace(optics, detectors=(Detector(inner=1000 - 1e-3, outer=1000),))


def _of_detectors(responses: Responses, which: list[int]) -> Responses:
    return replace(
        responses,
        values=np.ascontiguousarray(responses.values[:, which]),
        vacuum=responses.vacuum[which],
    )
