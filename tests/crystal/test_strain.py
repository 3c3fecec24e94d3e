import math

import numpy as np
import pytest

from antisite.crystal.contrast import flatten, standardise
from antisite.crystal.distortion import Distortion, fit_distortion
from antisite.crystal.lattice import Lattice
from antisite.crystal.strain import COMPONENTS, join_strain, measure_strain, strain_window
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.crystals import find_sketch
from antisite.simulate.sketch.image import sketch_image

SHAPE = (384, 416)
CELL = np.array([[1.5, 12.0], [-11.2, 3.0]])
TURN = 0.3
MAPS = COMPONENTS[:4]
STILL = Distortion(displacement=np.zeros((2, 2, 2)), amplitude=np.ones((2, 2)), step=(400.0, 400.0))


def columns(displace=None, shape=SHAPE):
    """One Gaussian per cell, displaced by a function of its place, (n, 2) px from the middle."""
    ij = np.stack(np.meshgrid(np.arange(-70, 71), np.arange(-70, 71)), axis=-1).reshape(-1, 2)
    places = ij @ CELL + 0.3
    places = places[(np.abs(places) < np.array(shape) / 2 + 60).all(axis=1)]
    moved = places if displace is None else places + displace(places)
    return draw_columns(moved + np.array(shape) / 2, np.ones(len(places)), shape=shape, sigma=2.2)


def measure(pixels, vectors=CELL, *, mask=None, noise=0.0, displaced=False, **options):
    mask = np.zeros(pixels.shape, dtype=bool) if mask is None else mask
    pixels = pixels + np.random.default_rng(4).normal(0, noise, pixels.shape)
    lattice = Lattice(vectors=vectors, coherence=1.0)
    flat = flatten(standardise(pixels.astype(np.float32), mask), mask, sigma=2 * lattice.size)
    distortion = STILL
    if displaced:
        lattice, distortion = fit_distortion(flat, mask, lattice)
    return measure_strain(flat, mask, lattice, distortion, **options)


def nodes(maps):
    return [np.arange(n) * s for n, s in zip(maps.exx.shape, maps.step, strict=True)]


def far_from(maps, shape, margin):
    y, x = nodes(maps)
    rows, cols = ((axis > margin) & (axis < n - margin) for axis, n in zip((y, x), shape, strict=True))
    return rows[:, None] & cols


def perfect(crystal, sampling, *, n_images=1, **conditions):
    """How large the maps of perfect crystals are, each over its own noise (root mean square)."""
    found = find_sketch(crystal)
    pixel_size = math.sqrt(abs(np.linalg.det(found.cell))) / sampling
    turn = np.array([[math.cos(TURN), -math.sin(TURN)], [math.sin(TURN), math.cos(TURN)]])
    side = int(min(max(28 * sampling, 320), 800))
    scene = {"shape": (side, side), "pixel_size": pixel_size, "rotation": TURN, **conditions}
    squares = []
    for seed in range(n_images):
        image, _ = sketch_image(crystal, rng=seed, **scene)
        maps = measure(image.channels[0], found.cell @ turn / pixel_size, displaced=True)
        inner = far_from(maps, (side, side), 2 * maps.window)
        squares.append([np.var(getattr(maps, name)[inner]) / maps.noise[name] ** 2 for name in MAPS])
    return dict(zip(MAPS, np.sqrt(np.mean(squares, axis=0)), strict=True))


def pooled(ratios):
    return math.sqrt(np.mean(np.square(list(ratios.values()))))


@pytest.mark.parametrize(
    ("crystal", "sampling"), [("au100", 6.5), ("wse2", 12), ("cdte110", 18), ("wse2", 28)]
)
@pytest.mark.parametrize("dose", [300, 5000])
def test_noise_of_the_dose_is_what_is_stated(crystal, sampling, dose):
    assert pooled(perfect(crystal, sampling, dose=dose)) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(("crystal", "sampling"), [("au100", 6.5), ("wse2", 12), ("cdte110", 18)])
def test_shaken_rows_stay_below_one_and_a_half_times_what_is_stated(crystal, sampling):
    ratios = perfect(crystal, sampling, n_images=4, dose=5000, jitter=0.3)
    assert max(ratios.values()) < 1.5
    assert pooled(ratios) > 0.6


