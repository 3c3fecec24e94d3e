"""Spots of the power spectrum: the strongest, and those that betray a larger cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .cell import lattice_basis, reduce_cell
from .contrast import Floats
from .spacing import Spectrum, parabola_offset

Array = NDArray[np.float64]
_SPOT_ROOM = 6.0  # bins between a spot and the next that its own width does not fill


def bragg_spots(spectrum: Spectrum, *, spacing: float, n: int = 40) -> tuple[Array, Array]:
    """The strongest spots of the power spectrum that stand clear of their surroundings.

    Returns
    -------
    frequencies : (k, 2) 1/px as (y, x), x ≥ 0, k ≤ n.
    weights : (k,) powers, their sum 1: the satellites of a shaking scan weigh little.
    """
    power, reach = _centred(spectrum, spacing)
    smooth = ndimage.gaussian_filter(power, 1)
    around = ndimage.percentile_filter(smooth[::2, ::2], 60, size=(15, 15))
    around = np.maximum(around.repeat(2, 0).repeat(2, 1)[: smooth.shape[0], : smooth.shape[1]], 1e-12)
    peak = (smooth == ndimage.maximum_filter(smooth, size=7)) & (smooth > 8 * around)
    peak[[0, -1]] = peak[:, [0, -1]] = False
    y, x = np.nonzero(peak)
    f = (np.column_stack([y - reach[0], x]) + parabola_offset(np.log(smooth + 1e-12), y, x)) / spectrum.shape
    keep = np.hypot(*f.T) > 0.1 / spacing
    f, strength = f[keep], smooth[y, x][keep] - around[y, x][keep]
    order = np.argsort(-strength, kind="stable")[:n]
    return f[order], strength[order] / max(float(strength[order].sum()), 1e-12)


def _centred(spectrum: Spectrum, spacing: float) -> tuple[Floats, tuple[int, int]]:
    """Power below 2.6 per spacing with zero frequency in row `reach[0]`, column 0."""
    limit = min(2.6 / spacing, 0.45)
    reach = (int(limit * spectrum.shape[0]), int(limit * spectrum.shape[1]))
    rows = np.arange(-reach[0], reach[0] + 1)
    return spectrum.power[rows][:, : reach[1] + 1], reach


def enlarge_cell(vectors: Array, spectrum: Spectrum) -> Array:
    """A larger cell where spots stand at halves or thirds of the reciprocal lattice."""
    for divisor in (2, 3):
        reciprocal = np.asarray(np.linalg.inv(vectors).T, dtype=float)
        fractions = [(i, j) for i in range(divisor) for j in range(divisor) if (i, j) > (0, 0)]
        seen = [
            g
            for g in fractions
            if _spot_stands_out(np.asarray(np.array(g) / divisor @ reciprocal), reciprocal, spectrum)
        ]
        if seen:
            rows = np.vstack([np.eye(2), np.array(seen) / divisor])
            vectors = np.linalg.inv(lattice_basis(rows, divisor) @ reciprocal).T
    return reduce_cell(vectors)


def _spot_stands_out(offset: Array, reciprocal: Array, spectrum: Spectrum) -> bool:
    """Whether two of the spots `offset` from a lattice point tower over what surrounds them.

    They must reach 8 % of the amplitude of the strongest spot: less makes neighbours differ
    by less than any defect that is looked for, and may come from a shaking scan.
    """
    index = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)])
    corners = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ reciprocal
    room = float(np.hypot(*((corners - offset) * spectrum.shape).T).min())  # bins to the next lattice point
    if room < _SPOT_ROOM:
        return False
    lattice_points = index[np.abs(index).sum(axis=1) > 0] @ reciprocal
    strongest = _spot_power(lattice_points, reciprocal, spectrum, room=room)[0].max()
    inside, outside = _spot_power(index @ reciprocal + offset, reciprocal, spectrum, room=room)
    return bool(np.sum((inside > 4 * outside) & (inside > 0.08**2 * strongest)) >= 2)


def _spot_power(f: Array, reciprocal: Array, spectrum: Spectrum, *, room: float) -> tuple[Floats, Floats]:
    """Largest power within 2 bins of each frequency, and farther round it but clear of the next spot."""
    f = f[(np.hypot(*f.T) < 2.2 * np.hypot(*reciprocal.T).max()) & (np.abs(f).max(axis=1) < 0.42)]
    f = np.where(f[:, 1:] < 0, -f, f)
    at = np.unique(np.round(f * spectrum.shape).astype(int), axis=0)
    span = np.arange(-8, 9)
    rows = (at[:, 0, None, None] + span[:, None]) % spectrum.shape[0]
    columns = at[:, 1, None, None] + span
    box = spectrum.power[
        np.where(columns < 0, -rows, rows), np.minimum(np.abs(columns), spectrum.power.shape[1] - 1)
    ]
    radius = np.hypot(span[:, None], span)
    ring = (radius >= 3.5) & (radius <= max(room - 2.5, 4))
    return box[:, radius <= 2].max(axis=1, initial=0), box[:, ring].max(axis=1, initial=0)
