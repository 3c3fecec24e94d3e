"""Why the report believes what it says: how strange every site is, and what chance alone would give."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

from ...plot.figures import chart_svg, new_chart
from ...plot.scores import plot_ratios, plot_z
from ...result import Result
from ..grain import place_name
from .markup import svg_uri, table
from .numbers import SPACE, listed, number
from .words import method_of, place_words

MIN_FLAGS = 30  # fewer have no modes to speak of
_Gates = tuple[float | None, float | None]
_COMPARED = {
    "deviation": "Every site is compared with its nearest equals; z is the departure in units of chance, "
    "the ratio the brightness itself.",
    "patterson": "The surroundings of every site are compared with those of its equals by their Patterson "
    "function; z is their strangeness in units of chance, with the sign of the change in brightness, the "
    "ratio the brightness itself.",
}
_LIMITS = {
    "deviation": "A flag must pass both dashed limits: that of z (left chart), which chance rarely passes, "
    "and that of the ratio (right chart), which small departures do not pass; a bright site must pass the "
    "latter by more than chance allows. Displaced columns are found by their place, whatever their light.",
    "patterson": "A flag must pass the dashed limit of z (left chart), which chance rarely passes, and that "
    "of the ratio (right chart), unless the column is displaced: what is strange only because its neighbour "
    "is, is not called.",
}


def scores_html(result: Result) -> str:
    """For each sublattice of each grain the histograms of z and ratio, with their numbers."""
    method = method_of(result)
    intro = (
        f"<p>{_COMPARED.get(method, '')} Grey bars are perfect sites, coloured bars the defects; the line is "
        f"what chance alone would give. {_LIMITS.get(method, '')} Counts are on a logarithmic scale.</p>"
    )
    return intro + "".join(
        _sublattice(result, one, grain["grain"]) for grain in result.grains for one in grain["sublattices"]
    )


def _sublattice(result: Result, one: dict[str, Any], grain: int) -> str:
    own = (result.sites["sublattice"] == one["name"]) & (result.sites["grain"] == grain)
    sites = result.sites[own]
    place = place_name(str(one["name"]), grain if len(result.grains) > 1 else None)
    name = escape(place)
    flagged = [f"{one['n_dark']:,} flagged as too dark"] if not one["hollow"] else []
    flagged += [f"{one['n_bright']:,} flagged as too bright"]
    flagged += [f"{one['n_shifted']:,} as displaced"] if one.get("n_shifted") else []
    told = f"{one['n_tested']:,} of {one['n_sites']:,} sites tested; {listed(flagged)}."
    pictures = "".join(
        f'<img src="{svg_uri(svg)}" alt="{what} on {name}">'
        for what, svg in _charts(sites, one, _ratio_gates(result, one)).items()
    )
    title = escape(place_words(place))
    return f'<h3>{title}</h3><p>{told}</p><div class="pair">{pictures}</div>{_modes_table(one)}'


def _charts(sites: pd.DataFrame, one: dict[str, Any], gates: _Gates) -> dict[str, str]:
    charts = {}
    if sites["z"].notna().any():
        null = (one["null_centre"] or 0.0, one["null_width"] or 1.0)
        figure, ax = new_chart()
        plot_z(sites, null=null, dark=one["z_dark"], bright=one["z_bright"], ax=ax)
        charts["scores"] = chart_svg(figure)
    if charts and sites["ratio"].notna().any():
        figure, ax = new_chart()
        plot_ratios(sites, modes=_modes(one), dark=gates[0], bright=gates[1], ax=ax)
        charts["ratios"] = chart_svg(figure)
    return charts


def _ratio_gates(result: Result, one: dict[str, Any]) -> _Gates:
    """The ratios beyond which a departure counts; a hollow has nothing to lose."""
    dark, bright = result.summary.get("min_dark"), result.summary.get("min_bright")
    return (
        None if dark is None or one["hollow"] else 1 - dark,
        None if bright is None else 1 + bright,
    )


def _modes(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The modes of the flagged ratios; none where they are too few to tell, or all of one sort."""
    enough = one["n_dark"] + one["n_bright"] >= MIN_FLAGS and len(one["modes"]) >= 2
    return list(one["modes"]) if enough else []


def _modes_table(one: dict[str, Any]) -> str:
    def overlap(value: float | None) -> str:
        return f"<{SPACE}0.001" if value is not None and value < 0.001 else number(value)

    rows = [
        [*(number(mode[key]) for key in ("ratio", "spread", "share")), overlap(mode["overlap"])]
        for mode in _modes(one)
    ]
    head = ("flagged sites around ratio", "spread", "share", "overlap with the others")
    return table(rows, head=head) if rows else ""