@pytest.mark.parametrize("crystal", ["au100", "wse2"])
def test_uneven_columns_stay_below_one_and_a_half_times_what_is_stated(crystal):
    assert max(perfect(crystal, 12, dose=5000, dim_sites=0.1).values()) < 1.5


def turned(angle):
    return lambda at: (
        at @ (np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) - np.eye(2))
    )


@pytest.mark.parametrize(
    ("displace", "expected"),
    [
        (lambda at: at * (0, 0.01), {"exx": 0.01}),
        (lambda at: at * (-0.01, 0), {"eyy": -0.01}),
        (lambda at: at[:, ::-1] * 0.01, {"exy": 0.01}),
        (turned(math.radians(0.5)), {"rotation": math.radians(0.5)}),
        (turned(math.radians(-3)), {"rotation": math.radians(-3)}),
    ],
)
def test_uniform_deformation_is_what_was_imposed(displace, expected):
    maps = measure(columns(displace))
    for name in MAPS:
        values = getattr(maps, name)
        assert np.nanmedian(values) == pytest.approx(expected.get(name, 0), abs=3e-4)
        assert np.nanstd(values) < 4e-4 + 0.03 * abs(*expected.values())


def test_rotation_is_positive_from_x_towards_y():
    # a point on +x moves towards +y (down)
    maps = measure(columns(lambda at: np.column_stack([0.005 * at[:, 1], -0.005 * at[:, 0]])))
    assert np.nanmean(maps.rotation) == pytest.approx(0.005, abs=3e-4)


