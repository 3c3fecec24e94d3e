import numpy as np
import pytest

from antisite.simulate.recording.scan_distortion import (
    drift_path,
    drift_positions,
    flyback_positions,
    jitter_rows,
)


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


def test_jitter_is_independent_from_row_to_row():
    shift = jitter_rows(4000, 0.3, np.random.default_rng(0))
    assert shift.std() == pytest.approx(0.3, rel=0.05)
    assert abs(np.corrcoef(shift[1:], shift[:-1])[0, 1]) < 0.06


@pytest.mark.parametrize(("shift", "length"), [(2.0, 20.0), (9.0, 10.0)])
def test_late_beam_meets_the_column_where_it_appears(shift, length):
    x = np.linspace(0, 200, 300)
    seen = flyback_positions(np.stack([np.full(300, 7.0), x], axis=1), shift=shift, length=length)
    at = seen[:, 1]
    assert (seen[:, 0] == 7).all()
    assert (np.diff(at) > 0).all()
    framed = at >= 0
    np.testing.assert_allclose((at + shift * np.exp(-at / length))[framed], x[framed], atol=1e-3)
    assert at[-1] == pytest.approx(200, abs=1e-3)
