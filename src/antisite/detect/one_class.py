"""How strange a vector is among many of which most are alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..crystal.contrast import Floats
from .significance import central_null

Array = NDArray[np.float64]
EXACT = 10_000  # vectors; beyond, the kernel is approximated
COMPONENTS = 20
LEAST_MEMBERS = 30  # fewer do not tell what is ordinary
_PER_COMPONENT = 8  # vectors that each component needs
_CORE = 0.9  # of the vectors, from which the components come
_KEPT = 0.75  # of the vectors, from which the covariance comes
_SHRINKAGE = 0.3  # of the covariance towards equal variances
_STEPS = 30
_NU = 0.5  # share of the vectors outside the support
_GAMMA = 0.1  # over the number of components
_LANDMARKS = 300
_FAINT = 1e-6  # of the kernel at the centre: what is left of it far away
_NEAREST = 1e-3  # distance² per component that counts as the centre itself


def principal_components(vectors: Floats) -> Floats:
    """Vectors (n, lags) in their strongest components (n, k), the median at 0.

    The tenth farthest from the median does not take part, at most 20 are kept, and an eighth as
    many as there are vectors.
    """
    centred = vectors - np.median(vectors, axis=0)
    far = np.einsum("ij,ij->i", centred, centred)
    core = centred[far <= np.quantile(far, _CORE)]
    n = min(COMPONENTS, max(1, len(vectors) // _PER_COMPONENT))
    axes = np.linalg.eigh(np.cov(core.T))[1][:, ::-1][:, :n]
    return np.asarray(centred @ axes, dtype=np.float32)


def whiten_robustly(points: NDArray[np.floating]) -> Array:
    """Points (n, k) whose ordinary majority is centred and has nearly equal variances.

    Mean and covariance of the three quarters that lie nearest under that same mean and covariance,
    found by concentration steps (Rousseeuw & Van Driessen 1999, Technometrics 41, 212) from the
    medians; the covariance is shrunk towards equal variances, so that components of mere noise
    weigh little. Nothing is projected away: among many defects the leading components are the
    defects, and what is left beside them would be perfect.
    """
    n, k = points.shape
    n_kept = min(n, max(int(_KEPT * n), k + 2))
    middle = np.median(points, axis=0)
    spread = np.median(np.abs(points - middle), axis=0)
    white = (points - middle) / np.maximum(spread, 1e-12)
    before = np.zeros(n, dtype=bool)
    for _ in range(_STEPS):
        kept = np.zeros(n, dtype=bool)
        kept[np.argpartition((white**2).sum(axis=1), n_kept - 1)[:n_kept]] = True
        if np.array_equal(kept, before):
            break
        before = kept
        covariance = np.atleast_2d(np.cov(points[kept].T.astype(float)))
        even = max(float(np.trace(covariance)) / k, 1e-24) * np.eye(k)
        root = np.linalg.cholesky((1 - _SHRINKAGE) * covariance + _SHRINKAGE * even)
        white = np.linalg.solve(root, (points - points[kept].mean(axis=0)).T).T
    return np.asarray(white, dtype=float)


def mahalanobis_distance(white: Array) -> Array:
    """Squared distance (n,) of whitened points (n, k) from the centre, over the number of components."""
    return np.asarray((white**2).mean(axis=1))


def one_class_distance(white: Array, *, seed: int, exact: int = EXACT) -> Array:
    """Distance (n,) like the squared one, from the support of a one-class support vector machine.

    Schölkopf et al. (2001), Neural Comput. 13, 1443, with a Gaussian kernel; of many vectors the
    kernel is approximated (Nyström) and the machine trained by stochastic gradient descent.

    Parameters
    ----------
    white : (n, k), whitened points.
    seed : of the approximation.
    exact : up to so many vectors nothing is approximated.

    Notes
    -----
    Only the order of the decision values is used, so ν need not be the share of defects: half of the
    vectors bear the support, which then follows the density. The logarithm of the kernel sum falls
    like a squared distance.
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import SGDOneClassSVM
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import OneClassSVM

    gamma = _GAMMA / white.shape[1]
    if len(white) <= exact:
        model = OneClassSVM(nu=_NU, gamma=gamma).fit(white)
    else:
        approximate = Nystroem(gamma=gamma, n_components=_LANDMARKS, random_state=seed)
        model = make_pipeline(approximate, SGDOneClassSVM(nu=_NU, random_state=seed)).fit(white)
    kernel = model.score_samples(np.vstack([white, np.zeros(white.shape[1])]))
    kernel = kernel / kernel.max()
    faint = np.maximum(_FAINT - kernel, 0)  # approximated kernels may fall below zero: still in order
    return np.asarray((faint - np.log(np.maximum(kernel, _FAINT)))[:-1] / _GAMMA)


def normal_scores(distance: Array) -> Array:
    """Normal deviates (n,) of squared distances: 0 is ordinary, 3 one in 740.

    The logarithm of the squared distance of ordinary vectors is nearly normal, with tails a little
    heavier than those of χ²; its centre and width come from the central quartiles.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal_scores(rng.chisquare(20, 4000) / 20).std().round(1)
    np.float64(1.0)
    """
    log = np.log(np.maximum(distance, _NEAREST))
    centre, width = central_null(log)
    return np.asarray((log - centre) / width)


def two_sided(deviates: Array) -> Array:
    """The |z| (n,) ≥ 0 that is as improbable, both sides together, as a deviate is on its upper side.

    Examples
    --------
    >>> two_sided(np.array([0.0, 1.645, 60.0])).round(2).tolist()
    [0.67, 1.96, 60.01]
    """
    return np.asarray(-special.ndtri_exp(special.log_ndtr(-deviates) - np.log(2)))
