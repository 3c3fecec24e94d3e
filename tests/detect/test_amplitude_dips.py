import numpy as np
import pytest
from scipy import ndimage

from antisite.detect.amplitude_dips import measure_dips
from antisite.detect.line_tracing import trace_lines
from antisite.detect.lines import sample_line
from antisite.simulate.extended_defects.boundaries import lamella

CLEAR = 0.36


def dips_of(seen):
    phases = seen.phases(0.75)
    return measure_dips(phases, cell=seen.cell), phases.step


def test_a_thin_layer_that_displaces_nothing_weakens_the_lattice(scene, see):
    seen = see(lamella(scene("au110"), 3, (0, 1)))
    dips, step = dips_of(seen)
    inner = sample_line(seen.truth.lines[0].path, spacing=1.0).places[40:-40]
    assert np.median(ndimage.map_coordinates(dips, (inner / step).T, order=1)) > CLEAR


@pytest.mark.parametrize("crystal", ["fe100", "au110", "wse2", "cdte110"])
@pytest.mark.parametrize("dose", [1e6, 2e4])
def test_no_line_of_dips_in_a_perfect_crystal(scene, see, crystal, dose):
    seen = see(scene(crystal, px_per_cell=16.0), dose=dose, drift=2.0, jitter=0.3)
    dips, step = dips_of(seen)
    assert not trace_lines(dips / CLEAR, step, cell=seen.cell)


def test_a_mask_is_no_dip(scene, see):
    mask = np.zeros((256, 256), dtype=bool)
    mask[:, 120:140] = True
    assert dips_of(see(scene(), mask=mask))[0].max() < CLEAR
