"""Small pieces of HTML that every part of the report is made of."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from ...plot.defects import look, outline
from ...plot.lines import LINES


def prose(text: str) -> str:
    """Words as HTML; options of the command line do not break over lines."""
    return re.sub(r"(--[a-z-]+)", r"<code>\1</code>", escape(text))


def paragraphs(texts: Iterable[str]) -> str:
    """One paragraph for each text that says anything."""
    return "".join(f"<p>{prose(text)}</p>" for text in texts if text)


def png_uri(png: bytes) -> str:
    """The picture itself as an address."""
    return _uri("image/png", png)


def svg_uri(svg: str) -> str:
    """The drawing itself as an address."""
    return _uri("image/svg+xml", svg.encode())


def text_uri(text: str) -> str:
    """The text itself as an address."""
    return _uri("text/plain;charset=utf-8", text.encode())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64," + b64encode(content).decode("ascii")


def table(rows: Iterable[Sequence[str]], *, head: Sequence[str], n_left: int = 1, name: str = "facts") -> str:
    """A table of cells that are HTML already; the first `n_left` columns are aligned left.

    Each cell carries its heading, which the style sheet shows where a narrow page stacks the cells.
    `name` is the class of the table.
    """
    top = "".join(f"<th>{cell}</th>" for cell in head)

    def line(row: Sequence[str]) -> str:
        return "".join(f'<td data-head="{title}">{cell}</td>' for title, cell in zip(head, row, strict=True))

    body = "".join(f"<tr>{line(row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table class="{name} left{n_left}"><thead><tr>{top}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>"
    )


def fact_list(facts: Iterable[tuple[str, str]]) -> str:
    """Names and what is known of them; what is empty is left out."""
    items = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts if v)
    return f"<dl>{''.join(items)}</dl>"


def swatch_shapes(kinds: Iterable[str]) -> str:
    """The small marks of all kinds, drawn once for every `swatch` of the page."""
    shapes = []
    for kind in kinds:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline(kind, 6.0))
        stroke = f'fill="none" stroke="{look(kind).colour}" stroke-width="2.4"'
        if kind in LINES and LINES[kind].dash:
            points = points.partition(" ")[0] + " " + points.split(" ")[1]
            stroke += f' stroke-dasharray="{" ".join(f"{2 * part:g}" for part in LINES[kind].dash)}"'
        shapes.append(f'<polygon id="swatch-{kind}" points="{points}" {stroke}/>')
    return f'<svg class="shapes" aria-hidden="true"><defs>{"".join(shapes)}</defs></svg>' if shapes else ""


def swatch(kind: str) -> str:
    """The mark of a kind, small, to stand before its name."""
    return (
        f'<svg class="swatch" viewBox="-10 -10 20 20" aria-hidden="true"><use href="#swatch-{kind}"/></svg>'
    )
