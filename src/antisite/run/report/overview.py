"""The top of the report: what a reader must know who reads nothing else."""

from __future__ import annotations

from ...result import Result
from .densities import density_words
from .markup import paragraphs, prose
from .numbers import number, percent
from .planar import how_dense
from .recall import check_of, missed_words, realised_words
from .words import coverage, has_lattice, no_lattice_words, point_rows, scale_words, scope


def overview_html(result: Result) -> str:
    """How dense, how sure, what would have been missed, what was analysed; then the warnings."""
    blocks = {
        "How dense": [density_words(result), how_dense(result)],
        "How sure": [realised_words(result), false_share(result)],
        "What would have been missed": missed_words(result),
        "What was analysed": [no_lattice_words(result), coverage(result), scale_words(result), scope(result)],
    }
    told = {title: body for title, texts in blocks.items() if (body := paragraphs(texts))}
    html = "".join(f"<div><h2>{title}</h2>{body}</div>" for title, body in told.items())
    return f'<div class="overview">{html}</div>' + warnings_html(result)


def warnings_html(result: Result) -> str:
    """What must be known before the numbers are believed."""
    warnings = [str(text) for text in result.summary.get("warnings", ())]
    items = "".join(f"<li>{prose(text)}</li>" for text in warnings)
    return f'<div class="warnings"><strong>Please note</strong><ul>{items}</ul></div>' if items else ""


def false_share(result: Result) -> str:
    """What share of the flags may be false, in words."""
    fdr = result.summary.get("fdr")
    if not fdr or not has_lattice(result):
        return ""
    check = check_of(result)
    level = min(fdr, check["fdr_used"]) if check else fdr
    n = len(point_rows(result))
    share = f": {number(level * n, 2)} of these {n:,}" if level * n >= 1 else ""
    return (
        f"The limits are meant to let about {percent(level, 3)} of the flagged sites, at most, be false "
        f"(the stated false-discovery rate){share}. They rest on a normal distribution of perfect sites; "
        f"contamination and strain can add to the false ones."
    )
