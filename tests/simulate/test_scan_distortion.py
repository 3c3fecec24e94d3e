import numpy as np
import pytest

from antisite.simulate.scan_distortion import drift_path, drift_positions


@pytest.mark.parametrize("rms", [0.0, 1.0, 5.0])
def test_path_has_the_given_rms_and_no_mean(rms):
    path = drift_path(512, rms, np.random.default_rng(0))
    np.testing.assert_allclose(np.sqrt((path**2).mean(axis=0)), rms)
    np.testing.assert_allclose(path.mean(axis=0), 0, atol=1e-12)


def test_path_is_smooth():
    path = drift_path(512, 2.0, np.random.default_rng(1))
    assert np.abs(np.diff(path, axis=0)).max() < 0.1


def test_column_moves_with_its_own_row():
    path = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    moved = drift_positions(np.array([[0.0, 5.0], [1.5, 5.0]]), path)
    np.testing.assert_allclose(moved, [[0.0, 5.0], [3.0, 8.0]])
