from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as Picture

from antisite.plot.figures import figure_png, new_figure, own_axes, pixels_png


def _drawn() -> bytes:
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1], [1, 0])
    return figure_png(figure, dpi=100)


def test_the_same_figure_gives_the_same_bytes():
    assert _drawn() == _drawn()


def test_a_png_has_the_size_asked_for_and_names_no_software():
    picture = Picture.open(BytesIO(_drawn()))
    assert picture.size == (200, 100)
    assert "Software" not in picture.info


def test_pixels_survive_the_png():
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    assert np.array_equal(np.asarray(Picture.open(BytesIO(pixels_png(pixels)))), pixels)


def test_given_axes_are_used_and_pyplot_knows_no_figure():
    import matplotlib.pyplot as plt

    ax = own_axes(None)
    assert own_axes(ax) is ax
    assert plt.get_fignums() == []
