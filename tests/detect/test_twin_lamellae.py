import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.detect.domain_map import domains_beside
from antisite.detect.lines import distance_to
from antisite.detect.planar_defects import PlanarDefect, Structure
from antisite.detect.planar_kinds import PlanarKind
from antisite.detect.twin_lamellae import named_lamellae, with_lamellae, without_slabs
from antisite.simulate.extended_defects.boundaries import lamella

STYLE = {"au110": {}, "cdte110": {"rotate": True}}
SQUARE = Lattice(vectors=np.array([[0.0, 10.0], [10.0, 0.0]]), coherence=1.0)
OBLIQUE = Lattice(vectors=np.array([[0.0, 10.0], [10.0, 4.0]]), coherence=1.0)
MIRRORED = Lattice(vectors=np.array([[0.0, 10.0], [10.0, -4.0]]), coherence=1.0)


def laid(scene, crystal, n):
    """A lamella of n layers in the middle."""
    px = {"au110": 8.0, "cdte110": 12.0}[crystal]
    perfect = scene(crystal, n=448 if crystal == "cdte110" else 320, px_per_cell=px)
    along = perfect.cell[1] / np.hypot(*perfect.cell[1])
    half = n / 2 * px**2 / np.hypot(*perfect.cell[1]) * np.array([along[1], -along[0]])
    return lamella(perfect, n, (0, 1), at=perfect.centre - half, **STYLE[crystal])


@pytest.mark.parametrize("crystal", STYLE)
@pytest.mark.parametrize("n", [4, 7, 12])
def test_a_lamella_is_a_domain_between_two_named_twin_boundaries(scene, see, crystal, n):
    seen = see(laid(scene, crystal, n), drift=0.5)
    found = seen.structure()
    assert [line.kind.kind for line in found.lines] == ["twin_boundary"] * 2
    assert [line.kind.name for line in found.lines] == [f"twin lamella of {n} layers"] * 2
    assert all(line.kind.mirror for line in found.lines)
    for true in seen.truth.lines:
        assert min(distance_to(line.path, true.path).max() for line in found.lines) < 0.7 * seen.cell


def test_three_layers_are_one_line_that_displaces_nothing(scene, see):
    seen = see(laid(scene, "au110", 3))
    (line,) = seen.structure().lines
    assert (line.kind.kind, line.kind.name) == ("planar_defect", "twin lamella of 3 layers")
    np.testing.assert_allclose(line.shift, 0, atol=0.05)
    assert distance_to(line.path, seen.truth.lines[0].path).max() < 0.7 * seen.cell


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_layers_are_left_to_the_search_for_faults(scene, see, n):
    seen = see(laid(scene, "au110", n))
    before = Structure(domains=seen.domains, lattices=seen.lattices)
    assert with_lamellae(seen.even, seen.mask, before) is before


def test_a_perfect_crystal_stays_as_it_is(scene, see):
    seen = see(scene("au110", px_per_cell=9.0))
    before = Structure(domains=seen.domains, lattices=seen.lattices)
    assert with_lamellae(seen.even, seen.mask, before) is before


def strip(low, high, *, left=None, shape=(200, 240)):
    """Domain 1 between two rows of pixels, 0 round it."""
    domains = np.zeros(shape, dtype=np.int8)
    domains[low:high, left or 0 : None if left is None else left + high - low] = 1
    return Structure(domains=domains, lattices=(OBLIQUE, MIRRORED))


def test_a_long_thin_domain_is_given_back():
    found = without_slabs(strip(80, 120))
    assert not found.domains.any()
    assert found.lattices == (OBLIQUE,)


@pytest.mark.parametrize("kept", [strip(60, 180), strip(80, 120, left=90)], ids=["broad", "small and round"])
def test_a_broad_domain_and_a_small_round_one_are_kept(kept):
    assert without_slabs(kept) is kept


def test_domains_that_are_left_keep_their_lattices():
    thin = strip(80, 120)
    domains = thin.domains.copy()
    domains[120:] = 2
    found = without_slabs(Structure(domains=domains, lattices=(OBLIQUE, MIRRORED, SQUARE)))
    assert found.lattices == (OBLIQUE, SQUARE)
    assert set(np.unique(found.domains)) == {0, 1}
    np.testing.assert_array_equal(found.domains[[95, 105], 100], [0, 1])


def slab(outer, *, thickness=50, tilt=0.0, kind="twin_boundary"):
    """Three domains one above the other, the lowest with its own lattice, and the boundaries between."""
    x = np.array([0.0, 239.0])
    paths = [
        np.column_stack([75 + 0 * x, x]),
        np.column_stack([75 + thickness + tilt * (x - x.mean()), x]),
    ]
    rows = np.arange(200)[:, None] + np.zeros(240)
    domains = np.select([rows < 75, rows < paths[1].mean(axis=0)[0]], [0, 1], 2).astype(np.int8)
    lines = tuple(PlanarDefect(kind=PlanarKind(kind=kind), path=path, sd=1.0, cell=10.0) for path in paths)
    return Structure(domains=domains, lattices=(OBLIQUE, MIRRORED, outer), lines=lines)


def names(found):
    return [line.kind.name for line in named_lamellae(found).lines]


def test_the_name_tells_how_many_rows_lie_between():
    assert names(slab(OBLIQUE)) == ["twin lamella of 5 layers"] * 2
    assert names(slab(OBLIQUE, thickness=80)) == ["twin lamella of 8 layers"] * 2


def test_a_name_needs_outer_crystals_of_one_lattice():
    assert names(slab(SQUARE)) == ["", ""]


@pytest.mark.parametrize(
    "unclear",
    [slab(OBLIQUE, thickness=55), slab(OBLIQUE, tilt=0.15), slab(OBLIQUE, kind="grain_boundary")],
    ids=["half a row", "not parallel", "no twins"],
)
def test_what_is_not_clear_has_no_name(unclear):
    assert names(unclear) == ["", ""]


def test_the_lamella_lies_between_its_boundaries(scene, see):
    found = see(laid(scene, "au110", 5)).structure()
    beside = [set(domains_beside(found.domains, line.path, cell=line.cell)) for line in found.lines]
    assert len(beside[0] & beside[1]) == 1
    assert (found.domains >= 0).mean() > 0.99
