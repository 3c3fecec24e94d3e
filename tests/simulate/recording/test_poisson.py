import concurrent.futures

import numpy as np
import pytest
from scipy import stats

from antisite.errors import InputError
from antisite.simulate.recording.poisson import sample_poisson

MEANS = [0.003, 0.05, 0.124, 0.5, 1.99, 7.3, 17.0, 31.97, 32.0, 40.6, 200.3, 1024.0, 2047.9, 2048.0, 5e3]


def draws(mean, *, seed=1, shape=(256, 512), dtype=np.float64):
    return sample_poisson(np.full(shape, mean, dtype), rng=np.random.default_rng(seed))


@pytest.mark.parametrize("mean", MEANS)
def test_counts_have_the_poisson_distribution(mean):
    counts = draws(mean).ravel().astype(int)
    low, high = stats.poisson.ppf([1e-4, 1 - 1e-4], mean).astype(int)
    edges = np.arange(low, high + 1)
    expected = np.diff(stats.poisson.cdf(edges, mean), prepend=0, append=1) * counts.size
    # Bin i holds counts in (edges[i - 1], edges[i]].
    observed = np.bincount(np.searchsorted(edges, counts), minlength=len(expected))
    many = expected >= 5
    observed, expected = (np.append(n[many], n[~many].sum()) for n in (observed, expected))
    observed, expected = observed[expected > 0], expected[expected > 0]
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(chi_square, max(len(expected) - 1, 1)) > 1e-3


@pytest.mark.parametrize("mean", [*MEANS, 1e6, 1e9])
def test_mean_variance_and_skewness_are_poisson(mean):
    counts = draws(mean)
    n = counts.size
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n))
    assert counts.var() == pytest.approx(mean, abs=4 * np.sqrt((mean + 2 * mean**2) / n))
    assert np.array_equal(counts, np.rint(counts))


@pytest.mark.parametrize("mean", [0.3, 5.0, 100.0, 1e4])
def test_neighbours_are_independent(mean):
    counts = (draws(mean) - mean) / np.sqrt(mean)
    for y, x in ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2)):
        product = counts[y:, x:] * counts[: len(counts) - y, : counts.shape[1] - x]
        assert abs(product.mean()) * np.sqrt(product.size) < 4


def test_levels_of_the_tables_leave_no_trace():
    means = np.broadcast_to(np.linspace(0, 70, 2000), (400, 2000))
    excess = sample_poisson(means, rng=np.random.default_rng(2)) - means
    z = excess.sum(axis=0)[1:] / np.sqrt(400 * means[0, 1:])
    assert abs(z.mean()) * np.sqrt(z.size) < 4
    assert z.std() == pytest.approx(1, abs=0.07)


def test_nothing_expected_gives_nothing():
    assert not draws(0.0).any()
    assert not draws(-1.0).any()


def test_rows_do_not_depend_on_threads_tiles_or_the_kind_of_number():
    means = np.random.default_rng(0).uniform(0, 3000, (64, 100))
    whole = sample_poisson(means, rng=np.random.default_rng(5))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        tiles = pool.map(
            lambda row: sample_poisson(means[row : row + 16], rng=np.random.default_rng(5), first_row=row),
            range(0, 64, 16),
        )
        np.testing.assert_array_equal(np.concatenate(list(tiles)), whole)
    assert whole.dtype == np.float64
    assert sample_poisson(means.astype(np.float32), rng=np.random.default_rng(5)).dtype == np.float32
    assert (sample_poisson(means, rng=np.random.default_rng(6)) != whole).mean() > 0.8


def test_scale_multiplies_the_mean():
    means = np.full((20, 30), 2.0)
    scaled = sample_poisson(means, rng=np.random.default_rng(0), scale=3.0)
    np.testing.assert_array_equal(scaled, sample_poisson(3 * means, rng=np.random.default_rng(0)))


@pytest.mark.parametrize("mean", [np.nan, np.inf, 1e16])
def test_refuses_what_cannot_be_counted(mean):
    with pytest.raises(InputError, match="finite and at most 1e"):
        draws(mean, shape=(1, 2))
