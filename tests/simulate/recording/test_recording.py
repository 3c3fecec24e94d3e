import math
import re

import numpy as np
import pytest
from scipy import stats

from antisite.errors import InputError
from antisite.simulate.recording.recording import (
    Contamination,
    Readout,
    Recording,
    Scan,
    record_field,
)

FLAT = np.full((2, 200, 300), 0.05, np.float32)


def record(signal=FLAT, *, seed=0, dose=1e4, pixel_size=0.2, **options):
    return record_field(signal, dose=dose, pixel_size=pixel_size, rng=np.random.default_rng(seed), **options)


@pytest.mark.parametrize(("dose", "pixel_size"), [(1e3, 0.2), (1e4, 0.2), (1e4, 0.4), (1e4, (0.1, 0.3))])
def test_counts_follow_dose_and_pixel_area(dose, pixel_size):
    counts = record(dose=dose, pixel_size=pixel_size)
    area = np.prod(pixel_size) if isinstance(pixel_size, tuple) else pixel_size**2
    mean = 0.05 * dose * area
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / counts.size))
    assert counts.var() == pytest.approx(mean, rel=0.03)


def test_infinite_dose_adds_no_noise():
    assert np.array_equal(record(dose=math.inf), FLAT)


def test_detectors_and_seeds_are_independent_and_a_seed_repeats():
    counts, other = record(), record(seed=1)
    limit = 4 / np.sqrt(FLAT[0].size)
    assert abs(np.corrcoef(counts[0].ravel(), counts[1].ravel())[0, 1]) < limit
    assert abs(np.corrcoef(counts.ravel(), other.ravel())[0, 1]) < limit
    assert record().tobytes() == counts.tobytes()


def test_readout_is_gain_times_electrons_plus_offset_with_normal_noise():
    counts = record()
    values = record(readout=Readout(gain=7.0, offset=30.0, read_noise=2.0))
    noise = ((values - 7 * counts - 30) / 2).ravel()
    assert stats.kstest(noise, "norm").pvalue > 1e-3
    assert abs((noise[1:] * noise[:-1]).mean()) * np.sqrt(noise.size) < 4


def test_normal_noise_has_the_right_tails():
    noise = Readout(read_noise=1.0)(np.zeros((1500, 1000), np.float32), rng=np.random.default_rng(0)).ravel()
    for limit in (2.0, 3.0, 3.7, 4.2):
        for share in ((noise > limit).mean(), (noise < -limit).mean()):
            expected = stats.norm.sf(limit)
            assert share == pytest.approx(expected, abs=4 * np.sqrt(expected / noise.size))


@pytest.mark.parametrize("bits", [8, 16])
def test_bits_give_whole_numbers_that_clip(bits):
    counts = record()
    values = record(readout=Readout(gain=0.7, offset=0.5, bits=bits))
    np.testing.assert_array_equal(values, np.rint(0.7 * counts + 0.5))
    bright = record(readout=Readout(gain=1e6, bits=bits))
    assert bright.max() == 2**bits - 1
    dark = record(readout=Readout(offset=-1e6, bits=bits))
    assert not dark.any()


def test_film_adds_its_share_of_the_signal_to_every_detector():
    signal = FLAT * np.array([1, 3], np.float32)[:, None, None]
    film = record(signal, dose=math.inf, contamination=Contamination(strength=0.2)) - signal
    np.testing.assert_allclose(film.mean(axis=(1, 2)), [0.01, 0.03], rtol=1e-4)
    np.testing.assert_allclose(film[1], 3 * film[0], rtol=1e-4)
    assert film.min() > 0


def test_still_scan_changes_nothing():
    positions = np.random.default_rng(0).uniform(0, 50, (9, 2))
    same, row_shift = Scan()(positions, n_rows=50, rng=np.random.default_rng(0))
    assert np.array_equal(same, positions)
    assert row_shift is None


def test_scan_moves_columns_and_rows():
    positions = np.random.default_rng(0).uniform(0, 500, (900, 2))
    scan = Scan(drift=2.0, jitter=0.5, flyback=3.0)
    moved, row_shift = scan(positions, n_rows=500, rng=np.random.default_rng(0))
    assert np.abs(moved - positions).max() > 1
    assert row_shift.std() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("shape", [(400, 20), (20, 400), (2, 9)])
@pytest.mark.parametrize("scan", [Scan(drift=300.0), Scan(drift=5.0, jitter=3.0, flyback=18.0)])
def test_nothing_comes_into_the_frame_from_beyond_the_reach_of_the_scan(scan, shape):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        beyond = rng.uniform(-3 * scan.reach - 9, 3 * scan.reach + 9, (4000, 2)) + np.array(shape) / 2
        beyond = beyond[((beyond < -scan.reach) | (beyond > np.array(shape) + scan.reach)).any(axis=1)]
        moved, row_shift = scan(beyond, n_rows=shape[0], rng=rng)
        y, x = moved.T
        late, early = (0, 0) if row_shift is None else (row_shift.max(), row_shift.min())
        assert ((y < 0) | (y > shape[0]) | (x < early) | (x > shape[1] + late)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scan(drift=-1), "drift must be 0 or more"),
        (
            lambda: Scan(flyback=5, flyback_length=4),
            "flyback must be less than the 4 px in which it decays",
        ),
        (lambda: Contamination(strength=-0.1), "strength of contamination must be 0 to 1000"),
        (lambda: Contamination(strength=1e38), "got 1e+38 (0.2 is a fifth of what the specimen gives)"),
        (lambda: Contamination(exponent=9), "exponent of contamination must be 0 to 8, got 9"),
        (lambda: Contamination(unevenness=4), "unevenness of contamination must be 0 to 3"),
        (lambda: Readout(gain=0), "gain must be positive"),
        (
            lambda: Readout(gain=1e300),
            "gain must be positive, 1e-20 to 1e+20 per electron, got 1e+300 (pixels are 32-bit floats)",
        ),
        (lambda: Readout(gain=1e-300), "1e-20 to 1e+20 per electron, got 1e-300"),
        (lambda: Readout(offset=-1e39), "offset must be finite, -1e+20 to 1e+20, got -1e+39"),
        (lambda: Readout(read_noise=1e39), "read_noise must be 0 to 1e+20, got 1e+39"),
        (lambda: Readout(offset=math.nan), "offset must be finite"),
        (lambda: Readout(bits=17), "bits must be 1 to 16"),
        (lambda: Recording(dose=0), "dose must be positive"),
        (lambda: record(dose=-1), "dose must be positive"),
        (lambda: Recording(readout=Readout(gain=2)), "an infinite dose has no counts"),
    ],
)
def test_refuses_what_no_microscope_does(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()
