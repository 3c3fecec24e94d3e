import math

import numpy as np
import pytest

from antisite.simulate.crystals.cells import cells_around
from antisite.simulate.truth.lines import turn

CELL = np.array([[0.0, 9.0], [8.0, 4.0]])


@pytest.mark.parametrize("rotation", np.linspace(0, math.pi, 5))
def test_every_place_of_frame_and_margin_lies_in_a_cell(rotation):
    cell, shape, margin = CELL @ turn(rotation), (40, 90), 7.0
    known = {tuple(index) for index in cells_around(cell, shape=shape, margin=margin)}
    sides = [np.linspace(-n / 2 - margin, n / 2 + margin, 60) for n in shape]
    places = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    assert {tuple(index) for index in np.floor(places @ np.linalg.inv(cell)).astype(int)} <= known


def test_no_cell_is_laid_twice():
    index = cells_around(CELL, shape=(50, 30), margin=0.0)
    assert len(np.unique(index, axis=0)) == len(index)
