"""How an image is recorded: the scan, the dirt on the specimen, the counted electrons, the read-out."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ...errors import InputError
from .poisson import sample_poisson
from .power_law import exponential, power_law_field
from .read_noise import read_out_counts
from .scan_distortion import drift_path, drift_positions, flyback_positions, jitter_rows

_MOST_VALUE = 1e20  # of gain, offset and read noise: pixels are 32-bit floats
_MOST_FILM = 1000.0  # of the signal without
_FARTHEST_DRIFT = 2.5  # rms; three waves add up to the root of 6 at the most


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a slow scan does to the places of columns.

    Parameters
    ----------
    drift : px, root mean square of the specimen's smooth movement along each axis.
    jitter : px, root mean square by which rows start early or late, each on its own.
    flyback : px, how far the beam is still off at the start of every row; less than `flyback_length`.
    flyback_length : px along the row in which that decays to 1 / e.
    """

    drift: float = 0.0
    jitter: float = 0.0
    flyback: float = 0.0
    flyback_length: float = 20.0

    def __post_init__(self) -> None:
        for name in ("drift", "jitter", "flyback"):
            _check_not_negative(name, getattr(self, name), "px")
        if not self.flyback < self.flyback_length < math.inf:
            raise InputError(
                f"flyback must be less than the {self.flyback_length:g} px in which it decays, "
                f"got {self.flyback:g} px (give less, or a longer flyback_length)"
            )

    @property
    def reach(self) -> float:
        """Px beyond the frame from which columns may appear in it (jitter exceeds it in one row of 1e9)."""
        return _FARTHEST_DRIFT * self.drift + 6 * self.jitter + self.flyback

    def __call__(
        self, positions: NDArray[np.float64], *, n_rows: int, rng: Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Where columns appear, (N, 2) px, and how much farther right rows are sampled, (y,) px or None."""
        drift_rng, jitter_rng = rng.spawn(2)
        if self.drift > 0 and n_rows > 1:
            positions = drift_positions(positions, drift_path(n_rows, self.drift, drift_rng))
        positions = flyback_positions(positions, shift=self.flyback, length=self.flyback_length)
        return positions, jitter_rows(n_rows, self.jitter, jitter_rng) if self.jitter > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """A film of carbon of uneven thickness, which scatters as much at every place as it is thick.

    Parameters
    ----------
    strength : mean signal of the film, as a share of the mean signal without it.
    exponent : the thickness has a spectrum 1 / f^exponent, from the size of the frame to a few pixels.
    unevenness : standard deviation of the logarithm of the thickness.
    """

    strength: float = 0.0
    exponent: float = 3.0
    unevenness: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= _MOST_FILM:
            raise InputError(
                f"strength of contamination must be 0 to {_MOST_FILM:g} [share of the signal], "
                f"got {self.strength:g} (0.2 is a fifth of what the specimen gives)"
            )
        if not 0 <= self.exponent <= 8:
            raise InputError(f"exponent of contamination must be 0 to 8, got {self.exponent:g}")
        if not 0 <= self.unevenness <= 3:
            raise InputError(f"unevenness of contamination must be 0 to 3, got {self.unevenness:g}")

    def thickness(self, shape: tuple[int, int], *, rng: Generator) -> NDArray[np.float32]:
        """Thickness of the film over its mean, (y, x), positive."""
        thickness = power_law_field(shape, exponent=self.exponent, rng=rng)
        thickness *= np.float32(self.unevenness)
        thickness = exponential(thickness)
        thickness /= max(float(thickness.mean(dtype=np.float64)), 1e-30) if thickness.size else 1.0
        return thickness


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What the electronics make of the electrons of a pixel: gain × electrons + offset + noise.

    Parameters
    ----------
    gain : per electron.
    offset : mean of a pixel without electrons.
    read_noise : its standard deviation.
    bits : values are whole numbers from 0 to 2**bits − 1, brighter ones clipped; 0: neither.
    """

    gain: float = 1.0
    offset: float = 0.0
    read_noise: float = 0.0
    bits: int = 0

    def __post_init__(self) -> None:
        least, most = 1 / _MOST_VALUE, _MOST_VALUE
        for name, value, low, must in (
            ("gain", self.gain, least, f"positive, {least:g} to {most:g} per electron"),
            ("offset", self.offset, -most, f"finite, {-most:g} to {most:g}"),
            ("read_noise", self.read_noise, 0, f"0 to {most:g}"),
        ):
            if not low <= value <= most:
                raise InputError(f"{name} must be {must}, got {value:g} (pixels are 32-bit floats)")
        if not 0 <= self.bits <= 16:
            raise InputError(f"bits must be 1 to 16 (0: none), got {self.bits}")

    def __call__(self, counts: NDArray[np.float32], *, rng: Generator) -> NDArray[np.float32]:
        """Values of the pixels, (…, y, x) like the electrons counted."""
        if self == Readout():
            return counts
        return read_out_counts(
            counts,
            gain=self.gain,
            offset=self.offset,
            read_noise=self.read_noise,
            top=2**self.bits - 1 if self.bits else 0,
            rng=rng,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """All that happens after scattering.

    Parameters
    ----------
    dose : e/Å²; infinite: no noise, and the image stays the share of the beam.
    """

    dose: float = math.inf
    scan: Scan = dataclasses.field(default_factory=Scan)
    contamination: Contamination = dataclasses.field(default_factory=Contamination)
    readout: Readout = dataclasses.field(default_factory=Readout)

    def __post_init__(self) -> None:
        _check_dose(self.dose, self.readout)


def record_field(
    signal: NDArray[np.float32],
    *,
    dose: float,
    pixel_size: float | tuple[float, float],
    contamination: Contamination | None = None,
    readout: Readout | None = None,
    rng: Generator,
) -> NDArray[np.float32]:
    """What the detectors record of a field.

    Parameters
    ----------
    signal : (n_detectors, y, x), share of the beam.
    dose : e/Å²; infinite: no noise, and the result is the signal, contaminated.
    pixel_size : Å/px, or Å/px along y and along x.

    Returns
    -------
    NDArray
        (n_detectors, y, x) electrons, or what the read-out makes of them. All detectors see the same film.
    """
    readout = readout or Readout()
    _check_dose(dose, readout)
    film_rng, count_rng, readout_rng = rng.spawn(3)
    if contamination is not None and contamination.strength > 0:
        signal = _contaminated(signal, contamination, film_rng)
    if math.isinf(dose):
        return signal
    sizes = pixel_size if isinstance(pixel_size, tuple) else (pixel_size, pixel_size)
    counts = sample_poisson(
        np.asarray(signal, np.float32), rng=count_rng, scale=dose * sizes[0] * sizes[1]
    ).astype(np.float32, copy=False)
    return readout(counts, rng=readout_rng)


def _contaminated(
    signal: NDArray[np.float32], contamination: Contamination, rng: Generator
) -> NDArray[np.float32]:
    """The signal with that of the film added."""
    thickness = contamination.thickness((signal.shape[1], signal.shape[2]), rng=rng)
    added = (contamination.strength * signal.mean(axis=(1, 2), dtype=np.float64)).astype(np.float32)
    result: NDArray[np.float32] = added[:, None, None] * thickness
    result += signal
    return result


def _check_dose(dose: float, readout: Readout) -> None:
    """Refuse a dose that cannot be counted."""
    if not dose > 0:
        raise InputError(f"dose must be positive [e/Å²], got {dose:g}")
    if math.isinf(dose) and readout != Readout():
        raise InputError("an infinite dose has no counts to read out (give a dose in e/Å², or no read-out)")


def _check_not_negative(name: str, value: float, unit: str) -> None:
    """Refuse negative and infinite values."""
    if not 0 <= value < math.inf:
        raise InputError(f"{name} must be 0 or more [{unit}], got {value:g}")
