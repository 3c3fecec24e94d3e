"""Found defects beside what the perfect crystal looks like there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..result import Result

SIDE = 60
REACH = 2.1
N_LIKE = 9
_HOLE_REACH = 1.3  # of the longer side of its box


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """One defect and its perfect counterpart, on the same grey scale.

    Parameters
    ----------
    row : the defect, as a row of the table.
    found : (channels, side, side) 0 to 1, around the defect.
    perfect : (channels, side, side), median of the nearest perfect sites of its sublattice, NaN where
        the image ends; None where no such site exists, and for a hole, which replaces many sites.
    """

    row: pd.Series[Any]
    found: NDArray[np.float32]
    perfect: NDArray[np.float32] | None


def pick_defects(defects: pd.DataFrame, *, limit: int = 24) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The strongest defects, strongest first, and the most doubtful, weakest first.

    All are strong when no more than `limit` exist; otherwise a third of the places go to the doubtful.
    """
    ranked = defects.sort_values("score", ascending=False, kind="stable", na_position="last")
    if len(ranked) <= limit:
        return ranked, ranked.iloc[:0]
    n_doubtful = limit // 3
    return ranked.iloc[: limit - n_doubtful], ranked.iloc[::-1].iloc[:n_doubtful]


def cut_windows(
    channels: NDArray[np.float32], centres: NDArray[np.float64], *, half: float, side: int = SIDE
) -> NDArray[np.float32]:
    """(N, channels, side, side) windows around points, between the pixels; NaN beyond the frame.

    Parameters
    ----------
    channels : (channels, y, x)
    centres : (N, 2) px as (y, x).
    half : px from the centre to the outermost samples.
    """
    from scipy.ndimage import map_coordinates

    step = np.linspace(-half, half, side)
    y = np.broadcast_to(centres[:, 0, None, None] + step[:, None], (len(centres), side, side))
    x = np.broadcast_to(centres[:, 1, None, None] + step, (len(centres), side, side))
    cut = [map_coordinates(channel, [y, x], order=1, mode="constant", cval=np.nan) for channel in channels]
    return np.stack(cut, axis=1)


def predicted(sites: pd.DataFrame) -> NDArray[np.float64]:
    """(N, 2) px as (y, x): where the lattice wants the sites."""
    return np.asarray(sites[["y", "x"]].to_numpy() - sites[["dy", "dx"]].fillna(0.0).to_numpy())


def _pair(row: pd.Series[Any], found: NDArray[np.float32], perfect: NDArray[np.float32] | None) -> Pair:
    """What is there between the darkest and the brightest of it, channel by channel."""
    both = found if perfect is None else np.concatenate([found, perfect], axis=-1)
    low, high = np.nanpercentile(both, [0.5, 99.5], axis=(1, 2), keepdims=True)
    span = np.where(high > low, high - low, 1.0)

    def stretched(window: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.clip((window - low) / span, 0, 1), dtype=np.float32)

    return Pair(row=row, found=stretched(found), perfect=None if perfect is None else stretched(perfect))


def pair_defects(result: Result, defects: pd.DataFrame) -> Iterator[Pair]:
    """Each defect with the median of its nearest perfect sites of the same sublattice and grain.

    A hole stands alone, its whole box and some of the crystal around it.
    """
    holes = defects["kind"] == "hole"
    for _, row in defects[holes].iterrows():
        half = _HOLE_REACH * max(row["length"], row["width"]) / 2
        centre = np.array([[row["y"], row["x"]]])
        yield _pair(row, cut_windows(result.image.channels, centre, half=half, side=2 * SIDE)[0], None)
    yield from _pair_points(result, defects[~holes])


def _pair_points(result: Result, defects: pd.DataFrame) -> Iterator[Pair]:
    from scipy.spatial import KDTree

    spacing = {one["grain"]: float(one["nn"]) for one in result.grains}
    like = result.sites[(result.sites["kind"] == "none") & result.sites["z"].notna()]
    for (sublattice, grain), group in defects.groupby(["sublattice", "grain"], sort=False):
        perfect = predicted(like[(like["sublattice"] == sublattice) & (like["grain"] == grain)])
        tree = KDTree(perfect) if len(perfect) else None
        centres = predicted(group)
        half = REACH * spacing.get(grain, 8.0)
        windows = cut_windows(result.image.channels, centres, half=half)
        for (_, row), centre, found in zip(group.iterrows(), centres, windows, strict=True):
            ideal = None
            if tree is not None:
                nearest = np.atleast_1d(tree.query(centre, k=min(N_LIKE, len(perfect)))[1])
                ideal = _median(cut_windows(result.image.channels, perfect[nearest], half=half))
            yield _pair(row, found, ideal)


def _median(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the windows that reach each sample; NaN where none does."""
    reached = np.isfinite(windows).any(axis=0)
    filled = np.where(reached, windows, 0.0)
    return np.where(reached, np.nanmedian(filled, axis=0), np.nan).astype(np.float32)


def pair_picture(pair: Pair, *, gap: int = 3) -> NDArray[np.uint8]:
    """(y, x) found on the left, perfect on the right if known, one row for each channel, white between."""

    def levels(window: NDArray[np.float32]) -> NDArray[np.uint8]:
        return np.where(np.isfinite(window), window * 255 + 0.5, 255).astype(np.uint8)

    columns = [pair.found] if pair.perfect is None else [pair.found, pair.perfect]
    n, side, _ = pair.found.shape
    step = side + gap
    picture = np.full((n * step - gap, len(columns) * step - gap), 255, dtype=np.uint8)
    for i, j in np.ndindex(n, len(columns)):
        picture[i * step : i * step + side, j * step : j * step + side] = levels(columns[j][i])
    return picture
