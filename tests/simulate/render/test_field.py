import concurrent.futures

import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline

from antisite.errors import InputError
from antisite.simulate.render.field import TOLERANCE, TOLERANCE_PERIODIC, FieldRenderer
from antisite.simulate.scattering.responses import Responses

STEP = 0.15
GRID = (np.arange(61) - 30) * STEP


def rings(fwhm, *, askew=0.0):
    """A peak with rings that decay slowly, like a column's; askew: longer along one diagonal."""
    y, x = np.meshgrid(GRID, GRID, indexing="ij")
    r = np.sqrt(x**2 + y**2 + askew * x * y) / fwhm
    return np.exp(-4 * np.log(2) * r**2) + 0.02 * np.cos(4 * r) / (1 + r**3)


@pytest.fixture(scope="module")
def responses():
    values = np.array([[rings(0.75), 0.5 * rings(0.9)], [0.3 * rings(0.8, askew=0.6), -0.1 * rings(1.2)]])
    return Responses(
        values=values.astype(np.float32),
        step=STEP,
        vacuum=np.array([0.0, 0.05]),
    )


def direct_image(responses, positions, index, *, shape, pixel_size, row_shift=None, reach=np.inf):
    """Every spline evaluated at every pixel."""
    py, px = pixel_size if isinstance(pixel_size, tuple) else (pixel_size, pixel_size)
    image = np.zeros((2, *shape))
    shift = np.zeros(shape[0]) if row_shift is None else row_shift
    for (y, x), i in zip(positions, index, strict=True):
        dy = np.broadcast_to((np.arange(shape[0])[:, None] - y) * py, shape)
        dx = (np.arange(shape[1]) + shift[:, None] - x) * px
        near = (np.maximum(np.abs(dy), np.abs(dx)) <= GRID[-1]) & (np.hypot(dy, dx) <= reach)
        for d in range(2):
            spline = RectBivariateSpline(GRID, GRID, responses.values[i, d].astype(float))
            image[d][near] += spline(dy[near], dx[near], grid=False)
    return image


def peaks(responses, i):
    return np.abs(responses.values[i]).max(axis=(1, 2))[:, None, None]


@pytest.mark.parametrize("pixel_size", [0.02, 0.07, 0.165, 0.4, 1.0, (0.1, 0.23)])
@pytest.mark.parametrize("reach", [None, 3.0])
@pytest.mark.parametrize("i", [0, 1])
def test_column_is_its_spline_at_any_place_and_pixel_size(responses, pixel_size, reach, i):
    rng = np.random.default_rng(i)
    side = min(int(8 / np.min(pixel_size)) + 3, 120)
    place, shift = side / 2 + rng.random((1, 2)), 2 * rng.normal(size=side)
    renderer = FieldRenderer(responses=responses, pixel_size=pixel_size, reach=reach)
    for row_shift in (None, shift):
        options = {"shape": (side, side), "row_shift": row_shift}
        image = renderer(place, np.array([i]), **options) - renderer(place[:0], np.array([], int), **options)
        if reach is not None:
            area = side**2 * np.prod(renderer.pixel_sizes)
            image -= (renderer.stamps.beyond[i] / area)[:, None, None]
        expected = direct_image(
            responses, place, [i], pixel_size=pixel_size, reach=reach or np.inf, **options
        )
        assert (np.abs(image - expected) / peaks(responses, i)).max() < 1e-3


def render(positions, index, responses, *, pixel_size, reach=None, periodic=False, **frame):
    tolerance = TOLERANCE_PERIODIC if periodic else TOLERANCE
    renderer = FieldRenderer(responses=responses, pixel_size=pixel_size, reach=reach, tolerance=tolerance)
    return renderer(positions, index, periodic=periodic, **frame)


