"""How much of the beam each detector sees when the probe stands near a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..crystals.column_atoms import ColumnAtoms
from ..progress import Progress
from .column_multislice import PlacedAtom, collect
from .optics import Optics
from .probe import WaveGrid
from .response_cache import read_table, write_table
from .thermal import common_displacement, mutual_displacements

_REACH = 9.0  # Å beyond the probe's radius; a column farther away adds less than its neighbours' noise
_RINGS = 3.6  # wavelengths over the convergence, as far as the rings around a probe are followed at least
_WIDEST_PROBE, _WIDEST_SOURCE = 30.0, 2.5  # Å
_COARSEST_PROBE = 3.0  # Å, by Rayleigh's criterion
_TAPER = 1.5  # Å over which a table fades to nothing at its rim
_ROOM = 1.0  # Å between the farthest probe and the edge of the box
_PROBES = 0.6  # spacing of probes over the finest that a probe of this aperture can show
_POINTS = 0.45  # the same of the table's points, between which a cubic spline has to do
_COARSEST = 0.15  # Å between points of a table
_N_SETS = 8  # of displacements, drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Responses:
    """Tables of the signal against the place of the probe, one for each kind of column.

    The image of a thin crystal is `vacuum` plus the sum of its columns' responses.

    Parameters
    ----------
    values : (n, n_detectors, k, k), share of the beam less that without a column; the column stands in the
        middle (k is odd); fine enough for a cubic spline between its points.
    step : Å between the points.
    vacuum : (n_detectors,) share of the beam that each detector sees without a specimen.
    """

    values: NDArray[np.float32]
    step: float
    vacuum: NDArray[np.float64]

    @property
    def reach(self) -> float:
        """Å from the column to the rim of its table."""
        return self.step * int(self.values.shape[-1] // 2)


def compute_responses(
    atoms: Sequence[ColumnAtoms],
    optics: Optics,
    *,
    sampled: bool = False,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> Responses:
    """Tables of columns that stand alone, by multislice; atoms swing about their places unless static.

    What two neighbours do together is left out: at 40 mrad and more it is below 1 % of a column's peak, at
    30–60 mrad a few per cent.

    Parameters
    ----------
    atoms : the columns, equal ones computed once; an empty one gives zeros.
    sampled : potentials on a grid, as multislice programs have them, instead of exact ones.
    cache : folder that keeps tables from run to run.
    workers : threads.
    progress : wraps the columns that are computed.

    Raises
    ------
    InputError
        An element without scattering factors, or a probe wider than a table.
    """
    _check_that_it_fits(optics)
    step = table_step(optics)
    blurred = replace(optics, source_size=0.0)
    wanted = [column for column in dict.fromkeys(atoms) if column.symbols]

    def table(column: ColumnAtoms) -> NDArray[np.float32]:
        known = read_table(cache, column, blurred, sampled)
        if known is None:
            known = _column_table(column, blurred, step, sampled)
            write_table(cache, column, blurred, sampled, known)
        return known

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        tables = dict(zip(wanted, progress(pool.map(table, wanted)), strict=True))
    k = max((table.shape[-1] for table in tables.values()), default=1)
    values = np.zeros((len(atoms), len(optics.detectors), k, k), np.float32)
    for value, column in zip(values, atoms, strict=True):
        if column in tables:
            rim = (k - tables[column].shape[-1]) // 2
            value[:, rim : k - rim, rim : k - rim] = tables[column]
    return Responses(
        values=blur_tables(values, optics.source_size / step),
        step=step,
        vacuum=_vacuum(optics),
    )


def _check_that_it_fits(optics: Optics) -> None:
    """Refuse probes that see no columns, or are wider than tables hold: their light would be lost."""
    least = 610 * optics.wavelength / _COARSEST_PROBE
    if optics.convergence < least:
        raise InputError(
            f"a probe of {optics.beam_energy / 1e3:g} keV must converge by {least:.2g} mrad at least to "
            f"resolve {_COARSEST_PROBE:g} Å, got {optics.convergence:g} mrad (columns are nearer than that)"
        )
    radius = optics.probe_radius()
    if not (radius <= _WIDEST_PROBE and optics.source_size <= _WIDEST_SOURCE):
        raise InputError(
            f"aberrations may widen the probe by {_WIDEST_PROBE:g} Å, the source by {_WIDEST_SOURCE:g} Å, "
            f"got {radius:.3g} and {optics.source_size:g} Å (a column's table has to hold its image: "
            f"take a smaller defocus, spherical aberration or source)"
        )


def widest_probe(atoms: Iterable[ColumnAtoms], optics: Optics) -> float:
    """Å by which the probe is wider than a sharp one where it meets atoms: by its rays and diffraction.

    Raises
    ------
    InputError
        It is wider than tables of columns hold.
    """
    _check_that_it_fits(optics)
    rings = max(0.0, _RINGS * optics.wavelength / (1e-3 * optics.convergence) - _REACH)
    heights = {0.0, *(height for one in atoms for height in one.heights)}
    return rings + max(optics.probe_radius(height) for height in heights)


def table_step(optics: Optics) -> float:
    """Å between the points of a table."""
    return min(_COARSEST, _POINTS * _finest(optics))


def blur_tables(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Tables (…, k, k) as a source of finite size records them.

    Parameters
    ----------
    sigma : points, standard deviation of the source.
    """
    if not sigma:
        return values
    from scipy.fft import irfft2, rfft2

    k = values.shape[-1]
    wide = k + 8 * int(np.ceil(sigma))
    frequency = np.fft.fftfreq(wide)[:, None] ** 2 + np.fft.rfftfreq(wide) ** 2
    spectrum = rfft2(values, s=(wide, wide)) * np.exp(-2 * (np.pi * sigma) ** 2 * frequency).astype(
        np.float32
    )
    return np.asarray(irfft2(spectrum, s=(wide, wide))[..., :k, :k], np.float32)


