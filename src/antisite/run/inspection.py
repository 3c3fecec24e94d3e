"""One file in: what it says about itself, what lattice is seen, and a picture of the motif."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AntisiteError, NoLatticeError
from ..io.images import SignalInfo, describe_file
from ..io.writing import write_bytes
from ..plot.inspect import inspect_png
from .batch import Outcome, failed_status, result_folder
from .pipeline import inspect_crystal
from .reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectFile:
    """Look at one file and leave `inspect.png`; call it with a path.

    The picture is replaced when it exists; nothing else in the folder is touched.

    Parameters
    ----------
    out : folder that gets a folder for each input.
    reading : how the file is read.
    lattice_constant : Å, NaN when unknown.
    """

    out: Path
    reading: Reading = field(default_factory=Reading)
    lattice_constant: float = math.nan

    def __call__(self, path: Path) -> Outcome:
        """Describe, read, look and draw."""
        signals = tuple(describe_file(path))
        try:
            return self._look(path, signals)
        except NoLatticeError as error:
            return Outcome(path=path, status="no_lattice", message=str(error), signals=signals)
        except AntisiteError as error:
            return Outcome(path=path, status=failed_status(error), message=str(error), signals=signals)

    def _look(self, path: Path, signals: tuple[SignalInfo, ...]) -> Outcome:
        image = self.reading(path)
        result = inspect_crystal(image, lattice_constant=self.lattice_constant)
        folder = result_folder(self.out, path)
        write_bytes(folder / "inspect.png", inspect_png(result))
        return Outcome(path=path, status="done", folder=folder, summary=result.summary, signals=signals)
