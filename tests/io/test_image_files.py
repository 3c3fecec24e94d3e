from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from antisite import read_image
from antisite.conditions import Conditions, Detector
from antisite.errors import OutputError
from antisite.image import Image
from antisite.io.image_files import tiff_bytes, write_hspy

RAMP = np.arange(12 * 17, dtype=np.float32).reshape(12, 17)
RINGS = (Detector(inner=70, outer=200), Detector(inner=30.5, outer=60))
CONDITIONS = Conditions(beam_energy=60e3, convergence=31.5, detectors=RINGS, dose=1e4)
IMAGE = Image(np.stack([RAMP, RAMP[::-1]]), pixel_size=0.123, conditions=CONDITIONS)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_a_tiff_keeps_pixels_type_and_scale(tmp_path: Path, dtype: type) -> None:
    from tifffile import imread

    pixels = RAMP.astype(dtype)
    (tmp_path / "a.tif").write_bytes(tiff_bytes(pixels, 0.123))
    assert imread(tmp_path / "a.tif").dtype == dtype
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, RAMP)
    assert image.pixel_size == pytest.approx(0.123, rel=1e-5)


def test_an_unknown_scale_stays_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff_bytes(RAMP))
    write_hspy(Image(RAMP), tmp_path / "a.hspy")
    assert math.isnan(read_image(tmp_path / "a.tif").pixel_size)
    assert math.isnan(read_image(tmp_path / "a.hspy").pixel_size)


@pytest.mark.parametrize("channel", [0, 1])
def test_hyperspys_file_keeps_one_channel_and_its_conditions(tmp_path: Path, channel: int) -> None:
    write_hspy(IMAGE, tmp_path / "a.hspy", channel=channel)
    image = read_image(tmp_path / "a.hspy")
    np.testing.assert_array_equal(image.pixels, IMAGE.channels[channel])
    assert image.pixel_size == 0.123
    known = image.conditions
    assert (known.beam_energy, known.convergence, known.detectors) == (60e3, 31.5, (RINGS[channel],))


def test_hyperspys_file_has_its_own_names_and_units(tmp_path: Path) -> None:
    from rsciio.hspy import file_reader

    write_hspy(IMAGE, tmp_path / "a.hspy", pixels=RAMP.astype(np.uint16))
    signal = file_reader(tmp_path / "a.hspy")[0]
    assert signal["data"].dtype == np.uint16
    assert [(axis["name"], axis["units"], axis["scale"]) for axis in signal["axes"]] == [
        ("y", "Å", 0.123),
        ("x", "Å", 0.123),
    ]
    microscope = signal["metadata"]["Acquisition_instrument"]["TEM"]
    assert (microscope["beam_energy"], microscope["convergence_angle"]) == (60.0, 31.5)
    assert microscope["Detector"] == {"inner_angle": 70.0, "outer_angle": 200.0}


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        write_hspy(IMAGE, tmp_path / folder / "a.hspy")
    first, again = ((tmp_path / folder / "a.hspy").read_bytes() for folder in ("1", "2"))
    assert first == again
    assert tiff_bytes(RAMP, 0.2) == tiff_bytes(RAMP, 0.2)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_hspy(IMAGE, tmp_path / "missing" / "a.hspy")
