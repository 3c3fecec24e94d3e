"""What a window holds, as the strengths of its frequencies."""

from __future__ import annotations

import numpy as np

from .contrast import Floats
from .windows import Windows

_LOWEST, _HIGHEST = 0.45, 2.2  # per a0, the lattice's own scale
_FLOOR = 0.5  # of the frequencies hold nothing but noise


def local_spectra(windows: Windows) -> Floats:
    """Square roots of normalised local power spectra, (rows, columns, frequencies), free of white noise.

    Only frequencies of the lattice's own scale are kept, 0.45 to 2.2 per a0. Each window is seen through
    a Hann window; each axis is transformed by one small matrix.
    """
    side, spacing = windows.side, windows.spacing
    hann = np.hanning(side + 2)[1:-1]
    n = int(np.ceil(_HIGHEST * side / spacing))
    f = np.arange(-n, n + 1) / side
    wave = hann[:, None] * np.exp(-2j * np.pi * np.outer(np.arange(side), f))
    radius = np.hypot(f[n:, None], f[None]) * spacing
    keep = (radius >= _LOWEST) & (radius <= _HIGHEST)
    rows = np.hstack([wave.real[:, n:], wave.imag[:, n:]]).T.astype(np.float32)  # real: half the work
    columns = np.hstack([wave.real, wave.imag]).astype(np.float32)
    cuts = np.lib.stride_tricks.sliding_window_view(windows.image, side, axis=1)[:, windows.x]
    along_x = (cuts.reshape(-1, side) @ columns).reshape(len(windows.image), -1)
    spectra = np.empty((len(windows.y), len(windows.x), int(keep.sum())), dtype=np.float32)
    for row, start in zip(spectra, windows.y, strict=True):
        both = (rows @ along_x[start : start + side]).reshape(2, n + 1, len(windows.x), 2, len(f))
        real = both[0, :, :, 0] - both[1, :, :, 1]
        imaginary = both[0, :, :, 1] + both[1, :, :, 0]
        row[:] = (real**2 + imaginary**2).transpose(1, 0, 2)[:, keep]
    at = int(_FLOOR * spectra.shape[2])
    for row in spectra:
        row -= np.partition(row, at, axis=1)[:, at, None]
    np.maximum(spectra, 0, out=spectra)
    spectra /= np.maximum(spectra.sum(axis=2, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(np.sqrt(spectra, out=spectra))
