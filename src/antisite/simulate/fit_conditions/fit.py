"""From an image of a known crystal to conditions that simulate its twin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...crystal.contrast import Floats, flatten
from ...errors import InputError
from ...image import Image
from ..crystals.crystal import Crystal
from ..progress import Progress
from ..recording.recording import Contamination, Readout, Scan
from ..scattering.optics import Optics
from ..scattering.responses import compute_responses
from .clipped_values import find_limits, has_eight_bits, measure_clipping
from .column_blur import FittedBlur, fit_blur
from .crystal_in_image import CrystalImage, find_crystal, find_settings
from .fitted_conditions import FittedConditions, FittedDetector
from .noise_level import (
    NoiseLevel,
    measure_contrast_spread,
    measure_noise,
    measure_row_shifts,
    measure_unevenness,
)
from .vibration import measure_vibration, sample_displaced

Array = NDArray[np.float64]
_UNEVENNESS = Contamination().unevenness
PULSE_SPREAD = 0.5
_MOST_FILM = 3.0  # of the light without
_NO_NOISE = 1e-10  # variance, over the square of the light
_SPREAD = math.sqrt(math.expm1(_UNEVENNESS**2))  # of a film's thickness, over its mean


def fit_conditions(
    image: Image,
    specimen: Crystal,
    *,
    optics: Optics | None = None,
    lattice_constant: float = math.nan,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> FittedConditions:
    """Conditions that simulate an image like this one.

    The mean cell is compared with that computed from the atoms: where the columns are and which is brighter
    gives scale and orientation, their widths the size of the source, their height the contrast. What is left
    gives noise (its variance grows with the signal by the gain), shifted rows and the slow background.
    Defects are not looked for; where many sites hold one the contrast comes out too small.

    Parameters
    ----------
    specimen : what the image shows, most of it undisturbed.
    optics : beam and detectors; those that the image names by default. Its size of the source is ignored.
    lattice_constant : Å, length of `a`; the specimen's own by default.
    cache, workers, progress : as in `simulate_image`.

    Raises
    ------
    NoLatticeError
        The image shows no lattice.
    InputError
        Another one than the specimen's, or beam and detectors are unknown.
    """
    optics = replace(beam_of_image(image) if optics is None else optics, source_size=0.0)
    if len(optics.detectors) != image.n_channels:
        raise InputError(
            f"each channel needs its detector, got {len(optics.detectors)} for {image.n_channels} "
            f"(give --detector INNER OUTER for each)"
        )
    crystal = _scaled(specimen, lattice_constant)
    found = find_crystal(image)
    settings = find_settings(found.lattice, crystal)
    pixel_size = math.sqrt(abs(np.linalg.det(crystal.cell)) / found.lattice.cell_area)
    responses = compute_responses(
        [column.atoms for column in crystal.columns], optics, cache=cache, workers=workers, progress=progress
    )
    limits = [find_limits(channel[~image.mask]) for channel in image.channels]
    seen = found.draw()
    clippings = [
        measure_clipping(channel[found.clear], drawn[found.clear], limits=limit)
        for channel, drawn, limit in zip(image.channels, seen, limits, strict=True)
    ]
    found = found.mapped(clippings)
    rest = _rest(image, found, seen)
    _, jitter = measure_row_shifts(rest, seen, found.clear)
    vibration = measure_vibration(rest, seen, found.clear)
    shaken = sample_displaced(seen, vibration.displacement(image.shape, rng=np.random.default_rng(0))) - seen
    noises = [
        measure_noise(rest[i], seen[i], found.clear, moved=shaken[i], clipping=clippings[i])
        for i in range(image.n_channels)
    ]
    vibration = vibration.with_fast(np.mean([noise.fast for noise in noises], axis=0))
    smoothing = np.mean([noise.smoothing for noise in noises], axis=0)
    columns = fit_blur(
        found,
        settings,
        crystal,
        responses,
        pixel_size=pixel_size,
        aperture=1e-3 * optics.convergence / optics.wavelength,
        blurred=np.square(vibration.rms) + smoothing * np.abs(smoothing),
    )
    drift = float(np.sqrt((_row_path(found) ** 2).mean()))
    return FittedConditions(
        crystal=crystal,
        pixel_size=pixel_size,
        cell=columns.setting.cell,
        corner=columns.corner,
        shape=image.shape,
        optics=replace(optics, source_size=columns.source.size),
        source=columns.source,
        scan=Scan(drift=drift, jitter=jitter),
        vibration=vibration,
        detectors=tuple(
            _fit_detector(
                image.channels[i],
                rest[i],
                seen[i],
                found,
                i,
                columns,
                noises[i],
                limits[i],
                pixel_area=pixel_size**2,
            )
            for i in range(image.n_channels)
        ),
        name=image.name,
    )


def beam_of_image(image: Image, told: Mapping[str, Any] | None = None) -> Optics:
    """Beam and detectors that an image names.

    Parameters
    ----------
    told : fields of `Optics` that go before those of the image.

    Raises
    ------
    InputError
        Beam energy, convergence or detectors are neither known nor told, or do not go together.
    """
    told = dict(told or {})
    ours = {name: told.pop(name) for name in ("beam_energy", "convergence", "detectors") if name in told}
    known = replace(image.conditions, **ours)
    missing = [
        words
        for words, value in (
            ("beam energy (--beam-energy)", known.beam_energy),
            ("convergence (--convergence)", known.convergence),
            (
                "detector angles (--detector INNER OUTER)",
                known.detectors[0].inner if known.detectors else math.nan,
            ),
        )
        if math.isnan(value)
    ]
    if missing:
        raise InputError(
            f"to fit conditions the beam must be known, {image.name or 'the image'} lacks: "
            f"{', '.join(missing)}"
        )
    return Optics(
        beam_energy=known.beam_energy, convergence=known.convergence, detectors=known.detectors, **told
    )


def _scaled(crystal: Crystal, lattice_constant: float) -> Crystal:
    if math.isnan(lattice_constant):
        return crystal
    if not 0 < lattice_constant < math.inf:
        raise InputError(f"lattice_constant must be positive [Å], got {lattice_constant:g}")
    factor = lattice_constant / math.hypot(*crystal.a)
    (ay, ax), (by, bx) = factor * crystal.cell
    return replace(crystal, a=(ay, ax), b=(by, bx))


def _rest(image: Image, found: CrystalImage, model: Floats) -> Floats:
    flat = [flatten(channel, image.mask, sigma=2 * found.lattice.size) for channel in image.channels]
    return np.asarray(np.array(flat) - model, np.float32)


def _row_path(found: CrystalImage) -> Array:
    """(m, 2) px, displacement of rows that a straight lattice does not follow."""
    path = found.distortion.displacement.mean(axis=2).T
    time = np.linspace(-1, 1, len(path))
    return np.asarray(path - path.mean(axis=0) - np.outer(time, time @ path / max(time @ time, 1e-12)))


def _fit_detector(
    channel: Floats,
    rest: Floats,
    seen: Floats,
    found: CrystalImage,
    number: int,
    columns: FittedBlur,
    noise: NoiseLevel,
    limits: tuple[float, float],
    *,
    pixel_area: float,
) -> FittedDetector:
    """Gain, offset, dose and film of one detector from its contrast, noise and unevenness."""
    contrast = float(columns.contrast[number])  # value per share of the beam
    if not contrast > 0:
        raise InputError(
            "the image must be brightest where the crystal's columns are (is its contrast inverted?)"
        )
    clean = contrast * float(columns.signal[number] + columns.vacuum[number])
    uneven = measure_unevenness(channel - seen, found.clear, spacing=found.lattice.size)
    film = Contamination(strength=min(uneven.rms / _SPREAD / clean, _MOST_FILM), exponent=uneven.exponent)
    light = clean * (1 + film.strength)
    offset = float(found.level[number]) - light
    bits = 8 if has_eight_bits(channel) else 0
    if noise.at_mean <= _NO_NOISE * clean**2:
        dose, smoothing, spread = math.inf, (0.0, 0.0), 0.0
        readout = Readout(gain=contrast, offset=offset, bits=0)
    else:
        clear_slope = noise.slope > 2 * noise.slope_error
        gain = min(noise.slope, noise.at_mean / light) if clear_slope else noise.at_mean / light
        read = math.sqrt(max(noise.at_mean - gain * light, 0.0))
        levels = len(np.unique(channel[found.clear]))
        between = levels > 4 * float(np.ptp(channel[found.clear])) / gain
        spread = PULSE_SPREAD if between and read < gain / 2 else 0.0
        gain /= 1 + spread**2
        dose, smoothing = contrast / gain / pixel_area, noise.smoothing
        readout = Readout(gain=gain, offset=offset, read_noise=read, bits=bits)
    return FittedDetector(
        dose=dose,
        readout=readout,
        contamination=film,
        smoothing=smoothing,
        limits=limits,
        pulse_spread=spread,
        contrast_spread=measure_contrast_spread(rest, seen, found.clear, spacing=found.lattice.size),
        misfit=float(columns.misfit[number]),
    )
