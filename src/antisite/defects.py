"""The table of defects: its fields, its kinds, and how to make one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SCHEMA_VERSION = 2

POINT_KINDS = (
    "vacancy",
    "partial_vacancy",
    "substitution",
    "interstitial",
    "antisite",
    "bright_site",
    "dim_site",
    "complex",
)
PLANAR_KINDS = (
    "stacking_fault",
    "twin_boundary",
    "grain_boundary",
    "antiphase_boundary",
    "phase_boundary",
    "planar_defect",
)
LINE_KINDS = (*PLANAR_KINDS, "dislocation")
KINDS = ("none", *POINT_KINDS, *LINE_KINDS, "contamination", "hole", "other")

# field: (dtype, value where nothing is known)
FIELDS: dict[str, tuple[str, Any]] = {
    "id": ("int64", -1),
    "image": ("str", ""),
    "frame": ("int64", 0),
    "kind": ("str", "none"),
    "species": ("str", ""),
    "y": ("float64", np.nan),
    "x": ("float64", np.nan),
    "dy": ("float64", np.nan),
    "dx": ("float64", np.nan),
    "y_A": ("float64", np.nan),
    "x_A": ("float64", np.nan),
    "length": ("float64", np.nan),
    "width": ("float64", np.nan),
    "angle": ("float64", np.nan),
    "path": ("str", ""),
    "grain": ("int64", 0),
    "sublattice": ("str", ""),
    "ratio": ("float64", np.nan),
    "z": ("float64", np.nan),
    "score": ("float64", np.nan),
    "p_value": ("float64", np.nan),
    "q_value": ("float64", np.nan),
    "probability": ("float64", np.nan),
    "prediction_set": ("str", ""),
    "misorientation": ("float64", np.nan),
    "mirror": ("boolean", pd.NA),
    "rx": ("float64", np.nan),
    "ry": ("float64", np.nan),
    "bx": ("float64", np.nan),
    "by": ("float64", np.nan),
    "method": ("str", ""),
}


def table_fields(n_channels: int = 1) -> dict[str, tuple[str, Any]]:
    """The fields in their order; several channels add `ratio_1`, `ratio_2`, … after `ratio`."""
    fields: dict[str, tuple[str, Any]] = {}
    for name, spec in FIELDS.items():
        fields[name] = spec
        if name == "ratio" and n_channels > 1:
            fields |= {f"ratio_{i + 1}": ("float64", np.nan) for i in range(n_channels)}
    return fields


def defect_table(columns: Mapping[str, Any] | None = None, *, n_channels: int = 1) -> pd.DataFrame:
    """A table with every field of the contract, in its order and of its type.

    Parameters
    ----------
    columns : the fields that are known, arrays of one length or scalars; the rest are filled.
    n_channels : how many detectors the image has.

    Examples
    --------
    >>> defect_table({"y": [1.0, 2.0], "kind": "vacancy"})[["id", "kind", "y"]].values.tolist()
    [[0, 'vacancy', 1.0], [1, 'vacancy', 2.0]]
    >>> len(defect_table())
    0
    """
    columns = columns or {}
    fields = table_fields(n_channels)
    unknown = sorted(set(columns) - set(fields))
    if unknown:
        raise KeyError(f"not fields of the defect table: {unknown}")
    lengths = {len(values) for values in columns.values() if np.ndim(values)}
    if len(lengths) > 1:
        raise ValueError(f"the fields of a table must be of one length, got lengths {sorted(lengths)}")
    n = lengths.pop() if lengths else 0
    filled = {name: columns.get(name, default) for name, (_, default) in fields.items()}
    if "id" not in columns:
        filled["id"] = np.arange(n)
    return pd.DataFrame(
        {
            name: pd.Series(filled[name], index=pd.RangeIndex(n), dtype=dtype)
            if np.ndim(filled[name]) == 0
            else pd.Series(np.asarray(filled[name]), dtype=dtype)
            for name, (dtype, _) in fields.items()
        }
    )


def path_text(path: NDArray[np.floating]) -> str:
    """What the field `path` says of a line (n, 2) px as (y, x): well-known text, x first.

    Examples
    --------
    >>> path_text(np.array([[0.0, 1.0], [2.5, 3.0]]))
    'LINESTRING (1 0, 3 2.5)'
    """
    return "LINESTRING (" + ", ".join(f"{x:.10g} {y:.10g}" for y, x in path) + ")"
