"""Domains: one lattice or several, and where each is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .contrast import Floats, Mask
from .window_groups import Grouping
from .window_spectra import local_spectra
from .windows import Ints, Windows, lay_windows


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFinder(ABC):
    """Groups windows of the image; one domain unless they clearly fall apart.

    Parameters
    ----------
    window : a0, side of the windows that are compared; it holds four repeats at least.
    stride : a0, distance between windows, at least; more when there would be too many.
    max_windows : how many windows to compare, unless they then stood half a window apart.
    max_domains : how many domains may be told apart.
    silhouette : least mean silhouette at which a split is believed.
    distance : least cosine distance between two domains, each by its mean.
    """

    window: float = 6.0
    stride: float = 0.75
    max_windows: int = 4000
    max_domains: int = 24
    silhouette: float = 0.6
    distance: float

    def __call__(
        self, pixels: Floats, mask: Mask, *, spacing: float, rng: int | Generator | None = 0
    ) -> NDArray[np.int8]:
        """Number of the domain of each pixel, 0 the largest.

        Parameters
        ----------
        pixels : (y, x), standardised.
        mask : (y, x), True where pixels are ignored.
        spacing : a0 in px.
        rng : of the choice of windows that decide, where there are many.
        """
        whole = np.zeros(pixels.shape, dtype=np.int8)
        if min(pixels.shape) < 2 * round(self.window * spacing):
            return whole
        windows = lay_windows(
            pixels,
            mask,
            spacing=spacing,
            window=self.window,
            stride=self.stride,
            max_windows=self.max_windows,
        )
        if not windows.seen.any():
            return whole
        group = self.group(windows, rng=np.random.default_rng(rng))
        return windows.spread(group) if group.any() else whole

    @abstractmethod
    def group(self, windows: Windows, *, rng: Generator) -> Ints:
        """Number (len(y), len(x)) of the domain of each window, 0 the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrumDomainFinder(DomainFinder):
    """Groups the local spectra of windows.

    Two lattices turned by 8° or more are told apart, in noise as well; a lower angle is an array of
    dislocations. What is thinner than a window belongs to what is around it.

    Parameters
    ----------
    distance : least cosine distance between the mean spectra of two domains.
    """

    distance: float = 0.08

    def group(self, windows: Windows, *, rng: Generator) -> Ints:
        """Number (len(y), len(x)) of the domain of each window, 0 the largest."""
        grouping = Grouping(max_groups=self.max_domains, silhouette=self.silhouette, distance=self.distance)
        return grouping(local_spectra(windows), windows, rng=rng)
