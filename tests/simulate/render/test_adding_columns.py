import numpy as np
import pytest

from antisite.simulate.render import adding_columns
from antisite.simulate.render.field import FieldRenderer
from antisite.simulate.scattering.responses import Responses


@pytest.mark.parametrize("jitter", [0.0, 0.4])
def test_compiled_loops_give_the_bits_of_the_loops_as_written(jitter, monkeypatch):
    y, x = np.mgrid[-20:21, -20:21] * 0.15
    table = np.exp(-(y**2) - x**2) + 0.1 * np.exp(-((y - x) ** 2) - (y + x) ** 2 / 4)
    responses = Responses(values=table[None, None].astype(np.float32), step=0.15, vacuum=np.zeros(1))
    render = FieldRenderer(responses=responses, pixel_size=0.3, reach=2.5)
    rng = np.random.default_rng(0)
    positions, index = rng.uniform(-2, 20, (12, 2)), np.zeros(12, int)
    shift = jitter * rng.normal(size=18)
    compiled = render(positions, index, shape=(18, 21), row_shift=shift)
    monkeypatch.setattr(adding_columns, "_add_lines", adding_columns._add_lines.py_func)
    monkeypatch.setattr("antisite.simulate.render.field.add_columns", adding_columns.add_columns.py_func)
    np.testing.assert_array_equal(render(positions, index, shape=(18, 21), row_shift=shift), compiled)
    assert compiled.max() > 0.5
