"""The whole page, from its parts."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

from ... import __version__
from ...plot.defects import count_kinds
from ...result import Result
from .crystal import crystal_html
from .defect_table import table_html
from .densities import densities_html
from .gallery import gallery_html
from .image import image_html
from .markup import prose, swatch_shapes
from .methods import methods_html
from .overview import overview_html
from .planar import planar_html
from .scores import scores_html
from .self_check import self_check_html
from .settings import settings_html
from .words import has_lattice, headline


def report_html(result: Result) -> str:
    """The whole report: words, image with table, self-check, scores, gallery, lattice, methods, settings.

    Parameters
    ----------
    result : what was found; its provenance gives the settings, its clock time is left out.

    Returns
    -------
    One HTML document with all pictures inside, below 10 MB.
    """
    found, some = has_lattice(result), bool(len(result.defects))
    explored = f'<div class="explore">{image_html(result)}{table_html(result)}</div>' if some else ""
    parts = {
        "Image and defects" if some else "Image": explored or image_html(result),
        "Grains, boundaries and dislocations": planar_html(result) if found else "",
        "Densities": densities_html(result),
        "What would have been missed": self_check_html(result) if found else "",
        "How strange every site is": scores_html(result) if found else "",
        "Defects beside the perfect crystal": gallery_html(result) if some else "",
        "Lattice and conditions": crystal_html(result),
        "Methods, to paste into a paper": methods_html(result) if found else "",
        "Settings": settings_html(result),
    }
    told = {title: body for title, body in parts.items() if body}
    return Template(_beside("report.html")).substitute(
        title=escape(result.image.name or "image"),
        frame=f"frame {result.image.frame}" if result.image.frame else "",
        style=_beside("report.css"),
        script=_beside("view.js") + _beside("links.js"),
        shapes=swatch_shapes(count_kinds(result.defects)),
        headline=prose(headline(result)),
        overview=overview_html(result),
        contents="".join(f'<a href="#{_anchor(title)}">{title}</a>' for title in told),
        sections="\n".join(
            f'<section id="{_anchor(title)}"><h2>{title}</h2>\n{body}\n</section>'
            for title, body in told.items()
        ),
        version=escape(__version__),
    )


def _beside(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _anchor(title: str) -> str:
    return title.split(",")[0].lower().replace(" ", "-")
