"""The compiled loops that add columns to images, in an order that is the same on every machine."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled


@compiled
def add_columns(
    images: NDArray[np.float32],
    positions: NDArray[np.float64],
    index: NDArray[np.int64],
    shift: NDArray[np.float64],
    shifted: bool,
    first: NDArray[np.int64],
    n_mixed: NDArray[np.int64],
    along_y: NDArray[np.float32],
    along_x: NDArray[np.float32],
    pixel_size: NDArray[np.float64],
    circle: float,
) -> None:
    """Add each column's products to the images; shifted rows mix two phases each, others share a mixture."""
    n_detectors, height, width = images.shape
    length_y, n_terms, length_x = along_y.shape[1], along_y.shape[2], along_x.shape[2]
    n_phases_y, n_phases_x = along_y.shape[0] - 1, along_x.shape[0] - 1
    half_y, half_x = length_y // 2 - 1, length_x // 2 - 1
    lines = along_x.reshape((n_phases_x + 1) * n_terms, length_x)
    most = 0
    for t in range(first.size - 1):
        most = max(most, first[t + 1] - first[t])
    mixed = np.empty((most, length_x), np.float32)
    which = np.zeros(2 * most + 8, np.int64)
    weights = np.zeros(2 * most + 8, np.float32)
    for i in range(index.size):
        y, x = positions[i, 0], positions[i, 1]
        row_y = math.floor(y)
        below = min(int((y - row_y) * n_phases_y), n_phases_y - 1)
        share_y = np.float32((y - row_y) * n_phases_y - below)
        column_x = math.floor(x)
        left = min(int((x - column_x) * n_phases_x), n_phases_x - 1)
        share_x = np.float32((x - column_x) * n_phases_x - left)
        for d in range(n_detectors):
            t = index[i] * n_detectors + d
            terms, rank = first[t], first[t + 1] - first[t]
            if rank == 0:
                continue
            used = rank + n_mixed[t] if shifted else rank
            weights[used:] = 0
            which[:] = 0
            if not shifted:
                for r in range(rank):
                    which[r] = r
                    a, b, c = (
                        lines[left * n_terms + terms + r],
                        lines[(left + 1) * n_terms + terms + r],
                        mixed[r],
                    )
                    for j in range(length_x):
                        c[j] = a[j] + share_x * (b[j] - a[j])
            for row in range(max(row_y - half_y, 0), min(row_y + half_y + 2, height)):
                place = x - shift[row]
                if shifted:
                    column_x = math.floor(place)
                    left = min(int((place - column_x) * n_phases_x), n_phases_x - 1)
                    share_x = np.float32((place - column_x) * n_phases_x - left)
                start, stop = column_x - half_x, column_x + half_x + 2
                if circle > 0:
                    away = (row - y) * pixel_size[0]
                    if abs(away) > circle:
                        continue
                    chord = math.sqrt(circle * circle - away * away) / pixel_size[1]
                    start, stop = math.ceil(place - chord), math.floor(place + chord) + 1
                start, stop = max(start, 0), min(stop, width)
                if stop <= start:
                    continue
                o = row - row_y + half_y
                near, far = (
                    along_y[below, o, terms : terms + rank],
                    along_y[below + 1, o, terms : terms + rank],
                )
                for r in range(rank):
                    weights[r] = near[r] + share_y * (far[r] - near[r])
                if shifted:
                    nearest = (left + (share_x >= 0.5)) * n_terms + terms
                    for r in range(n_mixed[t], rank):
                        which[r] = nearest + r
                    for r in range(n_mixed[t]):
                        which[r] = left * n_terms + terms + r
                        which[rank + r] = which[r] + n_terms
                        weights[rank + r] = weights[r] * share_x
                        weights[r] -= weights[rank + r]
                line = images[d, row, start:stop]
                skip = start - column_x + half_x
                if shifted:
                    _add_lines(line, lines, skip, which, weights, used)
                else:
                    _add_lines(line, mixed, skip, which, weights, used)


@compiled
def _add_lines(
    line: NDArray[np.float32],
    lines: NDArray[np.float32],
    skip: int,
    which: NDArray[np.int64],
    weights: NDArray[np.float32],
    used: int,
) -> None:
    """Add a weighted sum of lines, eight or four at a time; weights past the last are 0."""
    n = line.size
    r = 0
    while used - r > 4:
        p, q, s, t = weights[r], weights[r + 1], weights[r + 2], weights[r + 3]
        a, b = lines[which[r], skip : skip + n], lines[which[r + 1], skip : skip + n]
        c, d = lines[which[r + 2], skip : skip + n], lines[which[r + 3], skip : skip + n]
        p_, q_, s_, t_ = weights[r + 4], weights[r + 5], weights[r + 6], weights[r + 7]
        a_, b_ = lines[which[r + 4], skip : skip + n], lines[which[r + 5], skip : skip + n]
        c_, d_ = lines[which[r + 6], skip : skip + n], lines[which[r + 7], skip : skip + n]
        for j in range(n):
            line[j] += (p * a[j] + q * b[j] + s * c[j] + t * d[j]) + (
                p_ * a_[j] + q_ * b_[j] + s_ * c_[j] + t_ * d_[j]
            )
        r += 8
    if r < used:
        p, q, s, t = weights[r], weights[r + 1], weights[r + 2], weights[r + 3]
        a, b = lines[which[r], skip : skip + n], lines[which[r + 1], skip : skip + n]
        c, d = lines[which[r + 2], skip : skip + n], lines[which[r + 3], skip : skip + n]
        for j in range(n):
            line[j] += p * a[j] + q * b[j] + s * c[j] + t * d[j]
