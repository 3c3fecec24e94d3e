import numpy as np
import pytest

from antisite.crystal.lattice_phases import measure_calm_phases, measure_phases, visible_reflections
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (200, 220)


def phases_of(look, crystal="fe100", *, mask=None, window=1.0, oversampling=1.0, **options):
    scene = lay_sketch(crystal, shape=SHAPE, px_per_cell=14.0, rotation=0.3, rng=1)
    image = sketch_scene(scene, dose=3e5, rng=2, **options)[0]
    flat, lattice, _ = look(image.pixels).distorted()
    mask = np.zeros(SHAPE, dtype=bool) if mask is None else mask
    index = visible_reflections(flat, mask, lattice)
    found = measure_phases(
        flat, mask, lattice, index, window=window * lattice.size, oversampling=oversampling
    )
    return found, lattice, flat


def test_the_strongest_reflections_come_first_and_span_the_lattice(look):
    found, *_ = phases_of(look)
    assert np.linalg.matrix_rank(found.index) == 2
    assert len(np.unique(np.vstack([found.index, -found.index]), axis=0)) == 2 * len(found.index)
    assert found.noise[0] < 0.1
    assert 2 <= len(found.index) <= 6


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2", "monoclinic"])
def test_in_a_perfect_crystal_amplitudes_are_1_and_phases_even(look, crystal):
    found, *_ = phases_of(look, crystal)
    inner = found.waves[:2, 3:-3, 3:-3]
    np.testing.assert_allclose(np.abs(inner), 1, atol=0.15)
    for wave in inner:
        assert np.abs(np.angle(wave * wave.mean().conj())).max() < 0.2
    assert found.strength.shape == found.waves.shape[1:]


def test_a_displaced_crystal_has_phases_turned_by_minus_2_pi_g_u(look):
    found, lattice, flat = phases_of(look)
    moved = np.roll(flat, (2, 3), axis=(0, 1))
    free = np.zeros(SHAPE, dtype=bool)
    again = measure_phases(
        moved, free, lattice, visible_reflections(moved, free, lattice), window=lattice.size
    )
    others = {tuple(hk): wave for hk, wave in zip(again.index, again.waves, strict=True)}
    for hk, before in zip(found.index[:2], found.waves, strict=False):
        after = others[tuple(hk)]
        turned = np.angle((after * before.conj())[4:-4, 4:-4].mean())
        expected = -2 * np.pi * (hk @ lattice.reciprocal) @ (2, 3)
        assert np.angle(np.exp(1j * (turned - expected))) == pytest.approx(0, abs=0.02)


def test_noise_is_louder_at_lower_dose(look):
    scene = lay_sketch("fe100", shape=SHAPE, px_per_cell=14.0, rotation=0.3, rng=1)
    clear, dim = (
        look(sketch_scene(scene, dose=dose, rng=2)[0].pixels).distorted()[:2] for dose in (1e6, 1e4)
    )
    free = np.zeros(SHAPE, dtype=bool)
    noise = [
        measure_phases(
            flat, free, lattice, visible_reflections(flat, free, lattice), window=lattice.size
        ).noise[0]
        for flat, lattice in (clear, dim)
    ]
    assert noise[1] > 3 * noise[0]


def test_nothing_is_seen_under_a_mask(look):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, :80] = True
    found, *_ = phases_of(look, mask=mask)
    assert found.seen[5, 0] < 0.01
    assert found.seen[5, -3] > 0.9


def test_oversampling_sets_nodes_closer(look):
    usual, fine = (phases_of(look, oversampling=n)[0] for n in (1.0, 2.0))
    assert fine.step[0] == pytest.approx(usual.step[0] / 2, rel=0.1)


@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_window_grows_with_noise_until_no_phase_can_wind(look, noise):
    found, lattice, flat = phases_of(look)
    noisy = flat + np.random.default_rng(0).normal(0, noise * flat.std(), SHAPE).astype(np.float32)
    free = np.zeros(SHAPE, dtype=bool)
    calm = measure_calm_phases(noisy, free, lattice, found.index[:2], window=lattice.size)
    assert calm.noise.max() < 0.4
    assert (calm.step == found.step) == (noise == 0)
