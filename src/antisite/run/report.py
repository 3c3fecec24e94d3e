"""The report: one HTML file that needs nothing else, and is the same for the same result."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from .. import __version__
from ..plot.defects import kind_words
from ..result import Result
from .report_crystal import crystal_html
from .report_evidence import gallery_html, scores_html, table_html
from .report_image import image_html
from .report_markup import fact_list, prose, swatch, table
from .report_words import (
    MEANINGS,
    UNITS,
    coverage,
    density_rows,
    density_words,
    false_share,
    headline,
    no_lattice_words,
    number,
    place_words,
    scale_words,
)


def report_html(result: Result) -> str:
    """The whole report: words, image with overlays, scores, gallery, table, lattice, settings.

    Parameters
    ----------
    result : what was found; its provenance gives the settings, its clock time is left out.

    Returns
    -------
    One HTML document with all pictures inside, below 10 MB.
    """
    template = Template(files(__package__).joinpath("report_template.html").read_text(encoding="utf-8"))
    found = bool(result.summary.get("lattice_found"))
    sections = [
        _section("Image", image_html(result)),
        _section("How strange every site is", scores_html(result)) if found else "",
        _section("Defects beside the perfect crystal", gallery_html(result)) if len(result.defects) else "",
        _section("Table", table_html(result)) if len(result.defects) else "",
        _section("Lattice and conditions", crystal_html(result)),
        _section("Settings", _settings(result)),
    ]
    return template.substitute(
        title=escape(result.image.name or "image"),
        frame=f"frame {result.image.frame}" if result.image.frame else "",
        headline=prose(headline(result)),
        summary=_summary(result),
        sections="\n".join(sections),
        version=escape(__version__),
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>\n{body}\n</section>"


def _summary(result: Result) -> str:
    words = [no_lattice_words(result), false_share(result), coverage(result), scale_words(result)]
    paragraphs = "".join(f"<p>{prose(text)}</p>" for text in words if text)
    warnings = [str(text) for text in result.summary.get("warnings", ())]
    items = "".join(f"<li>{prose(text)}</li>" for text in warnings)
    boxed = f'<div class="warnings"><strong>Please note</strong><ul>{items}</ul></div>' if items else ""
    return _densities(result) + paragraphs + boxed


def _densities(result: Result) -> str:
    """How dense each kind is, with what the kind means."""
    rows = density_rows(result)
    if not rows:
        return ""
    unit = next((f" [{UNITS[row['per']]}]" for row in rows if row["per"]), "")
    head = ("kind", "number", f"density{unit}", "95 % interval")
    first = {row["kind"]: i for i, row in reversed(list(enumerate(rows)))}
    cells = [
        (_density_name(row, explain=first[row["kind"]] == i), number(row["n"]), *density_words(row))
        for i, row in enumerate(rows)
    ]
    return table(cells, head=head, name="densities")


def _density_name(row: dict[str, Any], *, explain: bool) -> str:
    name = swatch(row["kind"]) + escape(kind_words(row["kind"], row["n"]))
    where = place_words(row["sublattice"]).replace(" ", "\N{NO-BREAK SPACE}")
    place = "" if row["sublattice"] == "all" else f", {where}"
    meaning = MEANINGS.get(row["kind"], "") if explain else ""
    return f'{name}{escape(place)}<span class="meaning">{escape(meaning)}</span>'


def _settings(result: Result) -> str:
    told = dict(result.provenance.get("settings") or {"fdr": result.summary.get("fdr")})
    facts = [(str(name).replace("_", " "), _plain(value)) for name, value in told.items()]
    digest = str(result.provenance.get("pixels_sha256", ""))
    return fact_list([("antisite", __version__), *facts, ("SHA-256 of the pixels", digest)])


def _plain(value: Any) -> str:
    """A setting as text; of a path only the name, so that no folder of a machine is told."""
    if isinstance(value, float):
        return number(value)
    return str(value).replace("\\", "/").rsplit("/", 1)[-1]
