"""Point defects: sites whose brightness departs from that of their own sublattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, stats
from scipy.spatial import cKDTree

from ..crystal.contrast import Floats, blur, flatten
from ..crystal.perfect_crystal import PerfectCrystal
from .significance import (
    USUAL,
    USUAL_VARIANCE,
    benjamini_hochberg,
    central_null,
    local_fdr,
    selected_share,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_BACKGROUND = 1.0  # √(cell area), width of the Gaussian that is taken for background
_LOCAL_FDR = 0.2  # Efron (2007), Ann. Stat. 35, 1351
_KERNEL = 0.2  # nearest distances, width of the Gaussian through which a column is seen
_LEAST_KERNEL = 1.0  # px; a sharper one sees where the pixels lie
_LOCAL = 1 / 3  # share of the local variance in the scale of a score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteScores:
    """What was measured at every site of a crystal; NaN where nothing could be.

    Parameters
    ----------
    z : (n,) deviation from the sublattice in units of its null, negative = darker.
    ratio : (channels, n) brightness over that of the local sublattice, background removed;
        of a hollow, 1 plus its excess over the mean column.
    p_value, q_value : (n,) of the side on which the site lies.
    flagged : (n,) significant and large enough.
    p_limit : (sublattices, 2) largest p-value that is called on the dark and on the bright side.
    """

    z: Array
    ratio: Array
    p_value: Array
    q_value: Array
    flagged: Flags
    p_limit: Array

    @classmethod
    def empty(cls, n: int, *, n_channels: int, n_sublattices: int) -> SiteScores:
        """Scores of `n` sites none of which was measured."""
        unknown = np.full(n, np.nan)
        return cls(
            z=unknown,
            ratio=np.full((n_channels, n), np.nan),
            p_value=unknown,
            q_value=unknown,
            flagged=np.zeros(n, dtype=bool),
            p_limit=np.zeros((n_sublattices, 2)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefectFinder:
    """Scores sites against their own sublattice, and flags what is both significant and large.

    Parameters
    ----------
    fdr : expected share of false flags among all (Benjamini–Hochberg, each side of each sublattice).
    min_dark, min_bright : least change of the ratio; significance alone calls slow contrast a defect.
    neighbours : how many sites of the same sublattice are the local reference.
    """

    fdr: float = 0.05
    min_dark: float = 0.25
    min_bright: float = 0.30
    neighbours: int = 30

    def __call__(self, channels: Sequence[Floats], crystal: PerfectCrystal) -> SiteScores:
        """Score every site.

        Parameters
        ----------
        channels : (y, x) each, standardised.
        """
        sites = crystal.sites
        tested = comparable_sites(crystal, channels[0].shape)
        references = [
            self._reference(np.flatnonzero(tested & (sites.sublattice == k)), sites.positions)
            for k in range(len(crystal.sublattices))
        ]
        z = np.zeros(len(sites))
        ratio = np.full((len(channels), len(sites)), np.nan)
        for c, pixels in enumerate(channels):
            excess = self._excess(pixels, crystal, c, references)
            for reference in references:
                z[reference.members] += reference.standardise(excess) / np.sqrt(len(channels))
            ratio[c] = _ratio(excess, crystal, c)
        z[~tested] = np.nan
        ratio[:, ~tested] = np.nan
        return self._decide(z, ratio, crystal)

    def _reference(self, members: NDArray[np.int_], positions: Array) -> _Reference:
        k = min(2 * self.neighbours + 1, len(members))
        if k < 2:
            return _Reference(members, np.zeros((len(members), 0), dtype=int), self.neighbours)
        near = np.asarray(cKDTree(positions[members]).query(positions[members], k=k)[1])
        return _Reference(members, near[:, 1:], self.neighbours)

    def _excess(
        self, pixels: Floats, crystal: PerfectCrystal, channel: int, references: Sequence[_Reference]
    ) -> Array:
        """Amplitude of the column at each site above the local sublattice, neighbours' light removed."""
        sigma = max(_KERNEL * crystal.nearest, _LEAST_KERNEL)
        seen = blur(flatten(pixels, crystal.mask, sigma=_BACKGROUND * crystal.lattice.size), sigma=sigma)
        value = np.asarray(
            ndimage.map_coordinates(seen, crystal.sites.positions.T, order=3, mode="nearest"), dtype=float
        )
        excess = np.zeros(len(value))
        for reference in references:
            excess[reference.members] = reference.centre(value)
        response = _Response(crystal, channel, sigma)
        excess = response.separate(excess, crystal)
        centred = np.zeros(len(value))
        for reference in references:
            centred[reference.members] = reference.centre(excess)
        return centred

    def _decide(self, z: Array, ratio: Array, crystal: PerfectCrystal) -> SiteScores:
        z, change = z.copy(), ratio.mean(axis=0) - 1
        p_value, q_value = np.full(len(z), np.nan), np.full(len(z), np.nan)
        families: list[_Family] = []
        for k, sublattice in enumerate(crystal.sublattices):
            members = np.flatnonzero((crystal.sites.sublattice == k) & np.isfinite(z))
            centre, width = central_null(z[members])
            z[members] = own = (z[members] - centre) / width
            families.append(_Family(k, 1, members, own >= 0, self._bright(own, change[members])))
            if not sublattice.hollow:  # a hollow has no column to lose
                families.append(_Family(k, 0, members, own < 0, stats.norm.cdf(own)))
        share = selected_share([family.q.min(initial=1.0) for family in families], level=self.fdr)
        p_limit = np.zeros((len(crystal.sublattices), 2))
        for family in families:
            sites = family.members[family.side]
            p_value[sites] = family.p[family.side]
            q_value[sites] = np.minimum(family.q[family.side] / share, 1)
            n_called = max(int((family.q <= self.fdr * share).sum()), 1)
            p_limit[family.sublattice, family.bright] = self.fdr * share * n_called / max(len(family.p), 1)
        flagged = self._flag(z, change, q_value, crystal)
        return SiteScores(
            z=z, ratio=ratio, p_value=p_value, q_value=q_value, flagged=flagged, p_limit=p_limit
        )

    def _flag(self, z: Array, change: Array, q_value: Array, crystal: PerfectCrystal) -> Flags:
        """Significant, large, and not drowned among ordinary sites."""
        with np.errstate(invalid="ignore"):
            large = np.where(z < 0, -change >= self.min_dark, change >= self.min_bright)
            flagged = (q_value <= self.fdr) & large
        for k in range(len(crystal.columns)):
            members = np.flatnonzero((crystal.sites.sublattice == k) & np.isfinite(z))
            doubt = local_fdr(z[members], flagged[members] & (z[members] < 0))
            flagged[members] &= (z[members] > 0) | (doubt <= _LOCAL_FDR)
        return np.asarray(flagged)

    def _bright(self, z: Array, change: Array) -> Array:
        """p-values of an excess beyond `min_bright`.

        Dirt adds light and never takes any, so a little too bright is no news: the excess over
        the least one is tested (McCarthy & Smyth 2009, Bioinformatics 25, 765), on the dark
        side any loss at all.
        """
        beyond = z * (change - self.min_bright) / np.where(change > 0, change, np.inf)
        return np.asarray(stats.norm.sf(np.where(change > 0, beyond, -np.inf)))


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """The tests of one side of one sublattice: a p-value for every member, meant for those on the side."""

    sublattice: int
    bright: int
    members: NDArray[np.int_]
    side: Flags
    p: Array

    @property
    def q(self) -> Array:
        return benjamini_hochberg(self.p)


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """The sites of one sublattice and, for each, its nearest fellows."""

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


