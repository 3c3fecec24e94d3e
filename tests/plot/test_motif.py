from __future__ import annotations

import numpy as np
import pytest

from antisite.plot.motif import plot_motif, site_copies, tile_motif

VECTORS = np.array([[2.0, 14.0], [12.5, 8.0]])
SUBLATTICES = [
    {"name": "A", "hollow": False, "fractions": [[0.0, 0.0]]},
    {"name": "B", "hollow": False, "fractions": [[0.25, 0.25], [0.75, 0.75]]},
    {"name": "hollow", "hollow": True, "fractions": [[0.5, 0.5]]},
]


def _spot(fraction, n=50, sigma=1.5):
    fb, fa = (np.mgrid[:n, :n] + 0.5) / n
    d = np.stack([fa, fb], axis=-1) - fraction
    d = (d - np.round(d)) @ VECTORS
    return np.exp(-(d**2).sum(axis=-1) / 2 / sigma**2)


def test_a_column_is_drawn_where_its_fractions_say():
    fraction = np.array([0.3, 0.6])
    picture, (left, right, bottom, top) = tile_motif(_spot(fraction), VECTORS, start=np.zeros(2), tiles=1)
    i, j = np.unravel_index(np.argmax(picture), picture.shape)
    y = top + (i + 0.5) * (bottom - top) / picture.shape[0]
    x = left + (j + 0.5) * (right - left) / picture.shape[1]
    assert np.allclose([y, x], fraction @ VECTORS, atol=0.3)


def test_the_tiles_cover_their_cells_and_nothing_else():
    ax = plot_motif(np.ones((8, 8)), VECTORS, tiles=2)
    (rim,) = (patch for patch in ax.patches if patch.get_gid() == "tiles")
    x, y = rim.get_xy()[:-1].T
    area = 0.5 * abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1)))
    assert area == pytest.approx(4 * abs(np.linalg.det(VECTORS)))
    assert ax.images[0].get_clip_path() is not None


def test_the_arrows_are_the_lattice_vectors():
    arrows = {p.get_gid(): p for p in plot_motif(_spot((0, 0)), VECTORS).patches}
    for name, (dy, dx) in zip("ab", VECTORS, strict=True):
        (x0, y0), (x1, y1) = arrows[f"vector-{name}"]._posA_posB
        assert (y1 - y0, x1 - x0) == pytest.approx((dy, dx))


def test_every_sublattice_is_named_once_at_one_of_its_sites():
    ax = plot_motif(_spot((0, 0)), VECTORS, sublattices=SUBLATTICES, tiles=3)
    names = {t.get_gid(): t for t in ax.texts if t.get_gid()}
    assert set(names) == {"name-A", "name-B", "name-hollow"}
    x, y = names["name-B"].get_position()
    fractions = np.array([y, x]) @ np.linalg.inv(VECTORS) % 1
    assert np.allclose(fractions, 0.25) or np.allclose(fractions, 0.75)


def test_the_marked_cell_has_its_corners_on_the_first_sublattice():
    lattice = [{"name": "A", "hollow": False, "fractions": [[0.3, 0.8]]}]
    ax = plot_motif(_spot((0.3, 0.8)), VECTORS, sublattices=lattice)
    (cell,) = (patch for patch in ax.patches if patch.get_gid() == "cell")
    fractions = cell.get_xy()[:, ::-1] @ np.linalg.inv(VECTORS) - [0.3, 0.8]
    assert np.allclose(fractions, np.round(fractions))


def test_all_copies_are_marked_with_the_edges_of_the_cells():
    start = np.array([-0.5, -0.5])
    assert len(site_copies(np.array([[0.5, 0.5]]), start=start, tiles=2)) == 9
    assert len(site_copies(np.array([[0.0, 0.25]]), start=start, tiles=2)) == 4
    assert len(site_copies(np.zeros((0, 2)), start=start, tiles=2)) == 0


def test_a_motif_without_sublattices_has_no_marks():
    ax = plot_motif(_spot((0, 0)), VECTORS)
    assert ax.lines[:] == []


def test_the_picture_is_in_true_geometry_with_y_downward():
    ax = plot_motif(_spot((0, 0)), VECTORS)
    assert ax.get_aspect() == 1
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
