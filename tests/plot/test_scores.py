from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from antisite.defects import defect_table
from antisite.plot.defects import look
from antisite.plot.scores import PERFECT, plot_ratios, plot_z


def _sites(n=2000, kinds=()):
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.normal(size=n), [-9.0] * len(kinds)])
    kind = np.array(["none"] * n + list(kinds), dtype=object)
    return defect_table({"z": z, "ratio": 1 + z / 20, "kind": kind})


def _bars(ax):
    return {to_rgba(p.get_facecolor()): p for p in ax.patches}


def test_the_bars_count_every_site_once():
    bars = _bars(plot_z(_sites(kinds=["vacancy", "vacancy", "dim_site"])))
    perfect = bars[to_rgba(PERFECT)].get_data()
    assert perfect.values.sum() == 2000
    stacked = bars[to_rgba(look("vacancy").colour)].get_data().values - perfect.values
    assert stacked.sum() == 2


def test_sites_without_z_are_left_out():
    sites = _sites()
    sites.loc[:499, "z"] = np.nan
    assert _bars(plot_z(sites))[to_rgba(PERFECT)].get_data().values.sum() == 1500


def test_the_null_line_has_the_area_of_the_sites():
    ax = plot_z(_sites(), null=(0.3, 1.2))
    x, y = ax.lines[0].get_data()
    bars = _bars(ax)[to_rgba(PERFECT)].get_data()
    step = bars.edges[1] - bars.edges[0]
    assert np.trapezoid(y, x) / step == pytest.approx(2000, rel=1e-3)
    assert x[np.argmax(y)] == pytest.approx(0.3, abs=0.05)


def test_only_thresholds_that_exist_are_drawn():
    def thresholds(plot, **named):
        lines = plot(_sites(), **named).lines
        return [line.get_xdata()[0] for line in lines if line.get_gid() == "threshold"]

    assert thresholds(plot_z, dark=-4.0, bright=4.5) == [-4.0, 4.5]
    assert thresholds(plot_z, bright=4.5) == [4.5]
    assert thresholds(plot_z) == []
    assert thresholds(plot_ratios, dark=0.75) == [0.75]


def _last_ticks(ax):
    words = [tick.get_text() for tick in ax.get_xticklabels()]
    return [word for word in words if word[0] in "≤≥"]


def test_far_outliers_stand_in_open_bins_that_say_so():
    sites = _sites(kinds=["vacancy", "bright_site"])
    sites.loc[len(sites) - 2, "z"] = -500.0
    sites.loc[len(sites) - 1, "z"] = 70.0
    ax = plot_z(sites)
    assert _last_ticks(ax) == ["≤\N{NO-BREAK SPACE}−40", "≥\N{NO-BREAK SPACE}40"]
    last = _bars(ax)[to_rgba(look("bright_site").colour)].get_data()
    assert last.values[[0, -1]].tolist() == [1, 1]
    assert last.edges[[1, -2]].tolist() == [-40, 40]


def test_bins_that_hold_only_what_they_say_are_not_labelled():
    assert _last_ticks(plot_z(_sites(kinds=["vacancy"]))) == []
    assert _last_ticks(plot_ratios(_sites(kinds=["vacancy"]))) == []


def test_a_ratio_beyond_the_axis_stands_in_an_open_bin():
    sites = _sites(kinds=["bright_site"])
    sites.loc[len(sites) - 1, "ratio"] = 9.0
    assert _last_ticks(plot_ratios(sites)) == ["≥\N{NO-BREAK SPACE}4"]


def test_sites_of_holes_are_named_so_and_have_no_part_in_the_modes():
    modes = [{"ratio": 0.5, "spread": 0.08, "share": 1.0, "overlap": 0.0}]

    def top(kinds):
        return max(plot_ratios(_sites(kinds=kinds), modes=modes).lines[0].get_ydata())

    assert top(["vacancy"] * 5 + ["hole"] * 9) == pytest.approx(top(["vacancy"] * 5), rel=0.01)
    labels = [text.get_text() for text in plot_z(_sites(kinds=["hole"] * 9)).get_legend().texts]
    assert "in holes (9)" in labels


def test_every_mode_of_the_ratio_is_drawn():
    modes = [
        {"ratio": 1.0, "spread": 0.05, "share": 0.9, "overlap": 0.0},
        {"ratio": 0.5, "spread": 0.08, "share": 0.1, "overlap": 0.0},
    ]
    sites = _sites(kinds=["vacancy", "dim_site"])
    drawn = [line for line in plot_ratios(sites, modes=modes).lines if line.get_gid() == "mode"]
    tops = [line.get_xdata()[np.argmax(line.get_ydata())] for line in drawn]
    assert tops == pytest.approx([1.0, 0.5], abs=0.01)


@pytest.mark.parametrize("plot", [plot_z, plot_ratios])
def test_no_sites_make_an_empty_plot(plot):
    ax = plot(defect_table())
    assert all(patch.get_data().values.sum() == 0 for patch in ax.patches)
