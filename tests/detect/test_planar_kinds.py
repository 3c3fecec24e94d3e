import math
from dataclasses import replace

import numpy as np
import pytest

from antisite.crystal.lattice import Lattice
from antisite.detect.planar_kinds import kind_of_boundary, kind_of_fault

SQUARE = Lattice(vectors=12 * np.array([[0.0, 1.0], [1.0, 0.0]]), coherence=1.0)
STEEP = math.radians(70.53)
# {111} layers of a face-centred cubic crystal along [110]: to the right each is a third of the row farther
CUBIC = Lattice(vectors=14 * np.array([[0.0, 1.0], [math.sin(STEEP), math.cos(STEEP)]]), coherence=1.0)
ROW = np.array([0.0, 1.0])


def turned(lattice, degrees):
    a = math.radians(degrees)
    return replace(
        lattice, vectors=lattice.vectors @ [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
    )


@pytest.mark.parametrize(
    ("lattice", "direction", "shift", "kind"),
    [
        (SQUARE, (0, 1), (0.5, 0.5), "antiphase_boundary"),
        (SQUARE, (0, 1), (0.5, 0.0), "antiphase_boundary"),
        (SQUARE, (0, 1), (0.3, 0.0), "stacking_fault"),
        (SQUARE, (1, 0), (0.0, 0.3), "stacking_fault"),
        (SQUARE, (0, 1), (0.3, 0.3), "planar_defect"),
        (SQUARE, (0.4, 1), (0.3, 0.0), "planar_defect"),
        (SQUARE, (0, 1), (0.0, 0.0), "planar_defect"),
        (CUBIC, (0, 1), (1 / 3, 0.0), "stacking_fault"),
    ],
)
def test_a_displacement_along_a_row_of_low_index_is_a_stacking_fault(lattice, direction, shift, kind):
    assert kind_of_fault(np.array(shift), lattice, np.array(direction, float)).kind == kind


@pytest.mark.parametrize("sign", [1, -1])
def test_a_third_of_a_cubic_row_is_an_intrinsic_or_an_extrinsic_fault_by_its_sense(sign):
    # rows lie to the right by a third more each; one inverted step of a third leaves -2/3 = +1/3
    intrinsic = kind_of_fault(sign * np.array([1 / 3, 0]), CUBIC, sign * ROW)
    extrinsic = kind_of_fault(sign * np.array([-1 / 3, 0]), CUBIC, sign * ROW)
    assert intrinsic.name == "intrinsic stacking fault"
    assert extrinsic.name == "extrinsic stacking fault"


def test_a_square_crystal_knows_no_intrinsic_fault():
    assert kind_of_fault(np.array([1 / 3, 0]), SQUARE, ROW).name == ""


def test_two_grains_of_a_crystal_are_named_by_their_least_turn():
    kind = kind_of_boundary(SQUARE, turned(SQUARE, 80), np.array([1.0, 0.3]))
    assert (kind.kind, kind.mirror) == ("grain_boundary", False)
    assert math.degrees(kind.misorientation) == pytest.approx(10, abs=0.01)


def test_a_shared_row_with_a_mirror_is_a_twin():
    mirrored = replace(CUBIC, vectors=CUBIC.vectors * [-1.0, 1.0])
    twin = kind_of_boundary(CUBIC, mirrored, ROW)
    assert (twin.kind, twin.mirror) == ("twin_boundary", True)
    assert kind_of_boundary(CUBIC, mirrored, np.array([1.0, 0.4])).kind == "grain_boundary"


def test_a_tilt_boundary_along_a_row_of_one_side_is_no_twin():
    assert kind_of_boundary(SQUARE, turned(SQUARE, 20), ROW).kind == "grain_boundary"


def test_two_crystals_meet_in_a_phase_boundary():
    other = replace(SQUARE, vectors=SQUARE.vectors * [1.5, 1.4])
    kind = kind_of_boundary(SQUARE, other, ROW)
    assert kind.kind == "phase_boundary"
    assert math.isnan(kind.misorientation)
