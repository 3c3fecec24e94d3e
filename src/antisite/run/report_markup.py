"""Small pieces of HTML that every part of the report is made of."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from ..plot.defects import look, outline


def prose(text: str) -> str:
    """Words as HTML; options of the command line do not break over lines."""
    return re.sub(r"(--[a-z-]+)", r"<code>\1</code>", escape(text))


def picture_uri(png: bytes) -> str:
    """The picture itself as an address."""
    return "data:image/png;base64," + b64encode(png).decode("ascii")


def table(
    rows: Iterable[Sequence[str]], *, head: Sequence[str] = (), n_left: int = 1, name: str = "facts"
) -> str:
    """A table of cells that are HTML already; the first `n_left` columns are aligned left.

    `name` is its class in the style sheet.
    """
    top = f"<thead><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table class="{name} left{n_left}">{top}<tbody>\n{body}</tbody></table></div>'
    )


def fact_list(facts: Iterable[tuple[str, str]]) -> str:
    """Names and what is known of them; what is empty is left out."""
    items = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts if v)
    return f"<dl>{''.join(items)}</dl>"


def swatch(kind: str) -> str:
    """The mark of a kind, small, to stand before its name."""
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in outline(kind, 6.0))
    shape = f'<polygon points="{points}" fill="none" stroke="{look(kind).colour}" stroke-width="2.4"/>'
    return f'<svg class="swatch" viewBox="-10 -10 20 20" aria-hidden="true">{shape}</svg>'
