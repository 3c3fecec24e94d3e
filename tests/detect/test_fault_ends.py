import numpy as np
import pytest

from antisite.detect.fault_ends import find_ends, with_total
from antisite.detect.lines import distance_to, extend
from antisite.detect.planar_defects import Dislocation, PlanarDefect, Structure
from antisite.detect.planar_kinds import PlanarKind
from antisite.simulate.extended_defects.boundaries import fault
from antisite.simulate.extended_defects.dislocations import faulted_pair

SHIFT = (0.0, 1 / 3)


def rough(path, cell, shift=(0.05, 0.28)):
    return PlanarDefect(
        kind=PlanarKind(kind="planar_defect"),
        path=path,
        sd=1.0,
        cell=cell,
        shift=np.array(shift),
        shift_sd=np.full(2, 0.1),
    )


def find(seen, path, *, shift=(0.05, 0.28), others=()):
    return find_ends(
        rough(path, seen.cell, shift),
        seen.domains,
        (0,),
        seen.phases(0.75),
        seen.lattice,
        others=others,
    )


def moved_out(path, seen, by):
    """A path with both ends moved outwards by so many cells."""
    return extend(path[[0, -1]], by * seen.cell, over=1e6)[[0, -1]]


def crystal(scene):
    return scene("au110", n=320, px_per_cell=8.0)


def short_fault(scene, *, at=None, total=(0, 0)):
    return faulted_pair(crystal(scene), SHIFT, (0, 1), at=at, length=11 * 8.0, total=total)


@pytest.mark.parametrize("total", [(0, 0), (0, 1)])
def test_partials_stand_at_the_ends_with_their_burgers_vectors(scene, see, total):
    seen = see(short_fault(scene, total=total), drift=1.5)
    ended = find(seen, moved_out(seen.truth.lines[0].path, seen, 1.0))
    line, partials = ended.fault, ended.partials
    assert len(partials) == 2
    for core, true, end in zip(partials, seen.truth.cores, (0, -1), strict=True):
        assert core.partial
        np.testing.assert_allclose(core.position, line.path[end])
        assert np.hypot(*(core.position - true.position)) < 0.6 * seen.cell
        np.testing.assert_allclose(core.burgers, true.burgers, atol=0.03)
        np.testing.assert_allclose(core.burgers_px, core.burgers @ seen.lattice.vectors)
        assert 0.1 * seen.cell < core.sd < seen.cell
    np.testing.assert_allclose(line.shift, SHIFT, atol=0.03)
    assert (line.shift_sd < 0.03).all()
    phases = seen.phases(0.75)
    assert (ended.freed(phases, seen.lattice).seen == 0).sum() > (phases.seen == 0).sum()


def test_an_end_near_the_rim_is_told_from_a_line_that_runs_to_it(scene, see):
    perfect = crystal(scene)
    along = perfect.cell[1] / np.hypot(*perfect.cell[1])
    to_rim = ((np.where(along > 0, 319, 0) - perfect.centre) / along).min()
    near = see(short_fault(scene, at=perfect.centre + (to_rim - (3.5 + 5.5) * 8) * along), drift=0.5)
    ended = find(near, moved_out(near.truth.lines[0].path, near, 0.3))
    assert len(ended.partials) == 2
    assert np.hypot(*(ended.fault.path[-1] - near.truth.lines[0].path[-1])) < 0.7 * near.cell
    through = see(fault(perfect, SHIFT, (0, 1)), drift=0.5)
    ended = find(through, moved_out(through.truth.lines[0].path, through, -3.5))
    assert not ended.partials
    assert distance_to(ended.fault.path, through.truth.lines[0].path).max() < through.cell


def test_where_nothing_is_understood_a_line_stays_as_it_was_seen(scene, see):
    seen = see(scene("au110"))
    path = np.array([[100.0, 90.0], [120.0, 160.0]])
    noise = np.random.default_rng(1).normal(size=seen.even.shape)
    phases = type(seen)(**{**_fields(seen), "even": noise.astype(np.float32)}).phases(0.75)
    ended = find_ends(rough(path, seen.cell), seen.domains, (0,), phases, seen.lattice, others=())
    assert ended.fit is None
    assert ended.freed(phases, seen.lattice) is phases
    np.testing.assert_allclose(ended.fault.path, path, atol=0.5)
    np.testing.assert_allclose(ended.fault.shift, (0.05, 0.28))
    np.testing.assert_allclose([core.burgers for core in ended.partials], [(-0.05, -0.28), (0.05, 0.28)])


def _fields(seen):
    return {name: getattr(seen, name) for name in ("pixels", "even", "mask", "domains", "lattices", "truth")}


def structure(*burgers, lattice):
    cores = [
        Dislocation(
            position=np.zeros(2),
            sd=1.0,
            burgers=np.array(one),
            burgers_px=np.array(one) @ lattice.vectors,
            partial=True,
            line=0,
        )
        for one in burgers
    ]
    line = rough(np.array([[0.0, 0.0], [0.0, 90.0]]), 10.0)
    return Structure(
        domains=np.zeros((9, 9), dtype=np.int8),
        lattices=(lattice,),
        lines=(line,),
        dislocations=tuple(cores),
    )


@pytest.fixture(scope="module")
def lattice(scene, see):
    return see(scene("fe100", n=64)).lattice


def test_partials_share_what_winds_round_the_fault_so_that_it_costs_least(lattice):
    found = with_total(structure((0, -0.3), (0, 0.3), lattice=lattice), 0, np.array([0, 1]), lattice)
    np.testing.assert_allclose([core.burgers for core in found.dislocations], [(0, 0.7), (0, 0.3)])
    taker = found.dislocations[0]
    np.testing.assert_allclose(taker.burgers_px, taker.burgers @ lattice.vectors)


@pytest.mark.parametrize(
    ("burgers", "total"), [(((0, -0.3), (0, 0.3)), (0, 0)), (((0, 0.7), (0, 0.3)), (0, 1))]
)
def test_partials_that_make_the_whole_already_stay(lattice, burgers, total):
    before = structure(*burgers, lattice=lattice)
    assert with_total(before, 0, np.array(total), lattice) is before


def test_one_partial_alone_makes_no_whole(lattice):
    before = structure((0, 0.3), lattice=lattice)
    assert with_total(before, 0, np.array([0, 1]), lattice) is before
