"""Domains: one lattice or several, and where each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

from .contrast import Floats, Mask, blur_within, flatten

_THICK = 1.2  # windows; what is thinner is no domain


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFinder:
    """Groups local spectra; one domain unless the spectra clearly fall apart.

    Parameters
    ----------
    window : a0, side of the Hann window whose spectrum is compared.
    stride : a0, distance between windows, at least; more when there would be too many.
    max_windows : how many windows to compare.
    max_domains : how many domains may be told apart.
    silhouette : least mean silhouette at which a split is believed.
    distance : least cosine distance between the mean spectra of two domains.
    """

    window: float = 6.0
    stride: float = 0.75
    max_windows: int = 4000
    max_domains: int = 4
    silhouette: float = 0.6
    distance: float = 0.05

    def __call__(
        self, pixels: Floats, mask: Mask, *, spacing: float, rng: int | np.random.Generator | None = 0
    ) -> NDArray[np.int8]:
        """Number of the domain of each pixel, 0 the largest.

        Parameters
        ----------
        pixels : (y, x), standardised.
        mask : (y, x), True where pixels are ignored.
        spacing : a0 in px.
        rng : of the first guess of the groups.
        """
        whole = np.zeros(pixels.shape, dtype=np.int8)
        side = round(self.window * spacing)
        if min(pixels.shape) < 2 * side:
            return whole
        even = even_contrast(pixels, mask, spacing=spacing)
        y, x = self._window_corners(pixels.shape, side, spacing)
        spectra = _local_spectra(even, y, x, side=side, spacing=spacing)
        step = np.array([np.ptp(y) / max(len(y) - 1, 1), np.ptp(x) / max(len(x) - 1, 1)])
        seen = np.ones(len(spectra), dtype=bool)
        if mask.any():
            seen = _masked_share(mask, y, x, side=side) < 0.5
        if not seen.any():
            return whole
        numbers = np.full(len(y) * len(x), -1)
        numbers[seen] = self._group(spectra[seen], np.random.default_rng(rng))
        group = _absorb_thin(numbers.reshape(len(y), len(x)), step, side=side)
        if group.max() == 0:
            return whole
        rows = np.abs(np.arange(pixels.shape[0])[:, None] - (y + side / 2)).argmin(axis=1)
        columns = np.abs(np.arange(pixels.shape[1])[:, None] - (x + side / 2)).argmin(axis=1)
        return group[np.ix_(rows, columns)].astype(np.int8)

    def _window_corners(
        self, shape: tuple[int, ...], side: int, spacing: float
    ) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        step = max(self.stride * spacing, float(np.sqrt(np.prod(np.array(shape) - side) / self.max_windows)))
        y, x = (np.linspace(0, n - side, max(2, int((n - side) / step) + 1)).astype(int) for n in shape)
        return y, x

    def _group(self, spectra: Floats, rng: np.random.Generator) -> NDArray[np.int_]:
        """The largest number of groups that is clearly there."""
        centred = spectra - spectra.mean(axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        scores = centred @ vectors[:, :-7:-1]
        sample = rng.permutation(len(scores))[:1000]
        distances = cdist(scores[sample], scores[sample])
        splits = []
        for k in range(2, self.max_domains + 1):
            group = kmeans2(scores, k, minit="++", rng=rng)[1]
            if len(np.unique(group)) == k and self._apart(spectra, group, k):
                splits.append((_silhouette(distances, group[sample]), group))
        best = max((s for s, _ in splits), default=0.0)
        good = [group for s, group in splits if s >= max(self.silhouette, best - 0.1)]
        return good[-1] if good else np.zeros(len(spectra), dtype=int)

    def _apart(self, spectra: Floats, group: NDArray[np.int_], k: int) -> bool:
        means = np.array([spectra[group == i].mean(axis=0) for i in range(k)])
        return bool(np.min(cdist(means, means, "cosine")[np.triu_indices(k, 1)]) >= self.distance)


def _absorb_thin(group: NDArray[np.int_], step: NDArray[np.float64], *, side: int) -> NDArray[np.int_]:
    """Give nodes of groups thinner than a window to the nearest thick one; number from the largest.

    What is thinner than a window is where windows meet something else: a boundary, a mask, one wild
    column. Masked nodes (-1) go the same way. The nodes stop half a window before the frame, the
    groups do not.
    """
    beyond = [(int(np.ceil(side / 2 / max(s, 1))),) * 2 for s in step]
    thickness = {}
    for k in np.unique(group[group >= 0]):
        inside = np.pad(group == k, beyond, mode="edge")
        thickness[k] = 2 * float(ndimage.distance_transform_edt(inside, sampling=step).max())
    least = _THICK * side
    thickest = max(thickness, key=lambda k: thickness[k])
    thick = [k for k, t in thickness.items() if t > least] or [thickest]
    _, nearest = ndimage.distance_transform_edt(~np.isin(group, thick), sampling=step, return_indices=True)
    group = group[tuple(nearest)]
    largest_first = sorted(thick, key=lambda k: -int((group == k).sum()))
    number = np.zeros(int(group.max()) + 1, dtype=int)
    number[largest_first] = np.arange(len(thick))
    return np.asarray(number[group])


def _masked_share(mask: Mask, y: NDArray[np.int_], x: NDArray[np.int_], *, side: int) -> NDArray[np.float64]:
    """Masked share (len(y) len(x),) of each window."""
    total = np.pad(np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    low, high = np.ix_(y, x), np.ix_(y + side, x + side)
    inside = total[high] - total[np.ix_(y, x + side)] - total[np.ix_(y + side, x)] + total[low]
    return np.asarray(inside.ravel() / side**2)


def even_contrast(pixels: Floats, mask: Mask, *, spacing: float) -> Floats:
    """The image without background and with the same local contrast everywhere."""
    flat = flatten(pixels, mask, sigma=1.5 * spacing)
    rms = np.sqrt(np.maximum(blur_within(flat**2, mask, sigma=4 * spacing), 0))
    return np.asarray(flat / np.maximum(rms, np.float32(0.05 * (rms.max() or 1))))


def _local_spectra(
    pixels: Floats, y: NDArray[np.int_], x: NDArray[np.int_], *, side: int, spacing: float
) -> Floats:
    """Square roots of normalised local power spectra, (len(y) len(x), frequencies).

    Only frequencies of the lattice's own scale are kept, 0.45 to 2.2 per a0: a window of
    `side` px is transformed by two small matrices, one for each axis.
    """
    hann = np.hanning(side + 2)[1:-1]
    n = int(np.ceil(2.2 * side / spacing))
    f = np.arange(-n, n + 1) / side
    wave = (hann[:, None] * np.exp(-2j * np.pi * np.outer(np.arange(side), f))).astype(np.complex64)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side))
    radius = np.hypot(f[n:, None], f[None]) * spacing
    keep = (radius >= 0.45) & (radius <= 2.2)
    rows = []
    for start in y:
        along_x = windows[start, x] @ wave  # (windows, side, f)
        power = np.abs(np.einsum("yf,wyg->wfg", wave[:, n:], along_x, optimize=True))[:, keep] ** 2
        rows.append(power)
    power = np.concatenate(rows)
    power /= np.maximum(power.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(np.sqrt(power), dtype=np.float32)


def _silhouette(distances: NDArray[np.float64], group: NDArray[np.int_]) -> float:
    """Mean silhouette of Rousseeuw (1987), J. Comput. Appl. Math. 20, 53."""
    member = group[:, None] == np.unique(group)
    size = member.sum(axis=0)
    mean = distances @ member / np.maximum(size, 1)
    own = mean[member] * size[member.argmax(axis=1)] / np.maximum(size[member.argmax(axis=1)] - 1, 1)
    other = np.where(member, np.inf, mean).min(axis=1)
    return float(np.mean((other - own) / np.maximum(np.maximum(own, other), 1e-12)))
