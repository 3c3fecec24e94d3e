"""What two neighbouring columns send to a detector beyond what each sends alone.

Waves scattered by neighbours interfere. On a detector far from the probe's disc the fringes average out;
close to it they do not, and the sum of columns that stand alone is a few per cent too bright.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..crystals.column_atoms import ColumnAtoms
from ..progress import Progress
from .column_multislice import PlacedAtom, collect
from .optics import Optics
from .probe import WaveGrid
from .responses import Responses, blur_tables, table_step, widest_probe

CLOSE = 1.3
"""Convergence angles below which a detector begins that sees neighbours interfere."""
FARTHEST = 3.4
"""Å between columns whose interference is followed."""
_REACH = 3.6  # Å from the middle of a pair, beyond the probe's radius
_TAPER = 0.6  # Å
_LEAST_BOX = 20.0  # Å
_GAP = 0.85  # spacing of probes over the finest that a probe of this aperture can show
_STEPS = 0.05, math.radians(1)  # Å and rad; pairs that differ by less are alike


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns side by side.

    Parameters
    ----------
    first, second : what they hold.
    distance : Å
    direction : rad from the first to the second, from +x towards +y.
    """

    first: ColumnAtoms
    second: ColumnAtoms
    distance: float
    direction: float


def find_pairs(
    positions: NDArray[np.floating],
    index: NDArray[np.integer],
    atoms: Sequence[ColumnAtoms],
    *,
    cell: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.int_], tuple[Pair, ...]]:
    """Columns of a periodic structure that interfere: middles (N, 2) Å, index (N,) and the pairs.

    Parameters
    ----------
    positions : (N, 2) Å (y, x)
    index : (N,) into `atoms`.
    cell : (2, 2) Å, rows (y, x).
    """
    from scipy.spatial import cKDTree

    reach = np.ceil(FARTHEST * np.linalg.norm(np.linalg.inv(cell), axis=0)).astype(int)
    shifts = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 2)
    images = (positions + (shifts @ cell)[:, None]).reshape(-1, 2)
    owner = np.tile(np.arange(len(positions)), len(shifts))
    near = cKDTree(positions).sparse_distance_matrix(cKDTree(images), FARTHEST, output_type="ndarray")
    first, second = near["i"], near["j"]
    apart = images[second] - positions[first]
    order = np.array([sorted(atoms).index(one) for one in atoms])[index]
    rank = order[first] - order[owner[second]]
    once = (rank < 0) | (
        (rank == 0) & ((apart[:, 0] > 1e-6) | ((abs(apart[:, 0]) <= 1e-6) & (apart[:, 1] > 0)))
    )
    once &= near["v"] > 1e-6
    first, second, apart = first[once], second[once], apart[once]
    steps = np.stack([np.hypot(*apart.T) / _STEPS[0], np.arctan2(*apart.T) / _STEPS[1]], axis=1)
    keys = np.column_stack([index[first], index[owner[second]], np.round(steps)]).astype(int)
    kinds, which = np.unique(keys, axis=0, return_inverse=True)
    pairs = tuple(Pair(atoms[a], atoms[b], r * _STEPS[0], turn * _STEPS[1]) for a, b, r, turn in kinds)
    return (positions[first] + apart / 2), np.asarray(which.reshape(-1)), pairs


def pair_responses(
    pairs: Sequence[Pair],
    optics: Optics,
    *,
    workers: int = 1,
    progress: Progress = iter,
) -> Responses:
    """Tables of pairs, about their middles; atoms stand still.

    Parameters
    ----------
    workers : threads.
    progress : wraps the pairs that are computed; those that differ by direction alone are one.

    Raises
    ------
    InputError
        The probe is not round.
    """
    if not optics.is_round:
        raise InputError(
            f"for a detector that begins below {CLOSE:g} convergence angles the probe must be round, got "
            f"astigmatism {optics.astigmatism[0]:g} Å and coma {optics.coma[0]:g} Å "
            f"(take a larger inner angle)"
        )
    step = table_step(optics)
    wide = widest_probe([atoms for pair in pairs for atoms in (pair.first, pair.second)], optics)
    along_x = {pair: replace(pair, direction=0.0) for pair in pairs}
    wanted = list(dict.fromkeys(along_x.values()))
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        found = list(progress(pool.map(lambda pair: _interference(pair, optics, wide), wanted)))
    known = dict(zip(wanted, found, strict=True))
    reach = _REACH + wide
    half = round(reach / step)
    axis = step * np.arange(-half, half + 1)
    values = [
        _turned(places, extra, axis, pair.direction, reach)
        for pair, (places, extra) in ((pair, known[along_x[pair]]) for pair in pairs)
    ]
    tables = np.array(values, np.float32).reshape(-1, len(optics.detectors), len(axis), len(axis))
    return Responses(
        values=blur_tables(tables, optics.source_size / step),
        step=step,
        vacuum=np.zeros(len(optics.detectors)),
    )


def _interference(pair: Pair, optics: Optics, wide: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (n,) Å along either axis, and (n_detectors, n, n) what the pair adds, the first to its left."""
    gap = _GAP * optics.wavelength / (4e-3 * optics.convergence)
    n = math.ceil((_REACH + wide) / gap)
    places = gap * np.arange(-n, n + 1)
    right = np.stack(np.meshgrid(places[n:], places, indexing="ij"), axis=-1).reshape(-1, 2)
    lone = [_placed(pair.first, -pair.distance / 2), _placed(pair.second, pair.distance / 2)]
    grid = WaveGrid(optics, max(_LEAST_BOX, 2 * (_REACH + FARTHEST + wide)))
    both = collect([*lone[0], *lone[1]], right, grid)
    extra = both - sum(collect(one, right, grid) for one in lone)
    half = extra.reshape(len(extra), n + 1, 2 * n + 1)
    return np.asarray(places), np.concatenate([half[:, :0:-1], half], axis=1)


def _placed(column: ColumnAtoms, x: float) -> list[PlacedAtom]:
    return [PlacedAtom(s, z, 0.0, x) for s, z in zip(column.symbols, column.heights, strict=True)]


def _turned(
    places: NDArray[np.float64],
    extra: NDArray[np.float64],
    axis: NDArray[np.floating],
    direction: float,
    reach: float,
) -> NDArray[np.float64]:
    """The table of a pair that points another way, faded at its rim."""
    from scipy.interpolate import RectBivariateSpline

    y, x = axis[:, None], axis
    along = x * math.cos(direction) + y * math.sin(direction)
    across = y * math.cos(direction) - x * math.sin(direction)
    fade = np.clip((reach - np.hypot(y, x)) / _TAPER, 0, 1)
    splines = [RectBivariateSpline(places, places, one, kx=5, ky=5) for one in extra]
    return np.array([spline(across, along, grid=False) * fade for spline in splines])
