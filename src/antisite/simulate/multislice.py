"""The same scene through abTEM: slow, for checking."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import fft2, fftfreq, ifft2, next_fast_len

from .._optional import require
from ..errors import InputError
from .crystals.scene import Scene
from .progress import Progress
from .scattering.optics import Optics
from .scattering.thermal import rms_displacement

if TYPE_CHECKING:
    from ase import Atoms

_BATCH = 16  # probes at a time: more gain nothing and take memory


def multislice_image(
    atoms: Atoms,
    optics: Optics,
    *,
    shape: tuple[int, int],
    region: tuple[float, float] | None = None,
    sampling: float = 0.03,
    slice_thickness: float = 1.0,
    method: Literal["multislice", "prism"] = "multislice",
    interpolation: int = 1,
    n_phonons: int = 0,
    displacements: Mapping[str, float] | None = None,
    rng: int | Generator | None = None,
    progress: Progress = iter,
) -> NDArray[np.float32]:
    """Image of a periodic cell by abTEM: (n_detectors, y, x), share of the incident beam.

    Pixel (0, 0) lies on the cell's origin, x runs along its first axis and y along its second; a pixel is
    region / shape. The beam enters at height 0 and is in focus there at defocus 0.

    Parameters
    ----------
    atoms : in an orthogonal cell, repeated across the beam without end.
    shape : (y, x) px of the region.
    region : (y, x) Å from the origin; the whole cell if not given. A source that has a size blurs it as if
        it repeated itself.
    sampling : Å, the largest step of the potential.
    slice_thickness : Å, at most.
    method : PRISM is multislice by plane waves, of which one in `interpolation` along each axis is kept.
    n_phonons : arrangements of displaced atoms to average over; none if the optics are static or at 0.
    displacements : Å, standard deviation along each axis for each element; those of antisite's own tables if
        not given.

    Raises
    ------
    InputError
        A cell, sampling or displacement that cannot be used.
    MissingExtraError
        abTEM is not installed.
    """
    box = _box(atoms)
    region = region or (box[1], box[0])
    outermost = max(detector.outer for detector in optics.detectors)
    finest = optics.wavelength / outermost / 3e-3  # abTEM drops the outer third of all frequencies
    if not 0 < sampling <= finest:
        raise InputError(
            f"sampling must be above 0 and at most {finest:.3g} Å, so that the potential scatters to "
            f"{outermost:g} mrad, got {sampling:g}"
        )
    if not 0 < slice_thickness < math.inf:
        raise InputError(f"slice_thickness must be positive [Å], got {slice_thickness:g}")
    n_phonons = 0 if optics.static else n_phonons
    moving = _displaced(atoms, displacements, n=n_phonons, rng=rng) if n_phonons else [atoms]
    abtem = require("abtem", extra="multislice")
    steps = interpolation if method == "prism" else 1
    grid = tuple(steps * next_fast_len(math.ceil(length / sampling / steps)) for length in box[:2])
    total = np.zeros((len(optics.detectors), *shape))
    for arrangement in progress(moving):
        potential = abtem.PotentialArray(
            projected_potential(arrangement, grid=grid, slice_thickness=slice_thickness),
            slice_thickness=box[2] / _n_slices(box, slice_thickness),
            extent=tuple(box[:2]),
        )
        total += _scan(abtem, potential, optics, region=region, shape=shape, method=method, steps=steps)
    return _blurred(total / max(n_phonons, 1), region, optics.source_size).astype(np.float32)


def projected_potential(
    atoms: Atoms, *, grid: tuple[int, ...], slice_thickness: float
) -> NDArray[np.float32]:
    """(n_slices, x, y) V Å, the potential in the plane before each slice, in abTEM's order of axes.

    An atom scatters in the plane that is nearest to it, and stands exactly where it is given, by its phase at
    each frequency. abTEM's own potential puts it on the plane before it, shares it among four points of the
    grid, and loses scattering to high angles unless it stands on one. The peak of tungsten still changes
    with its place on the grid, by 1 to 2 % at 0.04 Å and 7 % at 0.06 Å.
    """
    abtem = require("abtem", extra="multislice")
    box = _box(atoms)
    n_slices = _n_slices(box, slice_thickness)
    k = [fftfreq(n, length / n) for n, length in zip(grid, box[:2], strict=True)]
    k2 = k[0][:, None] ** 2 + k[1] ** 2
    lobato = abtem.parametrizations.LobatoParametrization()
    per_area = math.prod(grid) / (box[0] * box[1])
    plane = np.clip(np.rint(atoms.positions[:, 2] / box[2] * n_slices), 0, n_slices - 1)
    symbols = np.array(atoms.get_chemical_symbols())
    summed = np.zeros((n_slices, *grid), np.complex64)
    for symbol in np.unique(symbols):
        factor = (lobato.projected_scattering_factor(symbol)(k2) * per_area).astype(np.float32)
        for i in np.unique(plane[symbols == symbol]).astype(int):
            places = atoms.positions[(symbols == symbol) & (plane == i), :2].T
            x, y = (np.exp(-2j * np.pi * f[:, None] * p) for f, p in zip(k, places, strict=True))
            summed[i] += factor * (x.astype(np.complex64) @ y.astype(np.complex64).T)
    potential = np.empty((n_slices, *grid), np.float32)
    for i, spectrum in enumerate(summed):
        potential[i] = ifft2(spectrum).real
    return potential


def abtem_aberrations(optics: Optics) -> dict[str, float]:
    """What abTEM calls the aberrations, Å and rad."""
    (c12, phi12), (c21, phi21) = optics.astigmatism, optics.coma
    return {
        "C10": -optics.defocus,
        "C12": c12,
        "phi12": phi12,
        "C21": c21,
        "phi21": phi21,
        "C30": optics.cs,
        "C50": optics.c5,
    }


def scene_atoms(scene: Scene, *, margin: float = 5.0) -> Atoms:
    """The atoms of a scene's frame and of a margin around it, in a box that starts at pixel (0, 0).

    What stands left of the frame or above it comes out at the far side of the box, so that
    `multislice_image(..., shape=scene.shape, region=size of the frame)` sees the scene as it is.

    Parameters
    ----------
    margin : Å, kept around the frame.
    """
    from ase import Atoms

    size = np.array(scene.shape) * scene.pixel_size
    places = scene.positions * scene.pixel_size
    held = scene.sites["atoms" if "atoms" in scene.sites else "index"].to_numpy()
    near = ((places >= -margin) & (places < size + margin)).all(axis=1)
    symbols: list[str] = []
    positions: list[tuple[float, float, float]] = []
    for (y, x), index in zip(places[near] % (size + 2 * margin), held[near], strict=True):
        column = scene.atoms[index]
        symbols += column.symbols
        positions += [(x, y, height) for height in column.heights]
    depth = 2 + max((height for *_, height in positions), default=0.0)
    return Atoms(symbols, positions, cell=[*(size + 2 * margin)[::-1], depth], pbc=True)


def _box(atoms: Atoms) -> NDArray[np.float64]:
    """(3,) Å, edges of the cell."""
    cell = np.asarray(atoms.cell)
    box = np.diag(cell)
    if not np.allclose(cell, np.diag(box), atol=1e-6):
        raise InputError(
            f"multislice needs an orthogonal cell along x, y, z, got angles of "
            f"{', '.join(f'{angle:g}' for angle in atoms.cell.angles())}° (repeat it to a rectangle)"
        )
    if not (box > 0).all():
        raise InputError(
            f"multislice needs a cell with three edges, got {', '.join(f'{edge:g}' for edge in box)} Å "
            f"(atoms.center(vacuum=2, axis=2) adds a height)"
        )
    return box


def _n_slices(box: NDArray[np.float64], slice_thickness: float) -> int:
    return math.ceil(float(box[2]) / slice_thickness - 1e-6)


def _displaced(
    atoms: Atoms, displacements: Mapping[str, float] | None, *, n: int, rng: int | Generator | None
) -> Iterator[Atoms]:
    """The atoms in n arrangements of thermal motion, each by itself (Einstein's model)."""
    symbols = atoms.get_chemical_symbols()
    if displacements is None:
        displacements = {symbol: rms_displacement(symbol) for symbol in symbols}
    if unknown := sorted(set(symbols) - set(displacements)):
        raise InputError(
            f"thermal motion needs a displacement for each element, got none for {', '.join(unknown)} "
            f"(displacements={{'{unknown[0]}': 0.08}})"
        )
    widths = np.array([displacements[symbol] for symbol in symbols])[:, None]

    def moved(child: Generator) -> Atoms:
        arrangement: Atoms = atoms.copy()
        arrangement.positions += child.normal(size=arrangement.positions.shape) * widths
        return arrangement

    return (moved(child) for child in np.random.default_rng(rng).spawn(n))


def _scan(
    abtem: Any,
    potential: Any,
    optics: Optics,
    *,
    region: tuple[float, float],
    shape: tuple[int, int],
    method: str,
    steps: int,
) -> NDArray[np.float32]:
    """(n_detectors, y, x), share of the beam."""
    scan = abtem.GridScan(start=(0, 0), end=region[::-1], gpts=shape[::-1])
    detectors = [abtem.AnnularDetector(inner=ring.inner, outer=ring.outer) for ring in optics.detectors]
    beam = {"energy": optics.beam_energy, "semiangle_cutoff": optics.convergence}
    aberrations = abtem_aberrations(optics)
    if method == "prism":
        waves = abtem.SMatrix(potential=potential, interpolation=steps, **beam)
        measured = waves.scan(scan, detectors=detectors, ctf=abtem.CTF(**beam, **aberrations))
    else:
        probe = abtem.Probe(aberrations=aberrations, **beam)
        measured = probe.scan(potential, scan, detectors=detectors, max_batch=_BATCH)
    measured = measured.compute(progress_bar=False)
    images = measured if isinstance(measured, list) else [measured]
    return np.stack([image.array.T for image in images])


def _blurred(image: NDArray[np.float64], region: tuple[float, float], width: float) -> NDArray[np.float64]:
    """The image of a source of this standard deviation [Å], as if the region repeated itself."""
    ky, kx = (fftfreq(n, length / n) for n, length in zip(image.shape[1:], region, strict=True))
    shape = np.exp(-2 * (np.pi * width) ** 2 * (ky[:, None] ** 2 + kx**2))
    return np.asarray(ifft2(fft2(image) * shape).real)
