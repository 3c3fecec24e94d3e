"""What a strange site may be called when nothing is known of the composition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EMPTY = 0.15  # ratio below which nothing is seen at a site


def point_kinds(
    ratio: NDArray[np.float64], hollow: NDArray[np.bool_], shifted: NDArray[np.bool_]
) -> NDArray[np.str_]:
    """Kind of each strange site, from brightness and place alone.

    Parameters
    ----------
    ratio : (n,) brightness over that of perfect sites of the sublattice.
    hollow : (n,) whether no column belongs there.
    shifted : (n,) whether the column stands off its place, as bright as its equals.

    Notes
    -----
    No element is named, and none is needed: a light dopant that the detector cannot see is
    called a vacancy, for that is what it looks like.

    Examples
    --------
    >>> ratio = np.array([0.02, 0.5, 1.6, 0.9, 1.4])
    >>> place = np.arange(5)
    >>> point_kinds(ratio, place == 4, place == 3).tolist()
    ['vacancy', 'dim_site', 'bright_site', 'other', 'interstitial']
    """
    return np.select(
        [hollow, shifted, ratio < EMPTY, ratio < 1],
        ["interstitial", "other", "vacancy", "dim_site"],
        default="bright_site",
    )
