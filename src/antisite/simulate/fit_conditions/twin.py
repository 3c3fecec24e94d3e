"""The twin of an image: another one simulated under the same conditions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from scipy import fft

from ...crystal.contrast import Floats
from ...image import Image
from ..crystals.scene import Scene, perfect_scene
from ..image import further_reach, image_scene
from ..point_defects.planting import PointDefects, plant_defects
from ..progress import Progress
from ..recording.power_law import power_law_field
from ..recording.recording import Recording, record_field
from ..truth.truth import Truth, crop_truth
from .fitted_conditions import FittedConditions, FittedDetector
from .vibration import sample_displaced

_CONTRAST = 3.0  # exponent of its slow variation
_MARGIN = 10.0  # Å around the frame, from where aberrations and the beam's movement bring light into it


def twin(
    fitted: FittedConditions,
    *,
    defects: PointDefects | None = None,
    shape: tuple[int, int] | None = None,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = iter,
    rng: int | Generator | None = None,
) -> tuple[Image, Truth]:
    """An image simulated under fitted conditions: scale, orientation, contrast and noise are alike.

    Parameters
    ----------
    defects : which, and how many; none by default. They leave the mean light as it was fitted.
    shape : (y, x) px; that of the image fitted by default.
    cache, workers, progress, rng : as in `simulate_image`.
    """
    for_place, for_defects, for_record = np.random.default_rng(rng).spawn(3)
    (ay, ax), (by, bx) = fitted.cell * fitted.pixel_size
    stretched = replace(fitted.crystal, a=(ay, ax), b=(by, bx))
    further = further_reach(stretched, fitted.optics, fitted.scan, pixel_size=fitted.pixel_size)
    margin = math.ceil(_MARGIN / fitted.pixel_size)
    scene = perfect_scene(
        stretched,
        shape=shape or fitted.shape,
        pixel_size=fitted.pixel_size,
        further=further + margin,
        rng=for_place,
    )
    recording = Recording(scan=replace(fitted.scan, jitter=0.0))

    scan_seed = int(for_record.integers(2**63))

    def draw(scene: Scene) -> tuple[Image, Truth]:
        return image_scene(
            _widened(scene, margin),
            optics=fitted.optics,
            recording=recording,
            cache=cache,
            workers=workers,
            progress=progress,
            rng=scan_seed,
        )

    drawn, truth = draw(plant_defects(scene, defects or PointDefects(), rng=for_defects))
    light = drawn.channels
    if defects and defects.shares:
        # Defects of its own have dimmed the image that was fitted, and must not do so twice.
        perfect, _ = draw(scene)
        means = [one.channels.mean(axis=(1, 2), dtype=float, keepdims=True) for one in (perfect, drawn)]
        light = light * (means[0] / np.maximum(means[1], 1e-30)).astype(np.float32)
    film_seed, beam, *rngs = for_record.spawn(2 + len(fitted.detectors))
    signal = _smeared(light, fitted)
    signal = sample_displaced(signal, fitted.vibration.displacement(drawn.shape, rng=beam))
    signal = signal[:, margin:-margin, margin:-margin]
    film = int(film_seed.integers(2**63))
    pixels = [
        _record(one, detector, pixel_size=fitted.pixel_size, film=film, rng=own)
        for one, detector, own in zip(signal, fitted.detectors, rngs, strict=True)
    ]
    doses = [detector.dose for detector in fitted.detectors if math.isfinite(detector.dose)]
    conditions = replace(drawn.conditions, dose=float(np.mean(doses)) if doses else math.nan)
    name = f"twin_of_{fitted.name}" if fitted.name else drawn.name
    image = Image(np.array(pixels), pixel_size=fitted.pixel_size, conditions=conditions, name=name)
    return image, crop_truth(truth, margin, shape=image.shape)


def _widened(scene: Scene, margin: int) -> Scene:
    """A scene whose frame reaches farther on all sides."""
    y, x = (scene.positions + margin).T
    height, width = scene.shape
    return replace(
        scene,
        sites=scene.sites.assign(y=y, x=x),
        origin=scene.origin + margin,
        shape=(height + 2 * margin, width + 2 * margin),
    )


def _smeared(signal: Floats, fitted: FittedConditions) -> Floats:
    """The image as a source records it that is not round; at its frame it meets the opposite side."""
    if not fitted.source.smear and not any(fitted.source.aberrations):
        return signal
    shape = signal.shape[1:]
    fy, fx = (np.fft.fftfreq(n, fitted.pixel_size) for n in shape)
    q = np.stack(np.meshgrid(fy, fx[: len(fx) // 2 + 1], indexing="ij"), axis=-1)
    left = fitted.source.transfer(q, without=fitted.source.size).astype(np.complex64)
    return np.asarray(fft.irfft2(fft.rfft2(signal) * left, s=shape), np.float32)


def _record(
    signal: Floats, detector: FittedDetector, *, pixel_size: float, film: int, rng: Generator
) -> Floats:
    """(y, x) values of one detector; all see the same film."""
    for_contrast, rng = rng.spawn(2)
    if detector.contrast_spread:
        mean = signal.mean(dtype=float)
        field = power_law_field(signal.shape, exponent=_CONTRAST, rng=for_contrast)
        signal = mean + (signal - mean) * np.maximum(1 + detector.contrast_spread * field, 0)
    contamination = detector.contamination
    if contamination.strength > 0:
        thickness = contamination.thickness(signal.shape, rng=np.random.default_rng(film))
        signal = signal + np.float32(contamination.strength * signal.mean(dtype=float)) * thickness
    if math.isinf(detector.dose):
        pixels = detector.readout.gain * signal + detector.readout.offset
    else:
        counts = record_field(signal[None], dose=detector.dose, pixel_size=pixel_size, rng=rng)[0]
        if detector.pulse_spread:
            counts = _pulses(counts, detector.pulse_spread, rng)
        pixels = replace(detector.readout, bits=0)(counts[None], rng=rng)[0]
    if any(detector.smoothing):
        pixels = _smoothed(pixels, detector.smoothing)
    if detector.readout.bits:
        pixels = np.rint(pixels)
    return np.asarray(np.clip(pixels, *detector.limits), np.float32)


def _smoothed(pixels: Floats, sigma: tuple[float, float]) -> Floats:
    """Blurred along y and x, sharpened where that is negative."""
    margin = math.ceil(4 * max(map(abs, sigma)))
    padded = np.pad(pixels, margin, mode="symmetric")
    for axis, size in enumerate(sigma):
        fall = 2 * np.pi**2 * size * abs(size) * fft.rfftfreq(padded.shape[axis]) ** 2
        kept = np.moveaxis(np.exp(-fall)[None], -1, axis)
        padded = fft.irfft(fft.rfft(padded, axis=axis) * kept, n=padded.shape[axis], axis=axis)
    return np.asarray(padded[margin:-margin, margin:-margin], np.float32)


def _pulses(counts: Floats, spread: float, rng: Generator) -> Floats:
    """Sum of as many pulses as there are electrons, gamma distributed, their mean 1."""
    height = spread**2
    return np.asarray(height * rng.gamma(np.maximum(counts / height, 1e-9)), np.float32)
