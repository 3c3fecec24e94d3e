import functools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.errors import NoLatticeError
from antisite.run.crystal_search import find_specimen
from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.sketch.scene import lay_sketch, sketch_scene

SHAPE = (320, 320)


@functools.cache
def crystal(rotation, name="wse2", dose=2e5):
    image, truth = sketch_image(name, shape=SHAPE, pixel_size=0.25, rotation=rotation, dose=dose, rng=3)
    return image.pixels, truth.sites[["y", "x"]].to_numpy()


def look(pixels, mask=None):
    mask = np.zeros(pixels.shape, dtype=bool) if mask is None else mask
    return find_specimen(pixels[None].astype(np.float32), mask)


def beside(at, left, right):
    return np.where(np.arange(SHAPE[1])[None] < at, left, right)


@functools.cache
def pair():
    return look(beside(180, crystal(0.1)[0], crystal(0.6)[0]))


def columns(one):
    return one.sites.positions[~one.hollow]


def test_each_domain_has_a_crystal_whose_sites_are_its_columns():
    specimen = pair()
    assert specimen.n_domains == 2
    for k, rotation in enumerate((0.1, 0.6)):
        at = columns(specimen.crystals[k])
        inner = ((at > 12) & (at < SHAPE[0] - 13)).all(axis=1)
        apart = at[:, 1] < 165 if k == 0 else at[:, 1] > 195
        distance, _ = cKDTree(crystal(rotation)[1]).query(at[inner & apart])
        assert distance.max() < 2.0
        assert len(distance) > 300


def test_sites_go_up_to_the_boundary_and_lie_in_their_own_domain():
    specimen = pair()
    for k, one in enumerate(specimen.crystals):
        y, x = np.clip(np.round(one.sites.positions).astype(int), 0, np.array(SHAPE) - 1).T
        assert (specimen.domains[y, x] == k).all()
    edge = np.flatnonzero(np.diff(specimen.domains[160]))
    reach = [columns(specimen.crystals[0])[:, 1].max(), columns(specimen.crystals[1])[:, 1].min()]
    assert len(edge) == 1
    assert abs(reach[0] - edge[0]) < 12
    assert abs(reach[1] - edge[0]) < 12


def test_no_site_is_listed_twice():
    specimen = pair()
    first, second = specimen.crystals
    distance, _ = cKDTree(first.sites.positions).query(second.sites.positions)
    assert distance.min() > 0.5 * min(first.nearest, second.nearest)


def test_largest_domain_is_number_0():
    specimen = look(beside(140, crystal(0.1)[0], crystal(0.6)[0]))
    assert [(specimen.domains == k).sum() for k in (0, 1)] == sorted(
        [(specimen.domains == k).sum() for k in (0, 1)], reverse=True
    )
    assert columns(specimen.crystals[0])[:, 1].min() > 120
    assert specimen.crystal is specimen.crystals[0]


def test_domain_without_a_lattice_is_no_grain():
    noise = np.median(crystal(0.1)[0]) + np.random.default_rng(0).normal(0, 0.3, SHAPE)
    specimen = look(beside(200, crystal(0.1)[0], noise))
    assert specimen.n_domains == 1
    assert (specimen.domains[:, 260:] == -1).all()
    assert columns(specimen.crystal)[:, 1].max() < 240


def test_where_no_domain_has_a_lattice_the_reason_is_told():
    noise = np.random.default_rng(0).normal(size=(2, *SHAPE))
    with pytest.raises(NoLatticeError, match=r"^no lattice found: "):
        look(beside(160, noise[0], np.cumsum(noise[1], axis=1)))


def test_domain_that_cannot_be_fitted_is_said_and_left_out(monkeypatch):
    from antisite.run import crystal_search

    def fit(channels, mean, mask, lattice, *, ground, **options):
        if not ground[:, :100].any():
            raise NoLatticeError("no lattice found: its reflections do not keep step")
        return fitted(channels, mean, mask, lattice, ground=ground, **options)

    fitted = crystal_search.fit_crystal
    monkeypatch.setattr(crystal_search, "fit_crystal", fit)
    specimen = look(beside(180, crystal(0.1)[0], crystal(0.6)[0]))
    assert specimen.n_domains == 1
    assert specimen.domains.max() == 0
    (refused,) = specimen.refused
    assert 0.4 < refused.where.mean() < 0.5
    assert refused.reason == "its reflections do not keep step"


def test_masked_pixels_belong_to_no_domain_and_hide_no_boundary():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[100:140] = True
    specimen = look(beside(180, crystal(0.1)[0], crystal(0.6)[0]), mask)
    assert specimen.n_domains == 2
    assert (specimen.domains[mask] == -1).all()
    for one in specimen.crystals:
        assert one.mask[mask].all()


def island(cells, *, cell=12.0, name="fe100", turn=0.5):
    """A round grain so many cells across in a crystal, and how far [cells] pixels lie from its middle."""
    host, grain = (
        sketch_scene(
            lay_sketch(name, shape=SHAPE, px_per_cell=cell, rotation=0.1 + k * turn, rng=1 + k),
            dose=3e5,
            rng=k,
        )[0].pixels
        for k in (0, 1)
    )
    y, x = np.indices(SHAPE)
    far = np.hypot(y - 150, x - 170) / cell
    return np.where(far < cells / 2, grain, host), far


@pytest.mark.parametrize("cells", [4, 6])
def test_grain_too_small_to_be_a_domain_is_said_and_holds_no_site(cells):
    pixels, far = island(cells)
    specimen = look(pixels)
    assert specimen.n_domains == 1
    assert (specimen.domains[far < cells / 2] == -1).all()
    assert (specimen.domains[far > cells / 2 + 4] == 0).all()
    assert specimen.foreign[far < cells / 2].all()


def test_grain_whose_spots_fit_a_larger_cell_leaves_the_cell_as_it_is():
    """Turned by 28.6°, gold along <110> and its grain share shifts that span four cells."""
    pixels, far = island(13, name="au110", turn=0.5)
    specimen = look(pixels)
    assert specimen.crystal.lattice.cell_area == pytest.approx(144, rel=0.02)
    assert specimen.n_domains == 2
    assert (specimen.domains[far < 5] == 1).all()


def test_without_the_search_for_planar_defects_no_patch_is_left_out():
    pixels, _ = island(4)
    mask = np.zeros(SHAPE, dtype=bool)
    assert find_specimen(pixels[None].astype(np.float32), mask, planar=False).foreign.sum() == 0


def test_crystal_with_a_cell_of_three_spacings_squared_is_no_moire():
    """Two small lattices explain its spots as well, but its own explains them all."""
    rng = np.random.default_rng(91070)
    image, _ = sketch_image(
        "monoclinic",
        shape=(320, 320),
        pixel_size=rng.uniform(0.1, 0.3),
        rotation=rng.uniform(0, np.pi),
        dose=10 ** rng.uniform(3.5, 6),
        drift=rng.uniform(0, 2),
        contamination=rng.uniform(0, 0.1),
        rng=rng,
    )
    assert find_specimen(image.channels, image.mask).n_domains == 1
