import numpy as np
import pytest

from antisite.simulate.recording.power_law import exponential, power_law_field


def field(shape, *, exponent=3.0, seed=0):
    return power_law_field(shape, exponent=exponent, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("exponent", [0.0, 2.0, 3.5])
@pytest.mark.parametrize("shape", [(128, 128), (400, 500)])
def test_field_has_the_power_law_asked_for(shape, exponent):
    slopes = []
    for seed in range(6):
        window = np.hanning(shape[0])[:, None] * np.hanning(shape[1])
        power = np.abs(np.fft.fft2(field(shape, exponent=exponent, seed=seed) * window)) ** 2
        f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))
        finest = 0.3 * min(128 / max(shape), 1)
        used = (f > 4 / min(shape)) & (f < finest)
        slopes.append(np.polyfit(np.log(f[used]), np.log(power[used]), 1)[0])
    assert np.mean(slopes) == pytest.approx(-exponent, abs=0.25)


def test_opposite_edges_are_not_alike():
    films = [field((96, 96), seed=seed) for seed in range(40)]
    step = np.mean([np.abs(f[:, 1:] - f[:, :-1]).mean() for f in films])
    assert np.mean([np.abs(f[:, 0] - f[:, -1]).mean() for f in films]) > 5 * step


def test_large_field_goes_through_the_values_of_the_coarse_one():
    fine = power_law_field((253, 190), exponent=3.0, rng=np.random.default_rng(1), largest=64)
    assert (fine.mean(), fine.std()) == pytest.approx((0, 1), abs=0.05)
    from scipy.interpolate import RectBivariateSpline

    coarse = fine[::4, ::3]
    assert coarse.shape == (64, 64)
    y, x = np.arange(253) / 4, np.arange(190) / 3
    other = RectBivariateSpline(range(64), range(64), coarse)(y, x)
    np.testing.assert_allclose(fine[20:-20, 15:-15], other[20:-20, 15:-15], atol=2e-3)


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 400), (2, 400), (400, 1), (300, 128)])
def test_any_shape_has_a_field(shape):
    assert field(shape).shape == shape
    assert np.isfinite(field(shape)).all()


def test_exponential_is_that_of_the_library():
    values = np.linspace(-30, 30, 4001).reshape(1, -1).astype(np.float32)
    np.testing.assert_allclose(exponential(values), np.exp(values.astype(float)), rtol=1e-4)


def test_last_digits_of_transforms_do_not_show(monkeypatch):
    shapes = [(60, 70), (300, 200)]
    expected = [field(shape) for shape in shapes]
    exact = np.fft.irfft2
    error = np.random.default_rng(5)

    def other_processor(*args, **options):
        values = exact(*args, **options)
        return values * (1 + 4e-16 * error.uniform(-1, 1, values.shape))

    monkeypatch.setattr(np.fft, "irfft2", other_processor)
    for shape, one in zip(shapes, expected, strict=True):
        assert field(shape).tobytes() == one.tobytes()
