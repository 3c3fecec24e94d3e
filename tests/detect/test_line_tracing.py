import numpy as np
import pytest

from antisite.detect.line_tracing import read_nodes, trace_lines
from antisite.detect.lines import distance_to

STEP, CELL = (5.0, 4.0), 10.0


def ridge(path, *, height=2.0, width=6.0, shape=(200, 240)):
    """Evidence that falls off beside a path."""
    nodes = np.stack(
        np.meshgrid(*(np.arange(0, n, s) for n, s in zip(shape, STEP, strict=True)), indexing="ij"), -1
    )
    away = distance_to(np.asarray(path, dtype=float), nodes.reshape(-1, 2)).reshape(nodes.shape[:2])
    return height * np.exp(-((away / width) ** 2) / 2)


@pytest.mark.parametrize("path", [[(20, 30), (180, 200)], [(100, 10), (100, 230)], [(10, 120), (190, 90)]])
def test_a_ridge_of_evidence_is_traced_from_end_to_end(path):
    (traced,) = trace_lines(ridge(path), STEP, cell=CELL)
    assert distance_to(np.array(path, dtype=float), traced).max() < CELL
    assert distance_to(traced, np.array(path, dtype=float)).max() < 1.5 * CELL


def test_two_ridges_are_two_lines():
    evidence = ridge([(30, 20), (40, 220)]) + ridge([(150, 20), (170, 220)])
    assert len(trace_lines(evidence, STEP, cell=CELL)) == 2


@pytest.mark.parametrize("slope", [0, 50])
def test_parallel_lines_four_cells_apart_are_two(slope):
    paths = [[(100 + side * 20 - slope, 10), (100 + side * 20 + slope, 230)] for side in (-1, 1)]
    evidence = sum(ridge(path, height=3.0, width=11.0) for path in paths)
    assert evidence[20, 30] > 1  # between them, so that both are one cloud
    traced = trace_lines(evidence, STEP, cell=CELL)
    assert len(traced) == 2
    for path in paths:
        assert min(distance_to(np.array(path, dtype=float), one).max() for one in traced) < CELL


@pytest.mark.parametrize("away", [12, 15])
def test_a_thin_layer_with_two_side_ridges_is_one_line(away):
    path = np.array([(100.0, 10.0), (100.0, 230.0)])
    sides = [ridge(path + np.array([side * away, 0.0]), height=1.8, width=5.0) for side in (-1, 1)]
    (traced,) = trace_lines(np.maximum(ridge(path, height=3.5, width=7.0), sum(sides)), STEP, cell=CELL)
    assert distance_to(path, traced).max() < CELL


def test_lines_that_cross_are_two():
    paths = [[(30, 20), (170, 220)], [(170, 20), (30, 220)]]
    traced = trace_lines(np.maximum(*(ridge(path, height=3.0) for path in paths)), STEP, cell=CELL)
    assert len(traced) == 2
    for path in paths:
        assert min(distance_to(np.array(path, dtype=float), one).max() for one in traced) < CELL


def test_what_is_short_or_nowhere_sure_is_no_line():
    assert not trace_lines(ridge([(100, 100), (100, 140)]), STEP, cell=CELL)
    assert not trace_lines(ridge([(100, 10), (100, 230)], height=1.2), STEP, cell=CELL)
    assert not trace_lines(np.zeros((40, 60)), STEP, cell=CELL)


def test_a_faint_tail_does_not_lengthen_a_line():
    evidence = np.maximum(
        ridge([(100, 10), (100, 120)], height=4.0), ridge([(100, 120), (100, 230)], height=1.1)
    )
    (traced,) = trace_lines(evidence, STEP, cell=CELL)
    assert traced[:, 1].max() < 135


def test_nodes_are_read_in_pixels():
    ramp = np.add.outer(10.0 * np.arange(5), np.arange(6))
    places = np.array([[5.0, 8.0], [7.5, 4.0]])
    np.testing.assert_allclose(read_nodes(ramp, places, STEP), [12, 16])
