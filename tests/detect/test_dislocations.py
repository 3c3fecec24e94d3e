import numpy as np
import pytest
from scipy import ndimage

from antisite.detect.dislocations import find_cores
from antisite.simulate.extended_defects.dislocations import Dislocation, add_dislocations

PLACES = ((80.0, 110.0), (176.0, 150.0))


def pair(scene, burgers=(1, 0), crystal="fe100", **options):
    signs = zip(PLACES, (1, -1), strict=True)
    cores = [Dislocation(position=at, burgers=tuple(float(s * b) for b in burgers)) for at, s in signs]
    return add_dislocations(scene(crystal, **options), cores)


def cores_of(seen):
    found = find_cores(seen.phases(1.0, oversampling=2), cell=seen.cell)
    return found.select(np.argsort(found.positions[:, 0]))


@pytest.mark.parametrize("burgers", [(1, 0), (0, 1), (-1, 0), (1, 1)])
def test_place_and_burgers_vector_are_found_with_their_sign(scene, see, burgers):
    seen = see(pair(scene, burgers))
    found = cores_of(seen)
    np.testing.assert_allclose(found.positions, PLACES, atol=0.4 * seen.cell)
    true = np.array(seen.truth.cores[0].burgers) @ seen.truth.cell
    np.testing.assert_allclose(found.burgers @ seen.lattice.vectors, [true, -true], atol=1e-6)


@pytest.mark.parametrize("crystal", ["au110", "wse2", "srtio3"])
def test_burgers_vectors_of_a_pair_sum_to_nothing(scene, see, crystal):
    found = cores_of(see(pair(scene, crystal=crystal, px_per_cell=14.0), dose=1e5, drift=1.0))
    assert len(found) == 2
    assert found.burgers.any(axis=1).all()
    assert not found.burgers.sum(axis=0).any()


def test_turned_by_90_degrees_place_and_burgers_vector_turn_along(scene, see):
    laid = pair(scene, (0, 1))
    first, turned = (cores_of(see(laid, turns=n)) for n in (0, 1))
    vectors = [f.burgers @ see(laid, turns=n).lattice.vectors for n, f in enumerate((first, turned))]
    expected = np.column_stack([255 - first.positions[:, 1], first.positions[:, 0]])
    order = np.argsort(expected[:, 0])
    np.testing.assert_allclose(turned.positions, expected[order], atol=0.5)
    np.testing.assert_allclose(
        turned.burgers @ np.eye(2), vectors[1] @ np.linalg.inv(see(laid, turns=1).lattice.vectors), atol=1e-9
    )
    np.testing.assert_allclose(
        vectors[1], np.column_stack([-vectors[0][:, 1], vectors[0][:, 0]])[order], atol=1e-6
    )


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2", "cdte110"])
@pytest.mark.parametrize("dose", [1e6, 2e4])
def test_perfect_crystals_hold_none(scene, see, crystal, dose):
    seen = see(scene(crystal, px_per_cell=16.0), dose=dose, drift=2.0, jitter=0.3, contamination=0.05)
    found = cores_of(seen)
    assert len(found) == 0
    assert found.positions.shape == found.burgers.shape == (0, 2)


def test_dark_columns_are_no_dislocations(scene, see):
    seen = see(scene("wse2", px_per_cell=16.0))
    even = seen.even.copy()
    at = np.round(seen.truth.sites[["y", "x"]].to_numpy()[::40]).astype(int)
    gone = np.zeros(even.shape, dtype=bool)
    gone[at[:, 0], at[:, 1]] = True
    even[ndimage.binary_dilation(gone, iterations=4)] = even.min()
    dark = type(seen)(**{name: getattr(seen, name) for name in seen.__dataclass_fields__} | {"even": even})
    assert len(cores_of(dark)) == 0


def test_phases_that_wind_in_the_noise_beside_a_hole_are_no_dislocations(scene, see):
    mask = np.zeros((256, 256), dtype=bool)
    y, x = np.indices(mask.shape)
    mask[np.hypot(y - 128, x - 128) < 60] = True
    assert len(cores_of(see(scene(), mask=mask, dose=2e4))) == 0
