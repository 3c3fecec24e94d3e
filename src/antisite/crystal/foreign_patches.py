"""Patches of a crystal that show contrast, but not its lattice: grains too small to be domains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .contrast import Floats, Mask, flatten
from .demodulation import WINDOW, Demodulator
from .distortion import Distortion
from .lattice import Lattice
from .lattice_phases import LatticePhases, measure_phases, reflection_weights, visible_reflections
from .perfect_crystal import LEAST_STRENGTH

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]
_WINDOW = 1.0  # √(cell area); the least in which neighbouring reflections do not mix
_EDGE = 0.5  # of the strength: half of the window lies on the patch
_DETAIL = 0.5  # √(cell area); contrast that is wider is that of the ground of a hole
_CONTRAST = 0.75  # of the usual contrast; half of the window on a hole leaves √½
_SURE = 5.0  # standard deviations of the noise, from usual strength to that of no crystal
_SEEN = 0.4  # share of the window: less is a corner of the frame
_ROUNDS = 2  # phases near half a turn need a second look


def foreign_patches(
    flat: Floats, mask: Mask, lattice: Lattice, distortion: Distortion, *, margin: float = 0.0
) -> Mask:
    """Pixels (y, x) of patches where something stands that is no part of this crystal.

    The reflections of the crystal, freed of its displacement, are added in step. Where their sum is weak
    but the contrast is not, other columns stand. A missing or strange column weakens both, and little of
    the six cells in the window. Where noise could do it, nothing is said.

    Parameters
    ----------
    flat : (y, x), background removed.
    mask : (y, x), True where there is none of this crystal.
    margin : px around a patch that are counted in.
    """
    none = np.zeros(flat.shape, dtype=bool)
    index = visible_reflections(flat, mask, lattice)
    phases = measure_phases(flat, mask, lattice, index, window=_WINDOW * lattice.size, oversampling=2)
    seen = phases.seen > _SEEN
    turns = 2 * np.pi * index @ lattice.reciprocal
    weight = reflection_weights(phases, lattice)
    noise = float(np.sqrt(np.sum((weight * phases.noise) ** 2) / 2))
    if not seen.any() or _SURE * noise > 1 - LEAST_STRENGTH:
        return none
    demodulator = Demodulator(
        flatten(flat, mask, sigma=_DETAIL * lattice.size) ** 2,
        mask,
        sigma=_WINDOW * lattice.size,
        oversampling=2,
    )
    contrast = np.sqrt(np.abs(demodulator(np.zeros(2))))
    contrast = np.minimum(contrast / np.median(contrast[seen]), 1)
    shift = distortion.at(demodulator.places()).reshape(*seen.shape, 2)
    freed = phases.waves * np.exp(1j * np.einsum("mni,ki->kmn", shift, turns))
    freed *= np.exp(-1j * np.angle(freed[:, seen].sum(axis=1)))[:, None, None]
    freed = _in_step(freed, turns, weight, phases, size=lattice.size)
    strength = np.tensordot(weight, freed.real, 1)
    strength /= np.median(strength[seen])
    strange = seen & (contrast > _CONTRAST) & (strength < _EDGE * contrast)
    patches = _deep(strange, strength / np.maximum(contrast, _CONTRAST))
    return _around(patches, phases.step, flat.shape, margin=margin) if patches.any() else none


def _deep(strange: Mask, strength: Array) -> Mask:
    """The connected parts of some nodes in which the lattice is too weak somewhere to be a crystal."""
    label, n = ndimage.label(strange, structure=np.ones((3, 3)))
    weakest = ndimage.minimum(strength, label, np.arange(1, n + 1))
    return np.isin(label, 1 + np.flatnonzero(np.asarray(weakest) < LEAST_STRENGTH))


def _in_step(waves: Waves, turns: Array, weight: Array, phases: LatticePhases, *, size: float) -> Waves:
    """The waves freed of the displacement that all of them show in a wider window, and its noise.

    Parameters
    ----------
    waves : (n, my, mx)
    turns : (n, 2) rad/px, what a displacement does to the phases.
    weight : (n,)
    size : px, √(cell area).
    """
    wider = [np.sqrt(WINDOW**2 - _WINDOW**2) * size / step for step in phases.step]
    wide = ndimage.gaussian_filter(waves * phases.seen, (0, *wider), mode="constant")
    for _ in range(_ROUNDS):
        trust = weight[:, None, None] * np.abs(wide) ** 2
        normal = np.einsum("kmn,ki,kj->mnij", trust, turns, turns)
        normal += (1e-6 * normal.max() + 1e-30) * np.eye(2)
        right = np.einsum("kmn,ki->mni", trust * np.angle(wide), turns)[..., None]
        back = np.exp(-1j * np.einsum("mni,ki->kmn", np.linalg.solve(normal, right)[..., 0], turns))
        wide, waves = wide * back, waves * back
    return waves


def _around(nodes: Mask, step: tuple[float, float], shape: tuple[int, ...], *, margin: float) -> Mask:
    """Pixels that lie nearest to a marked node, or within a margin [px] of such."""
    y, x = (
        np.clip(np.round(np.arange(n) / s).astype(int), 0, k - 1)
        for n, s, k in zip(shape, step, nodes.shape, strict=True)
    )
    inside = nodes[y[:, None], x]
    return np.asarray(ndimage.distance_transform_edt(~inside) <= margin) if margin else inside
