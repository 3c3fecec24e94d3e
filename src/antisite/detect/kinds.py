"""What a strange site may be called when nothing is known of the composition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EMPTY = 0.15  # ratio below which nothing is seen at a site


def point_kinds(ratio: NDArray[np.float64], hollow: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Kind of each strange site, from its brightness alone.

    Parameters
    ----------
    ratio : (n,) brightness over that of perfect sites of the sublattice.
    hollow : (n,) whether no column belongs there.

    Notes
    -----
    No element is named, and none is needed: a light dopant that the detector cannot see is
    called a vacancy, for that is what it looks like.

    Examples
    --------
    >>> point_kinds(np.array([0.02, 0.5, 1.6, 1.4]), np.array([False, False, False, True])).tolist()
    ['vacancy', 'dim_site', 'bright_site', 'interstitial']
    """
    return np.select(
        [hollow, ratio < EMPTY, ratio < 1], ["interstitial", "vacancy", "dim_site"], default="bright_site"
    )
