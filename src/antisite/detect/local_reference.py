"""What is usual nearby: the fellows of a site on its own sublattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..crystal.contrast import blur
from ..crystal.perfect_crystal import LEAST_STRENGTH, PerfectCrystal
from ..errors import InputError
from .significance import USUAL, USUAL_VARIANCE, central_null

Array = NDArray[np.float64]
_LOCAL = 1 / 3  # share of the local variance in the scale of a score
_HIDDEN = 0.05  # of the surroundings, masked


@dataclass(frozen=True, slots=True, eq=False)
class LocalReference:
    """The sites of one sublattice and, for each, its nearest fellows.

    Parameters
    ----------
    members : (n,) indices of the sites.
    near : (n, k) of each member its nearest fellows, as indices into `members`.
    neighbours : how many of them tell what is usual; the rest only how much it varies.
    """

    members: NDArray[np.int_]
    near: NDArray[np.int_]
    neighbours: int

    def centre(self, values: Array) -> Array:
        """Values of the members less the local median, itself averaged over the neighbourhood."""
        own = values[self.members]
        if not self.near.shape[1]:
            return np.zeros(len(own))
        local = np.median(own[self.near[:, : self.neighbours]], axis=1)
        return np.asarray(own - local[self.near[:, : self.neighbours]].mean(axis=1))

    def standardise(self, values: Array) -> Array:
        """Centred values over a scale that is a third local, two thirds that of the whole sublattice."""
        own = values[self.members]
        if not self.near.shape[1]:
            return np.zeros(len(own))
        centre, whole = central_null(own)
        usual = np.abs(own - centre) <= USUAL * whole
        squares = np.where(usual, own, 0)[self.near] ** 2
        local = squares.sum(axis=1) / np.maximum(usual[self.near].sum(axis=1), 1) / USUAL_VARIANCE
        return np.asarray(own / np.sqrt(np.maximum(_LOCAL * local + (1 - _LOCAL) * whole**2, 1e-24)))


def local_references(
    crystal: PerfectCrystal, tested: NDArray[np.bool_], *, neighbours: int
) -> list[LocalReference]:
    """One reference for each sublattice, made of its tested sites."""
    sites, references = crystal.sites, []
    for number in range(len(crystal.sublattices)):
        members = np.flatnonzero(tested & (sites.sublattice == number))
        k = min(2 * neighbours + 1, len(members))
        near = np.zeros((len(members), 0), dtype=int)
        if k > 1:
            places = sites.positions[members]
            near = np.asarray(cKDTree(places).query(places, k=k)[1])[:, 1:]
        references.append(LocalReference(members, near, neighbours))
    return references


def centre_all(values: Array, references: Sequence[LocalReference]) -> Array:
    """Values (n,) of all sites less what is usual nearby; 0 where a site was not tested."""
    centred = np.zeros(len(values))
    for reference in references:
        centred[reference.members] = reference.centre(values)
    return centred


def comparable_sites(crystal: PerfectCrystal, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Sites that lie in good crystal, clear of the frame and of masked pixels.

    Raises
    ------
    InputError
        No column does.
    """
    positions = crystal.sites.positions
    margin = 0.5 * crystal.lattice.size
    clear = np.all((positions >= margin) & (positions <= np.array(shape) - 1 - margin), axis=1)
    clear &= crystal.distortion.strength_at(positions) > LEAST_STRENGTH
    if crystal.mask.any():
        # lone masked pixels are bridged; what hides a twentieth of a site's surroundings hides the site
        hidden = blur(crystal.mask.astype(np.float32), sigma=0.5 * crystal.lattice.size)
        at = np.clip(np.round(positions).astype(int), 0, np.array(shape) - 1)
        clear &= hidden[at[:, 0], at[:, 1]] <= _HIDDEN
    if not (clear & ~crystal.hollow).any():
        raise InputError(
            "a column must lie clear of the frame and of masked pixels to be compared, and none does: "
            "mask less, or record more of the crystal"
        )
    return np.asarray(clear)
