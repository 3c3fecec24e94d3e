from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite.io.metadata import conditions_of, scale_of


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("nm", 0.02),
        (" NM ", 0.02),
        ("Å", 0.2),
        ("\u212b", 0.2),
        ("Angstroms", 0.2),
        ("pm", 20),
        ("µm", 2e-5),
        ("\u03bcm", 2e-5),
        ("microns", 2e-5),
        ("m", 2e-11),
        ("meters", 2e-11),
    ],
)
def test_every_unit_of_length_means_the_same(unit: str, scale: float) -> None:
    assert scale_of({"scale": scale, "units": unit}) == pytest.approx(0.2)


@pytest.mark.parametrize("unit", [None, "", "px", "pixel", "s", "1/nm", "1 / nm", "eV", "inch", 3, b"nm"])
def test_what_is_no_length_is_no_scale(unit: object) -> None:
    assert math.isnan(scale_of({"scale": 1.0, "units": unit}))


@pytest.mark.parametrize("scale", [0, 1e-5, 5.1, 1e9, math.nan, math.inf, None, "x"])
def test_a_scale_absurd_for_a_lattice_image_is_unknown(scale: object) -> None:
    assert math.isnan(scale_of({"scale": scale, "units": "nm"}))


@pytest.mark.parametrize(
    "tree",
    [
        {"Microscope Info": {"Voltage": 0}},
        {"Microscope Info": {"Voltage": "off"}},
        {"Optics": {"AccelerationVoltage": "", "BeamConvergence": "-1"}},
        {"DetectorMetadata": {"CollectionAngleRange": {"begin": "0.2", "end": "0.1"}}},
        {"DetectorMetadata": None},
    ],
)
def test_doubtful_notes_are_left_unknown(tree: dict[str, object]) -> None:
    conditions = conditions_of({}, tree)
    assert math.isnan(conditions.beam_energy)
    assert math.isnan(conditions.convergence)
    assert conditions.detectors == ()


def test_gatan_notes_are_found_at_any_depth() -> None:
    tags = {"Experimental Conditions": {"Convergence semi-angle (mrad)": 27.5}}
    tree = {
        "ImageList": {"TagGroup0": {"ImageTags": {"Microscope Info": {"Voltage": 60000.0}, "EELS": tags}}}
    }
    conditions = conditions_of({}, tree)
    assert (conditions.beam_energy, conditions.convergence) == (60000.0, 27.5)


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=4),
        lambda branch: st.dictionaries(
            st.sampled_from(
                ["Optics", "BeamConvergence", "AccelerationVoltage", "Detectors", "BinaryResult"]
            ),
            branch,
            max_size=3,
        ),
        max_leaves=6,
    )
)
def test_no_tree_of_notes_breaks_the_reading(tree: object) -> None:
    conditions = conditions_of({}, tree if isinstance(tree, dict) else {})
    assert math.isnan(conditions.beam_energy) or 1e3 <= conditions.beam_energy <= 3e6
