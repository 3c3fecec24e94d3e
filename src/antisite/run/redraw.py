"""The pictures of a result that exists, drawn again without computing it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..image import Image
from ..io.results import SUMMARY, read_result, read_tables
from ..io.writing import write_bytes
from ..plot.defects import overlay_png
from .batch import Outcome
from .provenance import pixels_sha256
from .reading import Reading
from .report import report_html
from .settings_file import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrawResult:
    """Draw `overlay.png` and `report.html` of one result again; call it with its folder.

    The image is read again as it was read then, and must have the same pixels. Nothing else in the
    folder is touched.

    Parameters
    ----------
    image : where the image is now, None where it was.
    """

    image: Path | None = None

    def __call__(self, folder: Path) -> Outcome:
        """Read, draw and replace."""
        _check_folder(folder)
        summary = read_tables(folder)[2]
        result = read_result(folder, image=self._read(summary, folder))
        try:
            pictures = {"overlay.png": overlay_png(result), "report.html": report_html(result).encode()}
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder / SUMMARY} must be as detect wrote it, and lacks or garbles "
                f"{str(error)[:80] or 'something'} (run detect again)"
            ) from error
        for name, content in pictures.items():
            write_bytes(folder / name, content, cure="make the folder writable")
        return Outcome(path=folder, status="done", folder=folder, summary=result.summary)

    def _read(self, summary: Mapping[str, Any], folder: Path) -> Image:
        told: Any = summary.get("provenance")
        try:
            path = self.image or Path(told["input"])
            digest, chosen = str(told["pixels_sha256"]), {"read": told["settings"].get("read", {})}
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(
                f"{folder / SUMMARY} must say what image it is of, and how that was read (run detect again)"
            ) from error
        if not path.is_file():
            raise InputError(f"its image must be at {path}, and is no longer there (give it with --image)")
        image = _reading(chosen, path, folder)(path)
        if pixels_sha256(image) != digest:
            raise InputError(
                f"its image must have the pixels that were looked at, and those of {path} differ "
                f"(give the right one with --image, or run detect again)"
            )
        return replace(image, name=str(summary.get("image") or image.name))


def _check_folder(folder: Path) -> None:
    """Refuse the folder that holds the folders of results."""
    if folder.is_dir() and not (folder / SUMMARY).exists():
        inner = sorted(path.parent for path in folder.glob(f"*/{SUMMARY}"))
        if inner:
            raise InputError(
                f"{folder} must be the folder of one image, and holds such folders "
                f"(give them: {inner[0]}{' …' if len(inner) > 1 else ''})"
            )


def _reading(tables: Mapping[str, Any], path: Path, folder: Path) -> Reading:
    """How the image was read; its mask and second detector may have moved together with it."""
    values = values_of(tables, str(folder / SUMMARY), folder=path.parent)
    for field in ("also", "mask"):
        if field in values and not values[field].exists():
            values[field] = path.parent / values[field].name
    return Reading.chosen(values)
