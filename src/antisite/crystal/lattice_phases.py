"""Phases of the reflections of one crystal, all over the image: what breaks a lattice shows in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cell import half_plane, lattice_basis, reduce_cell
from .contrast import Floats, Mask
from .demodulation import Demodulator
from .lattice import Lattice

Array = NDArray[np.float64]
_VISIBLE = 6.0  # power of a reflection over that between reflections
_MOST = 6  # reflections that are looked at
_WIDE = 0.7  # √(cell area), window in which a reflection must be there
_PRESENT = 3.0  # power of a reflection over that between reflections, in most of the crystal
_NEARLY_EVERYWHERE = 0.15  # quantile of the power that must stand out
_FAINT = 1e-4  # power, of that of the strongest reflection
_FINEST = 0.42  # 1/px, of either component of a reflection


def _is_new(hk: NDArray[np.int_], before: list[Any]) -> bool:
    """Whether no reflection before has the same parities: only some may tell of half a cell vector."""
    return not any(((hk - other[2]) % 2 == 0).all() for other in before)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatticePhases:
    """Local complex amplitudes of the strongest reflections, freed of the ideal lattice.

    Parameters
    ----------
    index : (n, 2) indices h, k of the reflections, the strongest first.
    waves : (n, my, mx) amplitude × exp(iφ), φ = -2π g·u where the crystal is displaced by u; the typical
        amplitude is 1.
    noise : (n,) standard deviation of a wave's noise, of its typical amplitude.
    step : (y, x) px between two nodes; the first lies on pixel (0, 0).
    seen : (my, mx), share of the window that is not masked.
    """

    index: NDArray[np.int_]
    waves: NDArray[np.complex128]
    noise: Array
    step: tuple[float, float]
    seen: Array

    @property
    def strength(self) -> Array:
        """(my, mx) mean amplitude of the reflections, 1 where it is typical."""
        return np.asarray(np.abs(self.waves).mean(axis=0))


def measure_phases(
    flat: Floats, mask: Mask, lattice: Lattice, *, window: float, oversampling: float = 1.0
) -> LatticePhases:
    """Amplitudes of the reflections of a lattice that stand out of the noise, two at least.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    window : standard deviation of the Gaussian window, px.
    oversampling : nodes per node that the window needs.
    """
    demodulator = Demodulator(flat, mask, sigma=window, oversampling=oversampling)
    inside = demodulator.weight > 0.5 * demodulator.weight.max()
    found = []
    for hk in half_plane(3):
        g = hk @ lattice.reciprocal
        if np.abs(g).max() > _FINEST or np.hypot(*g) * lattice.size > 3.2:
            continue
        wave = demodulator(g)
        between = demodulator((hk + 0.5) @ lattice.reciprocal)
        power, dark = (float(np.median(np.abs(w[inside]) ** 2)) for w in (wave, between))
        found.append((power, dark / np.log(2), hk, wave))
    found.sort(key=lambda f: -f[0])
    visible = [f for n, f in enumerate(found) if n < 2 or f[0] > _VISIBLE * f[1]]
    chosen = [f for n, f in enumerate(visible) if n < _MOST or _is_new(f[2], visible[:n])]
    if np.linalg.matrix_rank([f[2] for f in chosen]) < 2:
        chosen.append(next(f for f in found if np.linalg.matrix_rank([chosen[0][2], f[2]]) == 2))
    powers, darks = (np.array([f[i] for f in chosen]) for i in (0, 1))
    return LatticePhases(
        index=np.array([f[2] for f in chosen]),
        waves=np.array([f[3] for f in chosen]) / np.sqrt(powers)[:, None, None],
        noise=np.sqrt(darks / powers),
        step=demodulator.step,
        seen=demodulator.weight,
    )


def smallest_cell(flat: Floats, mask: Mask, lattice: Lattice) -> Lattice:
    """The lattice whose reflections are there nearly everywhere; the same, or one with a smaller cell.

    The spectrum of a domain holds streaks of the faults in it and spots of its neighbours, and
    some fall where a larger cell would have reflections. Those stand out in places only.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    """
    demodulator = Demodulator(flat, mask, sigma=_WIDE * lattice.size)
    inside = demodulator.weight > 0.5
    if not inside.any():
        return lattice
    seen = []
    for hk in half_plane(4):
        g = hk @ lattice.reciprocal
        if np.abs(g).max() < _FINEST and np.hypot(*g) * lattice.size < 4:
            wave, between = (demodulator(f)[inside] for f in (g, (hk + 0.5) @ lattice.reciprocal))
            power, noise = (float(np.quantile(np.abs(w) ** 2, _NEARLY_EVERYWHERE)) for w in (wave, between))
            seen.append((power, power > _PRESENT * noise, hk))
    strongest = max((power for power, _, _ in seen), default=0.0)
    rows = np.array([hk for power, clear, hk in seen if clear and power > _FAINT * strongest])
    if len(rows) < 2 or np.linalg.matrix_rank(rows) < 2:
        return lattice
    basis = lattice_basis(rows.astype(float), 1)
    if round(abs(np.linalg.det(basis))) <= 1:
        return lattice
    return replace(
        lattice, vectors=reduce_cell(np.asarray(np.linalg.inv(basis @ lattice.reciprocal).T, dtype=float))
    )
