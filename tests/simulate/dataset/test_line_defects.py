import numpy as np
import pytest

from antisite.errors import InputError
from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.crystals.scene import perfect_scene
from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.line_defects import LineDefects, check_lines, put_line
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Recording, Scan
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.truth.label_files import yolo_text
from antisite.simulate.truth.oriented_boxes import oriented_boxes
from antisite.simulate.truth.truth import scene_truth

KINDS_OF = {
    "tilt_boundary": {"grain_boundary"},
    "tilt_wall": {"grain_boundary"},
    "twin_boundary": {"twin_boundary"},
    "lamella": {"stacking_fault", "planar_defect"},
    "fault": {"stacking_fault"},
    "antiphase_boundary": {"antiphase_boundary"},
    "dislocation_dipole": set(),
}


def field_with(name, seed, specimen="WSe2"):
    scene = perfect_scene(find_specimen(specimen), shape=(120, 150), pixel_size=0.25, rotation=0.4, rng=seed)
    return scene, put_line(scene, name, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("name", KINDS_OF)
def test_every_line_is_in_the_frame_and_in_its_truth(name):
    for seed in range(12):
        truth = scene_truth(field_with(name, seed)[1])
        assert {line.kind for line in truth.lines} <= KINDS_OF[name]
        assert truth.lines or truth.cores
        assert bool(truth.cores) >= (name == "dislocation_dipole")


@pytest.mark.parametrize("specimen", ["graphene", "WSe2", "CdTe_110", "Au_110"])
def test_lines_that_would_not_show_are_drawn_again(specimen):
    for seed in range(8):
        before, after = field_with("twin_boundary", seed, specimen)
        inside = ((after.positions > 0) & (after.positions < after.shape)).all(axis=1)
        away = np.abs(after.positions[inside][:, None] - before.positions).max(axis=-1).min(axis=1)
        assert away.max() > 0.2


@pytest.mark.parametrize(("name", "specimen"), [("lamella", "Au_100"), ("twin_boundary", "SrTiO3_001")])
def test_crystal_that_a_line_cannot_change_is_named(name, specimen):
    with pytest.raises(InputError, match=f"must change the crystal, and leaves {specimen} as it is"):
        field_with(name, 1, specimen)


@pytest.mark.parametrize(
    ("case", "shape", "message"),
    [
        (
            {"specimen": "SrTiO3_001", "thickness": 4, "lines": {"fault": 0.1, "twin_boundary": 0.1}},
            (64, 64),
            "a twin boundary must change the crystal, and leaves SrTiO3_001 as it is",
        ),
        (
            {"specimen": "graphene", "lines": {"fault": 1}},
            (6, 200),
            "must be at least 22 px wide and high, to hold a column of graphene wherever it lies, got 6 px",
        ),
    ],
)
def test_stream_refuses_lines_before_anything_is_computed(case, shape, message, monkeypatch):
    monkeypatch.delattr("antisite.simulate.dataset.stream.prepare_cases")
    case = Case(**(case | {"lines": LineDefects(shares=case["lines"])}))
    with pytest.raises(InputError, match=message):
        PatchStream(cases=(case,), size=4, shape=shape)


def test_line_without_a_share_may_be_one_that_the_crystal_has_not():
    lines = LineDefects(shares={"fault": 0.1, "twin_boundary": 0})
    check_lines(lines, find_specimen("SrTiO3_001"), shape=(512, 512), pixel_size=0.2)


def test_shares_may_add_up_to_all_fields_but_for_rounding():
    lines = LineDefects(shares=dict.fromkeys(KINDS_OF, 0.15) | {"fault": 0.1 + 1e-15})
    assert sum(lines.shares.values()) > 1


def test_shares_are_those_of_the_fields():
    lines = LineDefects(shares={"fault": 0.2, "tilt_wall": 0.5})
    drawn = [lines.draw(np.random.default_rng(seed)) for seed in range(2000)]
    for name, share in (("fault", 0.2), ("tilt_wall", 0.5), ("", 0.3)):
        assert drawn.count(name) / 2000 == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"falt": 0.1}, "a line must be one of tilt_boundary, .* got 'falt'"),
        ({"fault": 0.7, "lamella": 0.4}, "at most 1 together"),
        ({"fault": -0.1}, "0 or more"),
    ],
)
def test_bad_shares_are_refused_in_a_sentence(shares, message):
    with pytest.raises(InputError, match=message):
        LineDefects(shares=shares)


def test_stream_labels_points_and_lines_with_boxes_where_the_scan_shows_them():
    case = Case(
        specimen="graphene",
        defects=PointDefects(vacancies={"C": 0.05}),
        lines=LineDefects(shares={"tilt_boundary": 0.6}),
        optics=Optics(beam_energy=60e3, static=True),
        recording=Recording(dose=1e5, scan=Scan(drift=4.0)),
    )
    stream = PatchStream(cases=(case,), size=16, shape=(96, 128), seed=2)
    kinds = []
    for number in range(8):
        _, image, truth = stream.image_of(number)
        boxes = oriented_boxes(truth)
        kinds.append(set(boxes["kind"]))
        text = yolo_text(boxes, shape=image.shape)
        assert text.count("\n") == len(boxes)
        for line in truth.lines:
            straight = np.linspace(0, 1, len(line.path))[:, None] * (line.path[-1] - line.path[0])
            assert np.abs(line.path - line.path[0] - straight).max() > 0.3  # bent by drift
    assert {"vacancy", "grain_boundary"} in kinds
    assert {"vacancy"} in kinds
