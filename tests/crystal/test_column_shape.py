import math

import numpy as np
import pytest

from antisite.crystal.column_shape import fit_column_shape
from antisite.crystal.sublattices import SublatticeFinder, mean_cell
from antisite.simulate.crystals import CRYSTALS
from antisite.simulate.render import simulate_image


def fit(view):
    flat, lattice, distortion = view.distorted()
    motif = mean_cell(flat, view.mask, lattice, distortion)
    columns = [s for s in SublatticeFinder()(motif, lattice) if not s.hollow]
    return fit_column_shape(motif, lattice, columns), columns


@pytest.mark.parametrize("name", [name for name in CRYSTALS if name != "monoclinic"])
@pytest.mark.parametrize("blur", [0.15, 0.3])
def test_width_of_a_column_is_recovered(look, name, blur):
    image, _ = simulate_image(name, shape=(224, 224), pixel_size=0.18, rotation=0.4, blur=blur, rng=1)
    shape, _ = fit(look(image.pixels))
    assert shape.sigma * 0.18 == pytest.approx(math.hypot(CRYSTALS[name].width, blur), rel=0.1)
    assert shape.residual < 0.1


@pytest.mark.parametrize("name", ["wse2", "srtio3", "cdte110"])
def test_amplitudes_are_as_the_columns_brightness(look, name):
    image, _ = simulate_image(name, shape=(224, 224), pixel_size=0.18, dose=1e6, rng=1)
    shape, _ = fit(look(image.pixels))
    assert shape.amplitudes[1] / shape.amplitudes[0] == pytest.approx(CRYSTALS[name].brightness[1], abs=0.05)


def test_amplitudes_are_in_the_unit_of_the_image(look):
    image, _ = simulate_image("au100", shape=(192, 192), rng=1)
    view = look(image.pixels)
    shape, _ = fit(view)
    lift = np.ptp(view.even) * (1 - math.exp(-1))  # the peak stands on its neighbours' tails
    assert lift < shape.amplitudes[0] < 1.15 * np.ptp(view.even)


def test_noise_does_not_change_the_width_much(look):
    widths = [
        fit(look(simulate_image("wse2", shape=(224, 224), pixel_size=0.2, dose=2e4, rng=s)[0].pixels))[
            0
        ].sigma
        for s in range(3)
    ]
    assert np.mean(widths) * 0.2 == pytest.approx(math.hypot(0.45, 0.3), rel=0.1)
