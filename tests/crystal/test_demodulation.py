import numpy as np
import pytest
from scipy import ndimage

from antisite.crystal.demodulation import Demodulator

SHAPE = (120, 150)
FREE = np.zeros(SHAPE, dtype=bool)
Y, X = np.indices(SHAPE)


def wave(g, *, amplitude=1.0, phase=0.0):
    return (2 * amplitude * np.cos(2 * np.pi * (g[0] * Y + g[1] * X) + phase)).astype(np.float32)


@pytest.mark.parametrize("g", [(0.09, 0.03), (0.0, 0.12), (-0.2, 0.31), (0.35, 0.4)])
def test_amplitude_and_phase_are_those_of_the_wave(g):
    found = Demodulator(wave(g, amplitude=0.7, phase=0.4), FREE, sigma=9.0)(np.array(g))
    inner = found[3:-3, 3:-3]
    np.testing.assert_allclose(np.abs(inner), 0.7, rtol=0.01)
    np.testing.assert_allclose(np.angle(inner), 0.4, atol=0.02)


@pytest.mark.parametrize("oversampling", [2, 3])
def test_oversampling_gives_the_same_field_on_a_finer_grid(oversampling):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 1).astype(np.float32)
    g = np.array([0.09, 0.05])
    coarse, fine = (Demodulator(noise, FREE, sigma=7.0, oversampling=n) for n in (1, oversampling))
    assert fine.step[0] < 1.2 * coarse.step[0] / oversampling
    first, second = coarse(g), fine(g)
    nodes = np.stack(
        np.meshgrid(
            *(np.arange(n) * s for n, s in zip(coarse.nodes, coarse.step, strict=True)), indexing="ij"
        )
    )
    inside = tuple(slice(2, n - 3) for n in coarse.nodes)
    at = nodes[:, *inside] / np.array(fine.step)[:, None, None]
    read = ndimage.map_coordinates(second.real, at, order=3) + 1j * ndimage.map_coordinates(
        second.imag, at, order=3
    )
    np.testing.assert_allclose(read, first[inside], atol=0.03 * np.abs(first).max())


def test_a_frequency_near_the_finest_is_not_mistaken_for_its_neighbour():
    g = np.array([0.05, 0.47])
    found = Demodulator(wave(g), FREE, sigma=9.0)(g)
    np.testing.assert_allclose(np.abs(found[3:-3, 3:-3]), 1, rtol=0.02)
    other = Demodulator(wave(g), FREE, sigma=9.0)(np.array([0.15, 0.4]))
    assert np.abs(other[3:-3, 3:-3]).max() < 0.02


def test_opposite_frequencies_are_conjugate():
    look = Demodulator(np.random.default_rng(1).normal(size=SHAPE).astype(np.float32), FREE, sigma=8.0)
    g = np.array([0.11, -0.07])
    np.testing.assert_allclose(look(-g), look(g).conj(), atol=1e-6)


def test_masked_pixels_count_for_nothing():
    g = np.array([0.1, 0.06])
    mask = FREE.copy()
    mask[:, 60:80] = True
    spoiled = np.where(mask, np.float32(50), wave(g))
    look = Demodulator(spoiled, mask, sigma=9.0)
    seen = look.weight > 0.5
    assert not seen.all()
    np.testing.assert_allclose(np.abs(look(g)[seen]).mean(), 1, rtol=0.03)


def test_the_ramp_is_the_phase_of_the_frequency_at_the_nodes():
    look = Demodulator(wave((0.1, 0.0)), FREE, sigma=9.0)
    ramp = look.ramp(np.array([0.1, 0.02]))
    assert ramp.shape == look.nodes
    assert ramp[0, 0] == 0
    assert ramp[1, 1] == pytest.approx(0.1 * look.step[0] + 0.02 * look.step[1])
