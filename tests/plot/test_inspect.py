from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Picture

from antisite.image import Image
from antisite.plot.inspect import inspect_png, plot_spectrum, reflections

VECTORS = np.array([[2.0, 14.0], [12.5, 8.0]])


def test_reflections_belong_to_the_lattice():
    spots = reflections(VECTORS)
    assert np.allclose(spots @ VECTORS.T, np.round(spots @ VECTORS.T))
    assert (np.linalg.norm(spots, axis=1) > 0.01).all()
    assert np.allclose(np.sort(spots, axis=0), np.sort(-spots, axis=0))


@pytest.mark.parametrize("shape", [(128, 128), (151, 127)])
def test_rings_lie_on_the_bright_spots_of_the_spectrum(shape):
    wave = np.linalg.inv(VECTORS).T[0]
    y, x = np.mgrid[: shape[0], : shape[1]]
    ax = plot_spectrum(Image(np.cos(2 * np.pi * (wave[0] * y + wave[1] * x))), [VECTORS])
    picture = ax.images[0]
    left, right, bottom, top = picture.get_extent()
    power = picture.get_array()
    i, j = np.unravel_index(np.argmax(power), power.shape)
    spot = np.array(
        [top + (i + 0.5) * (bottom - top) / len(power), left + (j + 0.5) * (right - left) / len(power)]
    )
    assert min(np.linalg.norm(spot - wave), np.linalg.norm(spot + wave)) < 1 / len(power)


def test_without_a_lattice_no_ring_is_drawn():
    ax = plot_spectrum(Image(np.random.default_rng(0).random((40, 40))))
    assert ax.lines[:] == []


def test_the_picture_repeats_byte_by_byte(make_result):
    assert inspect_png(make_result()) == inspect_png(make_result())


@pytest.mark.parametrize("case", ["no lattice", "no pixel size", "two channels", "no motif", "flat"])
def test_a_sparse_result_is_still_a_picture(make_result, no_lattice, case):
    result = {
        "no lattice": no_lattice,
        "no pixel size": make_result(pixel_size=math.nan),
        "two channels": make_result(n_channels=2),
        "no motif": replace(make_result(), maps={}),
        "flat": replace(no_lattice, image=Image(np.ones((12, 12)))),
    }[case]
    assert Picture.open(BytesIO(inspect_png(result))).format == "PNG"
