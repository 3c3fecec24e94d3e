"""The settings as a text that gives the same result again."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from ... import __version__
from ...result import Result
from ..settings_text import settings_text
from .markup import fact_list, text_uri

_FILE = "settings.toml"


def settings_html(result: Result) -> str:
    """What was chosen, to be saved and given to `--settings`, and of which pixels it tells."""
    text = settings_text(_told(result), name=_FILE)
    shown = _active(text)
    digest = str(result.provenance.get("pixels_sha256", ""))
    seed = result.provenance.get("seed")
    facts = [("antisite", __version__), ("seed", "" if seed is None else str(seed))]
    return (
        f"<p>The same image with these settings gives this result again: save them and run "
        f"<code>antisite detect FILE --settings {_FILE}</code>.</p>"
        f"<pre>{escape(shown)}</pre>"
        f'<p class="buttons"><a class="button" download="{_FILE}" href="{text_uri(text)}">'
        f"save {_FILE}</a></p>" + fact_list([*facts, ("SHA-256 of the pixels", digest)])
    )


def _active(text: str) -> str:
    """The lines of a settings file that do something; a table without any is left out."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("["):
            parts.append([line])
        elif line and not line.startswith("#"):
            parts[-1].append(line)
    return "\n\n".join("\n".join(part) for part in parts if part and not part[-1].startswith("["))


def _told(result: Result) -> dict[str, Any]:
    """The tables of the settings; those that a run from Python leaves are in the summary."""
    tables = result.provenance.get("settings")
    if not tables:
        names = ("fdr", "min_dark", "min_bright")
        known = {name: result.summary[name] for name in names if result.summary.get(name) is not None}
        tables = {"detect": known}
    return {name: _plain(value) for name, value in tables.items()}


def _plain(value: Any) -> Any:
    """Of a path only the name, so that no folder of a machine is told."""
    if isinstance(value, Mapping):
        return {name: _plain(own) for name, own in value.items()}
    return value.replace("\\", "/").rsplit("/", 1)[-1] if isinstance(value, str) else value