def _finest(optics: Optics) -> float:
    """Å, distance of probes below which an image holds nothing new."""
    return optics.wavelength / (4e-3 * optics.convergence)


def _vacuum(optics: Optics) -> NDArray[np.float64]:
    """Share of the disc of the probe that lies on each detector."""
    angles = np.array([(ring.inner, ring.outer) for ring in optics.detectors])
    inner, outer = np.minimum(angles / optics.convergence, 1).T
    return np.asarray(outer**2 - inner**2)


def _column_table(column: ColumnAtoms, optics: Optics, step: float, sampled: bool) -> NDArray[np.float32]:
    """(n_detectors, k, k) the table of one column, no source size."""
    if optics.static:
        sets, weights = np.zeros((1, len(column.symbols), 2)), np.ones(1)
    else:
        sets, weights = mutual_displacements(column.symbols, n=_N_SETS, is_round=optics.is_round)
    reach = _REACH + widest_probe([column], optics)
    probes, spread = _probes(optics, step, reach)
    grid = WaveGrid(optics, 2 * (reach + _ROOM), coarse=sampled)
    signal = np.zeros((len(optics.detectors), len(probes)))
    for moved, weight in zip(sets, weights, strict=True):
        placed = [
            PlacedAtom(symbol, height, float(y), float(x))
            for symbol, height, (y, x) in zip(column.symbols, column.heights, moved, strict=True)
        ]
        signal += collect(placed, probes, grid) * weight
    shared = 0.0 if optics.static else common_displacement(column.symbols)
    return blur_tables(spread(signal), shared / step)


def _probes(
    optics: Optics, step: float, reach: float
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float32]]]:
    """Where probes are put (N, 2) Å, and how their signals (n_detectors, N) become a table."""
    from scipy.interpolate import RectBivariateSpline, make_interp_spline

    half = round(reach / step)
    axis = step * np.arange(-half, half + 1)
    radius = np.hypot(axis[:, None], axis)
    fade = np.clip((reach - radius) / _TAPER, 0, 1)
    fade = 0.5 - 0.5 * np.cos(np.pi * fade)
    gap = _PROBES * _finest(optics)
    if optics.is_round:
        r = gap * np.arange(int(np.ceil(reach / gap)) + 1)

        def turned(signal: NDArray[np.float64]) -> NDArray[np.float32]:
            both = np.concatenate([signal[:, :0:-1], signal], axis=1)
            spline = make_interp_spline(np.concatenate([-r[:0:-1], r]), both, k=7, axis=1)
            return np.asarray(spline(np.minimum(radius, r[-1])) * fade, np.float32)

        return np.stack([np.zeros_like(r), r], axis=1), turned
    places = gap * np.arange(-int(np.ceil(reach / gap)), int(np.ceil(reach / gap)) + 1)

    def gridded(signal: NDArray[np.float64]) -> NDArray[np.float32]:
        n = len(places)
        splines = [RectBivariateSpline(places, places, one.reshape(n, n), kx=5, ky=5) for one in signal]
        return np.asarray([spline(axis, axis) * fade for spline in splines], np.float32)

    return np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2), gridded