def test_a_wave_of_strain_is_seen_as_the_window_averages_it():
    length = 160.0

    def wave(at):
        return np.column_stack(
            [0 * at[:, 0], 0.01 * length / 2 / np.pi * np.sin(2 * np.pi * at[:, 1] / length)]
        )

    for window in (12.0, 18.0):
        maps = measure(columns(wave), window=window)
        x = nodes(maps)[1] - SHAPE[1] / 2
        seen = maps.exx[len(maps.exx) // 2]
        near = np.isfinite(seen) & (np.abs(x) < 120)
        terms = np.column_stack([np.cos(2 * np.pi * x / length), np.sin(2 * np.pi * x / length), 0 * x + 1])
        height = np.linalg.lstsq(terms[near], seen[near], rcond=None)[0]
        assert height[0] == pytest.approx(0.01 * math.exp(-2 * (np.pi * window / length) ** 2), rel=0.05)
        assert abs(height[1]) < 4e-4


def test_stated_resolution_is_the_width_of_a_thin_line_of_strain():
    maps = measure(columns(lambda at: np.column_stack([0 * at[:, 0], 0.8 * (at[:, 1] > 0)])), window=20.0)
    x = nodes(maps)[1]
    seen = maps.exx[len(maps.exx) // 2]
    fine = np.linspace(60, SHAPE[1] - 60, 2000)
    profile = np.interp(fine, x[np.isfinite(seen)], seen[np.isfinite(seen)])
    width = np.ptp(fine[profile > profile.max() / 2])
    assert width == pytest.approx(maps.resolution, rel=0.15)
    assert np.trapezoid(profile, fine) == pytest.approx(0.8, rel=0.1)


def test_displacement_is_the_sum_of_the_strain():
    def wave(at):
        return 1.2 * np.column_stack([np.sin(at[:, 1] / 70), np.cos(at[:, 0] / 90)])

    maps = measure(columns(wave), displaced=True)
    inner = far_from(maps, SHAPE, 40)
    y, x = np.meshgrid(*nodes(maps), indexing="ij")
    at = np.column_stack([y[inner], x[inner]])
    truth = wave(at - np.array(SHAPE) / 2)
    terms = np.column_stack([np.ones(len(at)), at])
    for axis, name in enumerate(("uy", "ux")):
        error = getattr(maps, name)[inner] - truth[:, axis]
        error -= terms @ np.linalg.lstsq(terms, error, rcond=None)[0]
        assert np.sqrt(np.mean(error**2)) < 0.08


def test_strain_is_right_up_to_a_mask_whatever_lies_under_it():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 230:] = True
    pixels = columns(lambda at: at * (0, 0.01))
    pixels[mask] = np.random.default_rng(1).normal(3, 2, mask.sum())
    maps = measure(pixels, mask=mask)
    x = nodes(maps)[1]
    assert np.isnan(maps.exx[:, x >= 230]).all()
    seen = np.isfinite(maps.exx).any(axis=0)
    assert 230 - x[seen].max() < 2 * maps.window
    np.testing.assert_allclose(maps.exx[np.isfinite(maps.exx)], 0.01, atol=2.5e-3)
    np.testing.assert_allclose(maps.exx[4:-4, (x > 55) & (x < 175)], 0.01, atol=4e-4)


def test_values_at_the_frame_are_hardly_noisier_than_stated():
    maps = measure(columns(), noise=0.15)
    edge = np.isfinite(maps.exx) & ~far_from(maps, SHAPE, 1.5 * maps.window)
    assert edge.sum() > 30
    assert np.std(maps.exx[edge]) < 1.8 * maps.noise["exx"]


def test_where_no_crystal_is_no_value_is():
    pixels = columns()
    pixels[:, 250:] = np.random.default_rng(2).normal(0.3, 0.2, (SHAPE[0], SHAPE[1] - 250))
    maps = measure(pixels, noise=0.05)
    x = nodes(maps)[1]
    for name in COMPONENTS:
        assert np.isnan(getattr(maps, name)[:, x > 275]).all()
        assert np.isfinite(getattr(maps, name)[3:-3, (x > 40) & (x < 225)]).all()


def test_a_strongly_bent_place_hardly_raises_the_stated_noise():
    def bump(at):
        return 2.5 * np.exp(-(at**2).sum(axis=1, keepdims=True) / 2 / 14**2) * (1, 1)

    calm, bent = (measure(columns(displace), noise=0.1) for displace in (None, bump))
    assert np.nanstd(bent.exx) > 5 * np.nanstd(calm.exx)
    for name in MAPS:
        assert bent.noise[name] == pytest.approx(calm.noise[name], rel=0.3)


def test_a_wider_window_is_quieter_and_coarser():
    narrow, wide = (measure(columns(), noise=0.15, window=window) for window in (12.0, 24.0))
    assert wide.resolution == pytest.approx(2 * narrow.resolution)
    assert wide.noise_strain == pytest.approx(narrow.noise_strain / 4, rel=0.25)
    assert wide.noise_rotation == pytest.approx(narrow.noise_rotation / 4, rel=0.25)
    assert wide.noise_displacement == pytest.approx(narrow.noise_displacement / 2, rel=0.25)


def test_a_window_holds_several_rows_of_a_long_cell():
    square = Lattice(vectors=np.array([[0, 12.0], [12.0, 0]]), coherence=1.0)
    long = Lattice(vectors=np.array([[0, 8.0], [60.0, 0]]), coherence=1.0)
    assert strain_window([square]) == pytest.approx(18)
    assert strain_window([long]) >= 0.8 * 60
    assert strain_window([square, long]) == strain_window([long])


def test_maps_of_two_crystals_join_without_a_gap_of_their_own():
    left = np.zeros(SHAPE, dtype=bool)
    left[:, 200:] = True
    parts = [measure(columns(), mask=mask, noise=0.05, window=18.0) for mask in (left, ~left)]
    joined = join_strain(parts)
    seen = [np.isfinite(part.exx) for part in parts]
    assert not (seen[0] & seen[1]).any()
    assert (np.isfinite(joined.exx) == seen[0] | seen[1]).all()
    assert joined.noise_strain == max(part.noise_strain for part in parts)
    with pytest.raises(ValueError, match="in one window"):
        join_strain([parts[0], measure(columns(), window=24.0)])


def test_nothing_is_known_under_a_mask_over_everything():
    nothing = np.zeros(SHAPE, dtype=np.float32)
    lattice = Lattice(vectors=CELL, coherence=1.0)
    maps = measure_strain(nothing, np.ones(SHAPE, dtype=bool), lattice, STILL)
    assert np.isnan(maps.exx).all()
    assert math.isnan(maps.noise_strain)
