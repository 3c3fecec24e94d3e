"""Maps of strain and rotation in the report, with what they can show."""

from __future__ import annotations

import math

from ...plot.defects import pixel_scale
from ...plot.strain import MAPS, has_strain, strain_png
from ...result import Result
from .markup import png_uri, prose
from .numbers import SPACE, fixed, number


def strain_html(result: Result, *, folded: bool = False) -> str:
    """The four maps with their words; behind a heading to click when `folded`, nothing without maps."""
    if not has_strain(result):
        return ""
    pictures = "".join(
        f'<img src="{png_uri(strain_png(result, name))}" alt="map of {name}">' for name in MAPS
    )
    words = f'<p class="quiet">{prose(strain_words(result))}</p>'
    body = f'<div class="strain">{pictures}</div>{words}'
    if folded:
        return f"<details><summary>Strain and rotation</summary>{body}</details>"
    return f"<h3>strain and rotation</h3>{body}"


def strain_words(result: Result) -> str:
    """Reference, resolution and noise floor."""
    several = len(result.summary["strain"].get("grains", ())) > 1
    against = ", each grain against its own mean lattice" if several else " against the mean lattice"
    return (
        f"Strain and rotation{against}; positive rotation turns +x towards +y (down). "
        f"{floor_words(result)} Hatched: nothing known. Drift and slow errors of the scan look like strain, "
        "most of all as bands along the rows."
    )


def floor_words(result: Result) -> str:
    """Resolution and noise floor in one sentence."""
    told = result.summary["strain"]
    noise = told["noise"]
    return (
        f"Resolution {length_words(result, told['resolution'])} (full width at half maximum); "
        f"the noise of the image alone would give {_share(noise.get('strain'))} of strain and "
        f"{_degrees(noise.get('rotation'))} of rotation (root mean square)."
    )


def length_words(result: Result, length: float) -> str:
    """A length in px, and in nm where the scale is known."""
    size = pixel_scale(result)
    known = "" if math.isnan(size) else f" ({number(length * size / 10, 2)}{SPACE}nm)"
    return f"{number(length, 2)}{SPACE}px{known}"


def _share(value: float | None) -> str:
    return "an unknown amount" if value is None else f"{number(100 * value, 2)}{SPACE}%"


def _degrees(value: float | None) -> str:
    return "an unknown amount" if value is None else f"{fixed(math.degrees(value), 3)}°"
