"""Whether the reflections of a lattice keep step, as those of a crystal do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import NoLatticeError
from .contrast import Floats, Mask
from .demodulation import WINDOW, Demodulator
from .distortion import Distortion
from .lattice import Lattice
from .perfect_crystal import LEAST_STRENGTH

Array = NDArray[np.float64]
_AGREEMENT = 0.7  # least product of: phases of further reflections in step, amplitudes equally uneven
_VISIBLE = 4.0  # power of a reflection over that between reflections; the first three need no more
_CLEAR = 20.0  # the same for further ones
_MOST = 8  # reflections that are compared


def check_reflections(flat: Floats, mask: Mask, lattice: Lattice, distortion: Distortion) -> None:
    """Refuse waves that are not the waves of one crystal.

    Any two waves have phases that some displacement explains. In a crystal the same displacement
    explains all others, and all grow strong and weak together; in a picture of noise with
    sharp spots in its spectrum each goes its own way. Only where the lattice is strong is it asked:
    elsewhere may lie a grain too small to be a domain, or none of this crystal.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where pixels are ignored.

    Raises
    ------
    NoLatticeError
        The reflections do not keep step.
    """
    demodulator = Demodulator(flat, mask, sigma=WINDOW * lattice.size)
    waves = _visible_waves(demodulator, lattice, distortion)
    if len(waves) < 3:
        return  # too blurred to tell: two waves fit any displacement
    weight = np.abs(waves[0]) * np.abs(waves[1])
    step = np.mean([abs(wave.sum()) / np.abs(wave).sum() for wave in waves[2:]])
    uneven = [_spread(np.log(np.abs(wave / waves[0]) + 1e-12), weight) for wave in waves[1:]]
    agreement = float(step * np.exp(-np.mean(np.square(uneven)) / 2))
    if agreement < _AGREEMENT:
        raise NoLatticeError(
            "no lattice found: the image has a repeat, but its reflections do not keep step as those of "
            f"a crystal do (agreement {agreement:.2f}, a crystal at least {_AGREEMENT:g})"
        )


def _visible_waves(demodulator: Demodulator, lattice: Lattice, distortion: Distortion) -> list[Array]:
    """The strongest reflections (m, n) that stand out of the noise, freed of the displacement."""
    shift = distortion.at(demodulator.places()).reshape(*demodulator.nodes, 2)
    strong = distortion.strength_at(demodulator.places()).reshape(demodulator.nodes) > LEAST_STRENGTH
    inside = (demodulator.weight > 0.5) & strong
    if not inside.any():
        return []
    found = []
    for hk in lattice.low_reflections(longest=3.2, finest=0.45):
        g, between = (at @ lattice.reciprocal for at in (hk, hk + 0.5))
        if np.abs(between).max() > 0.45:
            continue
        wave = (demodulator(g) * np.exp(2j * np.pi * shift @ g))[inside]
        strength, noise = (float(np.mean(np.abs(w) ** 2)) for w in (wave, demodulator(between)[inside]))
        found.append((strength, strength / max(noise, 1e-12), wave))
    found.sort(key=lambda f: -f[0])
    clear = [wave for n, (_, ratio, wave) in enumerate(found) if ratio > (_VISIBLE if n < 3 else _CLEAR)]
    return clear[:_MOST]


def _spread(values: Array, weight: Array) -> float:
    mean = np.average(values, weights=weight)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
