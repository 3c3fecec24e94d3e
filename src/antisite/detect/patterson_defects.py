"""Sites whose surroundings differ from those of their own sublattice, by their Patterson functions.

After Guo et al. (2021), npj Comput. Mater. 7, 180, scheme A. What was not published, and what is
different here, is told in `docs/patterson.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import stats
from scipy.spatial import cKDTree

from ..crystal.contrast import Floats, flatten
from ..crystal.patterson import describe_surroundings, semantic_image
from ..crystal.perfect_crystal import PerfectCrystal
from .column_light import measure_light
from .columns_seen import SURE, columns_seen
from .local_reference import LocalReference, local_references
from .one_class import (
    LEAST_MEMBERS,
    mahalanobis_distance,
    normal_scores,
    one_class_distance,
    principal_components,
    two_sided,
    whiten_robustly,
)
from .significance import central_null
from .site_finder import SiteFinder
from .site_scores import Array, Flags, SiteEvidence, SiteTest

_WINDOW = {"raw": 0.45, "semantic": 0.3}  # nearest distances; a spot is narrower than a column
_SPOT = 0.2  # nearest distances, width of a spot
_LEAST_SPOT = 1.0  # px; a narrower one shows where the pixels lie
_MARGIN = 1.0  # nearest distances to the frame; a cut segment is strange by itself
_LEAST_STRENGTH = 0.2  # of the lattice, where segments are still scaled
_SHAKEN = 4.5  # median displacements of a sublattice; less is noise
_STRANGE = 3.0  # normal deviates, from which a defect explains its neighbours
_UNCHANGED = 0.75  # of a change that is enough to be called
_CLOUD = 1.5  # nearest distances, as far as a defect shows in other segments
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PattersonFinder(SiteFinder):
    """Scores the surroundings of every site, and flags what is strange and itself changed.

    Within a nearest distance of the frame, where surroundings are cut, the score is NaN.

    Parameters
    ----------
    fdr : expected share of false flags among all (Benjamini–Hochberg on each sublattice).
    min_dark, min_bright : least change of the ratio of a flagged site, or
    min_shift : nearest distances, least displacement of its column.
    input : `raw` compares the pixels, `semantic` equal spots where columns were seen.
    model : `one-class-svm` as published, or a robust `mahalanobis` distance.
    attribute : whether unchanged sites beside a strange, changed one are compared only with each
        other: each defect makes a cloud of strange segments around itself.
    seed : of the approximation that the one-class model needs beyond 10,000 segments.
    """

    effort: ClassVar[int] = 6
    share: ClassVar[float] = 0.01

    min_dark: float
    min_bright: float
    min_shift: float = 0.1
    input: Literal["raw", "semantic"] = "semantic"
    model: Literal["one-class-svm", "mahalanobis"] = "mahalanobis"
    attribute: bool = True
    seed: int = 0

    def _score(
        self,
        channels: Sequence[Floats],
        crystal: PerfectCrystal,
        tested: Flags,
        references: Sequence[LocalReference],
    ) -> SiteEvidence:
        light = [measure_light(pixels, crystal, c, references) for c, pixels in enumerate(channels)]
        ratios = np.where(tested, [one.ratio for one in light], np.nan)
        ratio = ratios.mean(axis=0)
        followed = np.where(tested, [one.followed for one in light], np.nan).mean(axis=0)
        views = list(channels)
        if self.input == "semantic":
            seen = columns_seen(channels, crystal, ratio=ratio, followed=followed)
            spot = max(_SPOT * crystal.nearest, _LEAST_SPOT)
            views = [semantic_image(seen, shape=channels[0].shape, width=spot)]
        deviate = self._deviates(views, crystal, tested & _clear_of_frame(crystal, channels[0].shape))
        changed, moved = self._light_change(crystal, ratio, followed), self._shift(crystal)
        if self.attribute:
            deviate = _attributed(deviate, np.fmax(changed, moved), crystal)
        score = two_sided(deviate)
        z = np.where(ratio < 1, -1, 1) * score
        column = ~crystal.hollow  # a hollow has no column to lose or to move
        tests = (
            SiteTest(
                name="dark", p=np.where(column, stats.norm.cdf(z), np.nan), side=z < 0, large=changed >= 1
            ),
            SiteTest(name="bright", p=stats.norm.sf(z), side=z >= 0, large=changed >= 1),
            SiteTest(
                name="shifted",
                p=np.where(column, stats.norm.sf(deviate), np.nan),
                side=np.isfinite(deviate),
                large=moved >= 1,
            ),
        )
        return SiteEvidence(z=z, ratio=ratios, score=score, tests=tests, references=references)

    def _deviates(self, views: Sequence[Floats], crystal: PerfectCrystal, tested: Flags) -> Array:
        """How strange the surroundings of every site are, as normal deviates (n,)."""
        deviate = np.full(len(tested), np.nan)
        row = np.cumsum(tested) - 1
        lags = self._describe(views, crystal, crystal.sites.positions[tested])
        for reference in local_references(crystal, tested, neighbours=self.neighbours):
            own = reference.members
            if len(own) < LEAST_MEMBERS:
                continue
            components = principal_components(lags[row[own]])
            white = whiten_robustly(components - _usual_nearby(components, reference))
            if self.model == "mahalanobis":
                deviate[own] = normal_scores(mahalanobis_distance(white))
            else:
                deviate[own] = normal_scores(one_class_distance(white, seed=self.seed))
        return deviate

    def _describe(self, views: Sequence[Floats], crystal: PerfectCrystal, positions: Array) -> Floats:
        """Patterson functions (n, lags) around positions (n, 2) px, those of all views side by side."""
        width = _WINDOW[self.input] * crystal.nearest
        if self.input == "semantic":
            return describe_surroundings(views[0], positions, width=width)
        flat = [flatten(view, crystal.mask, sigma=crystal.lattice.size) for view in views]
        lags = np.concatenate([describe_surroundings(view, positions, width=width) for view in flat], axis=1)
        strength = np.maximum(crystal.distortion.strength_at(positions), _LEAST_STRENGTH)
        # the root of an autocorrelation grows like the image
        return np.asarray(lags / strength[:, None], dtype=np.float32)

    def _light_change(self, crystal: PerfectCrystal, ratio: Array, followed: Array) -> Array:
        """How much light (n,) a site lost or gained; 1 is what the settings want, and more than noise."""
        change = np.zeros(len(ratio))
        for number, sublattice in enumerate(crystal.sublattices):
            own = np.flatnonzero(crystal.sites.sublattice == number)
            light, seen = ratio[own], np.fmax(ratio[own], followed[own])
            noise = SURE * central_null(light[np.isfinite(light)])[1]
            gain = (light - 1) / max(self.min_bright, noise)
            loss = 0.0 if sublattice.hollow else (1 - seen) / max(self.min_dark, noise)
            change[own] = np.maximum(gain, loss)
        return change

    def _shift(self, crystal: PerfectCrystal) -> Array:
        """How far (n,) a column moved; 1 is what the settings want, and more than noise; NaN if unseen."""
        shift = np.asarray(np.linalg.norm(crystal.offsets, axis=1)) / crystal.nearest
        for number in range(len(crystal.columns)):
            own = crystal.sites.sublattice == number
            seen = shift[own & np.isfinite(shift)]
            shift[own] /= max(self.min_shift, _SHAKEN * float(np.median(seen)) if len(seen) else 0)
        return shift


def _attributed(deviate: Array, change: Array, crystal: PerfectCrystal) -> Array:
    """Deviates (n,) in which a defect counts once: unchanged sites beside one, only against each other."""
    positions, credited = crystal.sites.positions, deviate.copy()
    centre = (change >= 1) & (deviate > _STRANGE)
    beside = np.flatnonzero((change < _UNCHANGED) & np.isfinite(deviate))
    if centre.any():
        distance, _ = cKDTree(positions[centre]).query(positions[beside])
        beside = beside[distance <= _CLOUD * crystal.nearest]
        middle, width = central_null(deviate[beside])
        credited[beside] = np.minimum(deviate[beside], (deviate[beside] - middle) / max(width, 1))
    return credited


def _clear_of_frame(crystal: PerfectCrystal, shape: tuple[int, ...]) -> Flags:
    margin, positions = _MARGIN * crystal.nearest, crystal.sites.positions
    return np.asarray(np.all((positions >= margin) & (positions <= np.array(shape) - 1 - margin), axis=1))


def _usual_nearby(components: Floats, reference: LocalReference) -> Floats:
    """Median (n, k) of the fellows nearby."""
    usual = np.zeros_like(components)
    near = reference.near[:, : reference.neighbours]
    for start in range(0, len(components), _CHUNK):
        chosen = slice(start, start + _CHUNK)
        usual[chosen] = np.median(components[near[chosen]], axis=1)
    return usual
