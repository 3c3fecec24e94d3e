"""One file in, the folder of its defects out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import NoLatticeError
from ..image import Image
from ..io.results import write_result
from ..io.tables import round_numbers
from ..plot.defects import overlay_png
from ..result import Result
from .batch import Outcome, result_folder
from .pipeline import find_defects, no_lattice_result
from .provenance import provenance
from .reading import Reading
from .report import report_html
from .settings import Settings, pick
from .settings_file import tables_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectFile:
    """Find the defects of one file and write them, with overlay and report; call it with a path.

    An image without a lattice leaves the same files; they say so.

    Parameters
    ----------
    out : folder that gets a folder for each input.
    overwrite : replace a result that exists.
    reading : how the file is read.
    settings : of the search.
    lattice_constant : Å, NaN when unknown.
    """

    out: Path
    overwrite: bool = False
    reading: Reading = field(default_factory=Reading)
    settings: Settings = field(default_factory=Settings)
    lattice_constant: float = math.nan

    @classmethod
    def chosen(cls, values: Mapping[str, Any], *, out: Path, overwrite: bool = False) -> DetectFile:
        """The detection of choices by field (`run.choices`)."""
        return cls(
            out=out,
            overwrite=overwrite,
            reading=Reading.chosen(values),
            settings=Settings(**pick(Settings, values)),
            lattice_constant=values.get("lattice_constant", math.nan),
        )

    def __call__(self, path: Path) -> Outcome:
        """Read, look, draw and write."""
        image = self.reading(path)
        found = self._look(image)
        result = replace(
            found,
            sites=_as_written(found.sites),
            defects=_as_written(found.defects),
            provenance={**found.provenance, **self._origin(image, path)},
        )
        folder = result_folder(self.out, path)
        pictures = {"overlay.png": overlay_png(result), "report.html": report_html(result).encode()}
        write_result(result, folder, overwrite=self.overwrite, extra=pictures)
        has_lattice = bool(result.summary["lattice_found"])
        return Outcome(
            path=path,
            status="done" if has_lattice else "no_lattice",
            message="" if has_lattice else str(result.summary["reason"]),
            folder=folder,
            summary=result.summary,
        )

    def _look(self, image: Image) -> Result:
        try:
            return find_defects(image, settings=self.settings, lattice_constant=self.lattice_constant)
        except NoLatticeError as error:
            return no_lattice_result(image, str(error))

    def _origin(self, image: Image, path: Path) -> dict[str, Any]:
        values = self.reading.told() | asdict(self.settings) | {"lattice_constant": self.lattice_constant}
        return provenance(image, path, settings=tables_of(values), seed=self.settings.seed)


def _as_written(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers as the files hold them, so that pictures drawn now and from the files are the same."""
    numbers = table.select_dtypes("float64")
    return table.assign(**{str(name): round_numbers(numbers[name].to_numpy()) for name in numbers})
