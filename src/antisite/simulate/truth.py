"""What is really in a simulated image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

CONVENTION = "x = column, y = row, px, pixel centre = integer, origin top left"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Every column of an image, and what is wrong with it.

    Parameters
    ----------
    sites : one row per site inside the frame: `y`, `x` [px], `kind`, `species` (empty where no
        atom is), `sublattice` ("A", "B", … or "hollow"), `brightness` (peak before blur; 0 where no atom is).
    crystal : name of the crystal.
    """

    sites: pd.DataFrame
    crystal: str = ""

    @property
    def defects(self) -> pd.DataFrame:
        """The sites that are not perfect."""
        return self.sites[self.sites["kind"] != "none"].reset_index(drop=True)


def truth_json(truth: Truth, *, image: str = "") -> str:
    """The truth in the layout of a label file, positions rounded to a hundredth of a pixel.

    Parameters
    ----------
    image : file name of the image it belongs to.
    """
    rows = truth.sites.sort_values(["y", "x"]).to_dict("records")
    objects = [
        {
            "x": round(row["x"], 2),
            "y": round(row["y"], 2),
            "label": row["kind"],
            "kind": "point",
            "species": row["species"],
            "sublattice": row["sublattice"],
        }
        for row in rows
    ]
    head = {
        "image": image,
        "material": truth.crystal,
        "convention": CONVENTION,
        "label_source": "simulated with antisite: exact",
        "note": "every site inside the frame; label is the kind of defect, none where the site is perfect",
    }
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in objects)
    return json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "objects": [\n{lines}\n]\n}}\n'


def write_truth(truth: Truth, path: str | Path, *, image: str = "") -> None:
    """Write the truth as a label file that `antisite evaluate --truth` reads."""
    Path(path).write_text(truth_json(truth, image=image), encoding="utf-8")
