"""Strain and rotation of one crystal, from how the phases of its reflections change from place to place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .cell import half_plane
from .contrast import Floats, Mask
from .distortion import Distortion
from .lattice import Lattice
from .phase_gradient import LocalWaves, Waves

Array = NDArray[np.float64]
STRAIN_WINDOW = 1.5  # √(cell area), standard deviation of the window
COMPONENTS = ("exx", "eyy", "exy", "rotation", "uy", "ux")
_APART = 0.8  # of 1/(shortest frequency): a narrower window would let the neighbouring reflection in
_FADE = 0.45  # √(cell area)
_HOLD = 0.35  # of a whole window; what is cut more is noisier, and leans on what little is seen
_STRONG = 0.4  # of the typical amplitude; less is no crystal
_CLEAR = 20.0  # power of a reflection over the noise there
_MOST = 8  # reflections
_QUIET = 0.3687  # mean square of the smaller three quarters of normal values of width 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrainMaps:
    """Strain, rotation and displacement on a coarse grid, and how far they can be believed.

    Parameters
    ----------
    exx, eyy, exy : (m, n), NaN where there is no crystal.
    rotation : (m, n) rad, from +x towards +y.
    uy, ux : (m, n) px, where the crystal is, less where the lattice wants it.
    step : (y, x) px between two nodes; the first lies on pixel (0, 0).
    window : px, standard deviation of the Gaussian window.
    noise : of each map in its unit, what noise alone would give (root mean square).
    """

    exx: Array
    eyy: Array
    exy: Array
    rotation: Array
    uy: Array
    ux: Array
    step: tuple[float, float]
    window: float
    noise: dict[str, float]

    @property
    def resolution(self) -> float:
        """px, full width at half maximum of what a value is the mean of."""
        return 2 * math.sqrt(2 * math.log(2)) * self.window

    @property
    def noise_strain(self) -> float:
        """Noise of the noisiest of exx, eyy and exy."""
        return max(self.noise[name] for name in ("exx", "eyy", "exy"))

    @property
    def noise_rotation(self) -> float:
        """Of the rotation, rad."""
        return self.noise["rotation"]

    @property
    def noise_displacement(self) -> float:
        """px, along the noisier axis."""
        return max(self.noise["uy"], self.noise["ux"])


def strain_window(lattices: Sequence[Lattice]) -> float:
    """Standard deviation [px] of a window that suits all these lattices: maps in one window have one grid."""
    wanted = [
        max(STRAIN_WINDOW * one.size, _APART / float(np.hypot(*(half_plane(2) @ one.reciprocal).T).min()))
        for one in lattices
    ]
    return max(wanted)


def join_strain(parts: Sequence[StrainMaps]) -> StrainMaps:
    """Maps of several crystals of one image in one window as one; where two know a value, the first's.

    The noise is that of the noisiest whose noise is known.
    """
    first = parts[0]
    if any(part.step != first.step or part.exx.shape != first.exx.shape for part in parts):
        raise ValueError("maps must be measured in one window (give all of them that of strain_window)")
    joined = {}
    for name in COMPONENTS:
        joined[name] = np.full(first.exx.shape, np.nan)
        for part in reversed(parts):
            values = getattr(part, name)
            joined[name] = np.where(np.isfinite(values), values, joined[name])
    noise = {name: float(np.fmax.reduce([part.noise[name] for part in parts])) for name in COMPONENTS}
    return replace(first, **joined, noise=noise)  # type: ignore[arg-type]


def measure_strain(
    flat: Floats, mask: Mask, lattice: Lattice, distortion: Distortion, *, window: float | None = None
) -> StrainMaps:
    """Strain of a crystal against its lattice, from the phase gradients of all its clear reflections.

    Geometric phase (Hÿtch, Snoeck & Kilaas 1998, Ultramicroscopy 74, 131) without unwrapping: under a
    Gaussian window the amplitude of each reflection is fitted by a constant and a slope, whose ratio is
    the gradient of the phase; the gradients are joined by least squares, weighted by signal over noise.
    A value is the mean of the strain under the window. The noise is that of the image between its
    reflections, moved onto them and taken through the same steps; it is of whole windows, and about
    1.5 times as large at mask and frame, where the outermost cells show no value at all.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    lattice : the reference.
    distortion : of the same lattice, for the whole turns of the displacement.
    window : px, standard deviation; that of `strain_window` if not given.
    """
    window = strain_window([lattice]) if window is None else window
    local = LocalWaves(flat, mask, sigma=window, fade=_FADE * lattice.size)
    seen = _clear_reflections(local, lattice)
    strength = np.sqrt(seen.weight.sum(axis=0))
    shown = strength > _STRONG * float(np.quantile(strength[_best(local.hold)], 0.75))
    shown &= (local.hold > _HOLD) & ~_at_nodes(mask, local)
    maps = _components(seen.displacement(seen.slopes), _whole_displacement(seen, local, distortion))
    whole = shown & _best(local.hold)
    whole = whole if whole.any() else shown
    floors = [
        _components(seen.displacement(slopes), seen.displacement(values)[:, 0])
        for slopes, values in (seen.noise_of(phase) for phase in (0, 1))
    ]
    return StrainMaps(
        **{name: np.where(shown, values, np.nan) for name, values in maps.items()},
        step=local.step,
        window=window,
        noise={name: _rms([floor[name][whole] for floor in floors]) for name in maps},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reflections:
    """Waves of k reflections: value and slopes, and those of the noise moved onto them at two phases.

    Parameters
    ----------
    spots : (k, 2) 1/px.
    waves : (k, 3, m, n)
    noise : (k, 2, 3, m, n)
    power : (k,), mean of the squared value of the noise.
    """

    spots: Array
    waves: Waves
    noise: Waves
    power: Array

    @property
    def weight(self) -> Array:
        """(k, m, n), signal over noise."""
        return np.asarray(np.abs(self.waves[:, 0]) ** 2 / self.power[:, None, None])

    @property
    def slopes(self) -> Waves:
        """(k, 2, m, n)."""
        return self.waves[:, 1:]

    def noise_of(self, phase: int) -> tuple[Waves, Waves]:
        """What noise does to slopes (k, 2, m, n) and values (k, 1, m, n)."""
        values, seen = self.noise[:, phase, :1], self.waves[:, :1] != 0
        growth = self.slopes / np.where(seen, self.waves[:, :1], 1)
        return self.noise[:, phase, 1:] - growth * values, values

    def displacement(self, changes: Waves) -> Array:
        """(2, j, m, n): the displacement that explains changes (k, j, m, n) of the waves best."""
        turned = np.imag(self.waves[:, :1].conj() * changes) / self.power[:, None, None, None]
        right = np.einsum("kjmn,ki->mnij", turned, -self.spots / (2 * np.pi))
        normal = np.einsum("kmn,ki,kj->mnij", self.weight, self.spots, self.spots)
        normal += (1e-9 * normal.max() + 1e-30) * np.eye(2)
        return np.asarray(np.moveaxis(np.linalg.solve(normal, right), (2, 3), (0, 1)))


def _clear_reflections(local: LocalWaves, lattice: Lattice) -> _Reflections:
    """The strongest reflections that stand out of the noise, and two at least."""
    aside = _beside(lattice)
    inner = _best(local.hold)
    found = []
    for hk in lattice.low_reflections(longest=3.2, finest=0.45):
        g = hk @ lattice.reciprocal
        wave, left, right = local(g), local(g - aside), local(g + aside)
        noise = np.array([(right + left) / math.sqrt(2), (right - left) / (1j * math.sqrt(2))])
        signal, chance = (float(np.mean(np.abs(v[..., inner]) ** 2)) for v in (wave[0], noise[:, 0]))
        found.append((signal / max(chance, 1e-12), g, wave, noise, max(chance, 1e-12)))
    found.sort(key=lambda one: -one[0])
    second = next(i for i, one in enumerate(found) if i and abs(_cross(one[1], found[0][1])) > 1e-9)
    kept = [one for i, one in enumerate(found) if i in (0, second) or one[0] > _CLEAR][:_MOST]
    _, spots, waves, noises, power = (np.array(column) for column in zip(*kept, strict=True))
    return _Reflections(spots=spots, waves=waves, noise=noises, power=power)


def _beside(lattice: Lattice) -> Array:
    """A step [1/px] along y, from every reflection to where there is none.

    Along y, for rows that jump sideways are noise that shows in no other direction.
    """
    steps = np.linspace(0.3, 1.2, 46)[:, None] / lattice.size * (1.0, 0.0)
    index = steps @ lattice.vectors.T
    rest = index[:, None] - np.floor(index)[:, None] - np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    nearest = np.hypot(*np.moveaxis(rest @ lattice.reciprocal, -1, 0)).min(axis=1)
    return np.asarray(steps[int(np.argmax(nearest - 0.1 * steps[:, 0]))])


def _whole_displacement(seen: _Reflections, local: LocalWaves, distortion: Distortion) -> Array:
    """(2, m, n) px: the turns of the distortion, and the phases that it leaves."""
    nodes = local.positions
    known = distortion.at(nodes.reshape(-1, 2)).reshape(nodes.shape)
    left = seen.waves[:, 0] * np.exp(2j * np.pi * np.einsum("mni,ki->kmn", known, seen.spots))
    left *= np.sum(left * np.abs(left), axis=(1, 2), keepdims=True).conj()
    rest = seen.displacement(1j * seen.waves[:, :1] * np.angle(left)[:, None])[:, 0]
    return np.asarray(np.moveaxis(known, -1, 0) + rest)


def _components(gradient: Array, displacement: Array) -> dict[str, Array]:
    """The six maps of ∂u_i/∂r_j (2, 2, ...) and u (2, ...): left stretch and turn of what made the crystal.

    u is a function of where things are, so that the deformation is the inverse of 1 − ∂u/∂r.
    """
    (yy, yx), (xy, xx) = gradient
    scale = (1 - yy) * (1 - xx) - yx * xy
    (yy, yx), (xy, xx) = ((1 - xx) / scale, yx / scale), (xy / scale, (1 - yy) / scale)
    turn = np.arctan2(yx - xy, yy + xx)
    c, s = np.cos(turn), np.sin(turn)
    exx, eyy, exy = xx * c - xy * s - 1, yy * c + yx * s - 1, xy * c + xx * s
    return dict(zip(COMPONENTS, (exx, eyy, exy, turn, *displacement), strict=True))


def _best(hold: Array) -> Mask:
    """Nodes whose windows are nearly whole, or as whole as they get."""
    return np.asarray(hold >= min(0.9, 0.8 * float(hold.max())))


def _at_nodes(mask: Mask, local: LocalWaves) -> Mask:
    y, x = np.moveaxis(np.round(local.positions).astype(int), -1, 0)
    return np.asarray(mask[y, x])


def _rms(values: Sequence[Array]) -> float:
    """Root mean square of normal values, from the quieter three quarters: the others may be at a defect."""
    squares = np.sort(np.square(values), axis=None)
    quiet = squares[: max(3 * len(squares) // 4, 1)]
    return float(np.sqrt(quiet.mean() / _QUIET)) if len(quiet) else math.nan


def _cross(g: Array, h: Array) -> float:
    return float(g[0] * h[1] - g[1] * h[0])
