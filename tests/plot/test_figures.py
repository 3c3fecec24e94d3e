from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as Picture

from antisite.plot.figures import chart_svg, figure_png, new_chart, new_figure, own_axes, pixels_png


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


def _chart(n_entries=0):
    figure, ax = new_chart()
    for i in range(n_entries):
        ax.plot([0, 1], [0, i], label=f"line {i}")
    if n_entries:
        ax.legend(ncols=3)
    return figure, ax


def test_the_same_chart_gives_the_same_text_without_clock_or_place():
    first, second = (chart_svg(_chart(2)[0]) for _ in range(2))
    assert first == second
    assert "<dc:date>" not in first
    assert "DejaVu" not in first


def test_a_chart_makes_room_for_every_row_of_its_legend():
    def top(n):
        figure, ax = _chart(n)
        chart_svg(figure)
        return ax.get_position().y1

    assert top(0) > top(3) > top(4)
    assert top(1) == top(3)


def test_charts_share_their_margins():
    boxes = [_chart()[1].get_position() for _ in range(2)]
    assert boxes[0].bounds == boxes[1].bounds
