"""What the report says about the crystal and how it was recorded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...plot.defects import pixel_scale
from ...plot.figures import figure_png, new_figure
from ...plot.motif import plot_motif
from ...result import Result
from .markup import fact_list, png_uri
from .numbers import number


def crystal_html(result: Result) -> str:
    """What is known of lattice and recording, beside the mean cell; each further grain by itself."""
    facts = _condition_facts(result)
    if not result.grains:
        return fact_list([("lattice", "none found"), *facts])
    first, *others = result.grains
    head = "<h3>grain 0, the largest</h3>" if others else ""
    html = head + _pair([*_lattice_facts(first), *_image_facts(result), *facts], _motif(result, first))
    for grain in others:
        html += f"<h3>grain {grain['grain']}</h3>" + _pair(_lattice_facts(grain), _motif(result, grain))
    return html


def _pair(facts: list[tuple[str, str]], picture: str) -> str:
    if not picture:
        return fact_list(facts)
    return f'<div class="pair top"><div>{fact_list(facts)}</div>{picture}</div>'


def _motif(result: Result, grain: dict[str, Any]) -> str:
    """The mean cell of a grain as a picture, where it is known."""
    motif = result.maps.get(f"motif_{grain['grain']}" if grain["grain"] else "motif")
    if motif is None:
        return ""
    figure = new_figure(4.4, 4.4)
    ax = figure.add_axes((0, 0, 1, 1))
    vectors = np.array(grain["lattice"]["vectors"])
    plot_motif(motif, vectors, sublattices=grain["sublattices"], ax=ax)
    return f'<img class="motif" src="{png_uri(figure_png(figure, dpi=180))}" alt="the mean unit cell">'


def _lattice_facts(grain: dict[str, Any]) -> list[tuple[str, str]]:
    lattice, drift = grain["lattice"], grain["drift_rms"]

    def length(name: str) -> str:
        known = lattice.get(f"{name}_A")
        return f"{number(lattice[name], 4)} px" + (f" = {number(known, 4)} Å" if known else "")

    return [
        ("a", length("a")),
        ("b", length("b")),
        ("angle between them", f"{math.degrees(lattice['gamma']):.1f}°"),
        ("direction of a", f"{math.degrees(lattice['angle']):.1f}° from +x towards +y"),
        ("coherence", number(lattice["coherence"], 2)),
        ("nearest neighbours", f"{number(grain['nn'], 4)} px apart"),
        ("smooth distortion", f"{number(math.hypot(*drift), 2)} px rms, followed" if drift else ""),
    ]


def _image_facts(result: Result) -> list[tuple[str, str]]:
    return [("lattices in the image", number(result.summary["n_domains"]))]


def _condition_facts(result: Result) -> list[tuple[str, str]]:
    image, conditions = result.image, result.image.conditions

    def known(value: float, unit: str, factor: float = 1.0) -> str:
        return "unknown" if math.isnan(value) else f"{number(value * factor)} {unit}"

    rings = [
        f"{number(d.inner)} to {number(d.outer)} mrad"
        for d in conditions.detectors
        if not math.isnan(d.inner)
    ]
    return [
        (
            "image",
            f"{image.shape[0]} × {image.shape[1]} px"
            + f", {image.n_channels} detectors" * (image.n_channels > 1),
        ),
        ("pixel size", known(pixel_scale(result), "Å/px")),
        ("beam energy", known(conditions.beam_energy, "keV", 1e-3)),
        ("convergence", known(conditions.convergence, "mrad")),
        ("detector", "; ".join(rings) or "unknown"),
        ("dose", known(conditions.dose, "e/Å²")),
    ]
