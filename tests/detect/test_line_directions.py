import numpy as np
from scipy import fft

from antisite.detect.line_directions import along_and_across

FY, FX = fft.fftfreq(16), fft.rfftfreq(20)


def test_along_and_across_are_one_frequency_seen_from_turned_axes():
    for along, across in along_and_across(FY, FX):
        assert along.shape == (16, 11)
        np.testing.assert_allclose(np.hypot(along, across), np.hypot(FY[:, None], FX), atol=1e-12)


def test_directions_are_evenly_spread_over_half_a_turn():
    one = np.array([1.0])
    angles = [np.arctan2(across[0, 0], along[0, 0]) for along, across in along_and_across(one, 0 * one)]
    steps = np.diff(np.unwrap(angles))
    np.testing.assert_allclose(steps, -np.pi / len(angles))