def test_periodic_image_is_exact_and_wraps(responses):
    rng = np.random.default_rng(0)
    shape, sizes = (26, 40), (0.11, 0.09)  # narrower than the tables
    positions, index = rng.uniform(-30, 60, (3, 2)), np.array([0, 1, 0])
    image = render(positions, index, responses, shape=shape, pixel_size=sizes, periodic=True)
    copies = [(a * shape[0], b * shape[1]) for a in range(-5, 6) for b in range(-4, 5)]
    everywhere = np.concatenate([positions % shape + c for c in copies])
    expected = direct_image(responses, everywhere, np.tile(index, len(copies)), shape=shape, pixel_size=sizes)
    expected += responses.vacuum[:, None, None]
    assert (np.abs(image - expected) / np.array([1.0, 0.5])[:, None, None]).max() < 1e-4
    shifted = positions + np.array([5, 7])
    moved = render(shifted, index, responses, shape=shape, pixel_size=sizes, periodic=True)
    np.testing.assert_allclose(moved, np.roll(image, (5, 7), (1, 2)), atol=2e-5)


@pytest.mark.parametrize("reach", [None, 1.5])
def test_mean_is_that_of_all_light_however_short_the_reach(responses, reach):
    shape, pixel_size = (64, 64), 0.15
    rng = np.random.default_rng(1)
    index = rng.integers(0, 2, 40)
    image = render(
        rng.uniform(0, 64, (40, 2)),
        index,
        responses,
        shape=shape,
        pixel_size=pixel_size,
        reach=reach,
        periodic=True,
    )
    light = responses.values.sum(axis=(2, 3), dtype=float)[index].sum(axis=0) * STEP**2
    expected = responses.vacuum + light / (64 * 64 * pixel_size**2)
    np.testing.assert_allclose(image.mean(axis=(1, 2)), expected, rtol=2e-3)


def test_image_moves_with_its_columns_and_frames_of_any_height_agree(responses):
    rng = np.random.default_rng(2)
    positions, index = rng.uniform(-20, 90, (60, 2)), rng.integers(0, 2, 60)
    renderer = FieldRenderer(responses=responses, pixel_size=0.2)
    image = renderer(positions, index, shape=(64, 72))
    part = renderer(positions - [20, 10], index, shape=(30, 50))
    np.testing.assert_allclose(part, image[:, 20:50, 10:60], atol=1e-5)


def test_shifted_row_is_sampled_farther_right(responses):
    place, index = np.array([[20.3, 20.6]]), np.array([0])
    renderer = FieldRenderer(responses=responses, pixel_size=0.2)
    shift = np.zeros(40)
    shift[20] = 3
    still = renderer(place, index, shape=(40, 40))
    image = renderer(place, index, shape=(40, 40), row_shift=shift)
    np.testing.assert_allclose(image[:, 20, :-3], still[:, 20, 3:], atol=1e-4)
    np.testing.assert_allclose(np.delete(image, 20, axis=1), np.delete(still, 20, axis=1), atol=5e-4)


def test_threads_do_not_change_a_bit(responses):
    rng = np.random.default_rng(3)
    positions, index = rng.uniform(0, 100, (200, 2)), rng.integers(0, 2, 200)
    renderer = FieldRenderer(responses=responses, pixel_size=0.2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(renderer, positions, index, shape=(100, 100)) for _ in range(8)]
        images = {job.result().tobytes() for job in jobs}
    assert len(images) == 1


def test_empty_scene_and_empty_column_show_the_vacuum(responses):
    nothing = Responses(
        values=np.zeros((1, 2, 61, 61), np.float32),
        step=STEP,
        vacuum=responses.vacuum,
    )
    for given, places in ((responses, np.zeros((0, 2))), (nothing, np.array([[5.0, 5.0]]))):
        image = render(places, np.zeros(len(places), int), given, shape=(9, 8), pixel_size=0.2)
        np.testing.assert_array_equal(image, np.broadcast_to([[[0.0]], [[np.float32(0.05)]]], (2, 9, 8)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixel_size": 0.0}, "pixel_size must be positive"),
        ({"reach": -1.0}, "reach must be positive"),
        ({"row_shift": np.zeros(3)}, "one finite number for each of 9 rows"),
        ({"index": np.array([2])}, "index must be 0 to 1, got 2"),
        ({"index": np.array([0, 1])}, "each column needs one index"),
        ({"positions": np.array([[np.nan, 0.0]])}, "must be finite"),
    ],
)
def test_refuses_what_cannot_be_rendered(responses, change, message):
    given = {"positions": np.array([[4.0, 4.0]]), "index": np.array([0]), "shape": (9, 8), "pixel_size": 0.2}
    given |= change
    with pytest.raises(InputError, match=message):
        render(given.pop("positions"), given.pop("index"), responses, **given)
