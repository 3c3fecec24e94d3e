import numpy as np
import pytest

from antisite.crystal.elastic_fields import POISSON, dislocation_field, wall_field

BURGERS = [3.0 + 0j, -2j, 1.5 - 2.5j]


def grid(*, low, high, step):
    x, y = np.meshgrid(np.arange(low, high, step), np.arange(low, high, step))
    return x + 1j * y


@pytest.mark.parametrize("burgers", BURGERS)
@pytest.mark.parametrize("normal", [0.0, 1.1, -2.5])
def test_the_branches_agree_ahead_and_differ_by_one_burgers_vector_behind(burgers, normal):
    ahead = -1j * np.exp(1j * normal) * np.array([5.0, 40.0])
    for places, jump in ((ahead, 0), (-ahead, burgers)):
        first, second = (
            dislocation_field(places, burgers, normal=normal, second_side=side) for side in (False, True)
        )
        np.testing.assert_allclose(second - first, jump, atol=1e-6)


@pytest.mark.parametrize("burgers", BURGERS)
def test_a_circuit_from_x_to_y_gains_one_burgers_vector(burgers):
    z = 20 * np.exp(2j * np.pi * (np.arange(360) + 0.5) / 360)
    second = z.imag > 0  # the cut along x: the normal points to +y
    around = np.where(
        second,
        dislocation_field(z, burgers, normal=np.pi / 2, second_side=True),
        dislocation_field(z, burgers, normal=np.pi / 2, second_side=False),
    )
    steps = np.diff(around, append=around[:1])
    smooth = np.abs(steps) < 0.5 * abs(burgers)
    assert (~smooth).sum() == 1
    assert steps[smooth].sum() == pytest.approx(burgers, rel=0.02)


@pytest.mark.parametrize("burgers", BURGERS)
def test_the_crystal_is_at_rest_under_its_own_stress(burgers):
    """Navier's equation: grad div u / (1 - 2ν) + Δu = 0."""
    step = 0.1
    u = dislocation_field(
        grid(low=6.0, high=14.0, step=step), burgers, normal=-3 * np.pi / 4, second_side=False
    )

    def slopes(of):
        along_y, along_x = np.gradient(of, step)
        return along_x, along_y

    (uxx, uxy), (uyx, uyy) = slopes(u.real), slopes(u.imag)
    pull = np.array(slopes(uxx + uyy)) / (1 - 2 * POISSON)
    spread = np.array([sum(s[k] for k, s in enumerate(map(slopes, d))) for d in ((uxx, uxy), (uyx, uyy))])
    inner = np.s_[:, 4:-4, 4:-4]
    assert np.abs(spread[inner]).max() > 1e-3
    assert np.abs((pull + spread)[inner]).max() < 1e-2 * np.abs(spread[inner]).max()


def test_turned_with_its_burgers_vector_the_field_turns():
    z, turn = grid(low=3.0, high=9.0, step=1.0), np.exp(0.7j)
    plain = dislocation_field(z, 2.0 + 1j, normal=0.4, second_side=True)
    turned = dislocation_field(z * turn, (2.0 + 1j) * turn, normal=1.1, second_side=True)
    np.testing.assert_allclose(turned, plain * turn, atol=1e-5)


@pytest.mark.parametrize("second", [False, True])
def test_a_wall_is_the_sum_of_its_dislocations(second):
    spacing, burgers, places = 10.0, 2.0 + 0.5j, np.array([3.0, 6.0 + 4j, 9.0 - 2j])
    places = places if second else -places
    line = 1j * spacing * np.arange(-4000, 4001)  # the normal points to +x
    single = sum(
        dislocation_field(places - at, burgers, normal=0.0, second_side=second) for at in line.tolist()
    )
    wall = wall_field(places, burgers, spacing, normal=0.0, second_side=second)
    np.testing.assert_allclose(np.diff(wall), np.diff(single), atol=2e-3)


def test_far_from_a_wall_the_two_sides_are_turned_by_one_burgers_vector_per_spacing():
    spacing, burgers = 12.0, 0.6
    turns = []
    for side in (False, True):
        z = (1 if side else -1) * (40.0 + 1j * np.array([0.0, 5.0]))
        u = wall_field(z, burgers, spacing, normal=0.0, second_side=side)
        turns.append(-np.diff(u.real)[0] / np.diff(z.imag)[0])  # ux = -w y for a turn w from +x to +y
    np.testing.assert_allclose(turns, [burgers / 2 / spacing, -burgers / 2 / spacing], rtol=1e-3)
