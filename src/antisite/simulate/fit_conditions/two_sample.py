"""How well a small classifier tells two images apart: one half is what chance makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...crystal.contrast import Floats
from ...errors import InputError

Array = NDArray[np.float64]
_N_COMPONENTS = 24
_N_RINGS = 16
_QUANTILES = np.linspace(0.02, 0.98, 13)
_N_HALVES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSampleScore:
    """How often patches were told apart that the classifier had not seen.

    Parameters
    ----------
    accuracy : mean of the four rounds; 0.5 is chance, 1 a simulation that anyone can tell.
    spread : standard deviation over the rounds, in which different parts are held back.
    n : patches judged in one round.
    """

    accuracy: float
    spread: float
    n: int


def tell_apart(
    first: Floats,
    second: Floats,
    *,
    patch: int = 32,
    n_patches: int = 400,
    rng: int | Generator | None = None,
) -> TwoSampleScore:
    """Accuracy of gradient boosting on patches of two images, learned on one half and judged on the other.

    Each patch is standardised, so neither level nor contrast tell. It is described by principal components,
    the spectrum's rings and its two directions, and the quantiles of its values. Left and right, then upper
    and lower halves are learned and judged in turn: patches of both sides never share a pixel.

    Parameters
    ----------
    first, second : (y, x), two images of the same pixel size.
    patch : px
    n_patches : from each half of each image.

    Raises
    ------
    InputError
        A half is too small to cut patches from.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> score = tell_apart(*rng.normal(size=(2, 128, 128)).astype(np.float32), n_patches=150, rng=1)
    >>> 0.4 < score.accuracy < 0.6
    True
    """
    for image in (first, second):
        if min(image.shape) < 2 * patch:
            raise InputError(
                f"an image must be at least {2 * patch} × {2 * patch} px for patches of {patch} px, "
                f"got {image.shape[0]} × {image.shape[1]} px"
            )
    generator = np.random.default_rng(rng)
    rates = []
    for axis in (1, 0):
        halves = []
        for part in range(_N_HALVES):
            patches = [
                _patches(_half(image, axis, part), patch, n_patches, generator) for image in (first, second)
            ]
            halves.append((np.concatenate(patches), np.repeat([0, 1], n_patches)))
        for learned, judged in ((0, 1), (1, 0)):
            rates.append(_accuracy(halves[learned], halves[judged], seed=int(generator.integers(2**31))))
    return TwoSampleScore(
        accuracy=float(np.mean(rates)), spread=float(np.std(rates, ddof=1)), n=2 * n_patches
    )


def _half(image: Floats, axis: int, part: int) -> Floats:
    n = image.shape[axis] // 2
    return image[:, part * n : part * n + n] if axis == 1 else image[part * n : part * n + n]


def _patches(image: Floats, size: int, n: int, rng: Generator) -> Array:
    """(n, size, size), at random places, each with mean 0 and standard deviation 1."""
    views = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    y, x = rng.integers(0, views.shape[0], n), rng.integers(0, views.shape[1], n)
    patches = views[y, x].astype(float)
    patches -= patches.mean(axis=(1, 2), keepdims=True)
    patches /= np.maximum(patches.std(axis=(1, 2), keepdims=True), 1e-9)
    return np.asarray(patches)


def _accuracy(
    learned: tuple[Array, NDArray[np.int_]], judged: tuple[Array, NDArray[np.int_]], *, seed: int
) -> float:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingClassifier

    components = PCA(_N_COMPONENTS, random_state=seed).fit(learned[0].reshape(len(learned[0]), -1))
    classifier = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.1, random_state=seed)
    features = [
        np.column_stack([components.transform(patches.reshape(len(patches), -1)), describe(patches)])
        for patches, _ in (learned, judged)
    ]
    return float(classifier.fit(features[0], learned[1]).score(features[1], judged[1]))


def describe(patches: Array) -> Array:
    """Features (n, 43) of patches (n, y, x): rings and directions of the spectrum, and quantiles."""
    size = patches.shape[1]
    window = np.hanning(size + 2)[1:-1]
    power = np.abs(np.fft.fft2(patches * window * window[:, None])) ** 2
    f = np.abs(np.fft.fftfreq(size))
    ring = np.minimum((np.hypot(f[:, None], f) * 2 * _N_RINGS).astype(int), _N_RINGS - 1)
    across = np.minimum((f * 2 * 7).astype(int), 6)
    rings = np.stack([power[:, ring == k].mean(axis=1) for k in np.unique(ring)], axis=1)
    rows = np.stack([power[:, across == k].mean(axis=(1, 2)) for k in range(7)], axis=1)
    columns = np.stack([power[:, :, across == k].mean(axis=(1, 2)) for k in range(7)], axis=1)
    quantiles = np.quantile(patches, _QUANTILES, axis=(1, 2)).T
    return np.concatenate([np.log(np.concatenate([rings, rows, columns], axis=1) + 1e-9), quantiles], axis=1)