class _Response:
    """What a column of unit amplitude adds at its own site and at its neighbours'."""

    def __init__(self, crystal: PerfectCrystal, channel: int, sigma: float) -> None:
        width = crystal.shapes[channel].sigma ** 2
        self._near = width + sigma**2
        self._far = self._near + (_BACKGROUND * crystal.lattice.size) ** 2
        self._width = width

    def __call__(self, distance: Array) -> Array:
        """Light at a distance [px] from a Gaussian column, seen through the kernel."""
        square = distance**2 / 2
        return np.asarray(
            self._width
            * (np.exp(-square / self._near) / self._near - np.exp(-square / self._far) / self._far)
        )

    def separate(self, excess: Array, crystal: PerfectCrystal) -> Array:
        """Amplitudes whose summed light is `excess`: a convolution over cells, inverted by Fourier."""
        sites, n_sub = crystal.sites, len(crystal.sublattices)
        columns = [k for k, s in enumerate(crystal.sublattices) if not s.hollow]
        reach = int(np.ceil(3 * np.sqrt(self._far) / crystal.lattice.size))
        low = sites.cells.min(axis=0)
        shape = tuple(fft.next_fast_len(int(n) + reach) for n in np.ptp(sites.cells, axis=0) + 1)
        span = np.arange(-reach, reach + 1)
        cells = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 2)
        kernel = np.zeros((n_sub, n_sub, *shape))
        for s in range(n_sub):  # columns light up hollows too, not the other way round
            for t in columns:
                place = crystal.sublattices[s].fraction - crystal.sublattices[t].fraction
                light = self(np.linalg.norm(crystal.lattice.positions(cells + place), axis=1))
                np.add.at(kernel[s, t], tuple((cells % shape).T), light)
        for k in set(range(n_sub)) - set(columns):
            kernel[k, k, 0, 0] = float(self(np.zeros(1))[0])
        grid = np.zeros((n_sub, *shape))
        at = (sites.sublattice, *(sites.cells - low).T)
        grid[at] = excess
        spread = np.moveaxis(fft.fft2(kernel), (0, 1), (-2, -1))
        seen = np.moveaxis(fft.fft2(grid), 0, -1)
        amplitude = np.linalg.solve(spread, seen[..., None])[..., 0]
        return np.asarray(fft.ifft2(np.moveaxis(amplitude, -1, 0)).real[at])


def _ratio(excess: Array, crystal: PerfectCrystal, channel: int) -> Array:
    """Brightness over that of the sublattice where the lattice is as strong as here."""
    amplitudes = np.full(len(crystal.sublattices), crystal.shapes[channel].amplitudes.mean())
    amplitudes[: len(crystal.columns)] = crystal.shapes[channel].amplitudes
    strength = np.clip(crystal.distortion.strength_at(crystal.sites.positions), 0.5, 1.5)
    return 1 + excess / (amplitudes[crystal.sites.sublattice] * strength)


def comparable_sites(crystal: PerfectCrystal, shape: tuple[int, ...]) -> Flags:
    """Sites that lie in good crystal, clear of the frame and of masked pixels."""
    positions = crystal.sites.positions
    margin = 0.5 * crystal.lattice.size
    clear = np.all((positions >= margin) & (positions <= np.array(shape) - 1 - margin), axis=1)
    clear &= crystal.distortion.strength_at(positions) > 0.4
    if crystal.mask.any():
        distance = ndimage.distance_transform_edt(~crystal.mask)
        at = np.clip(np.round(positions).astype(int), 0, np.array(shape) - 1)
        clear &= distance[at[:, 0], at[:, 1]] > crystal.lattice.size
    return np.asarray(clear)
