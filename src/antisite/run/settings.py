"""Every setting of the search for defects, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .choices import BY_FIELD, Method, PattersonInput, PattersonModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user may choose.

    Parameters
    ----------
    method : `deviation` compares every site with its own sublattice nearby, `patterson` the Patterson
        functions of whole cells with each other.
    fdr : expected share of false defects among those reported.
    min_dark : least loss of brightness, as a share of the column's.
    min_bright : least gain of brightness, as a share of the column's.
    patterson_input : what `patterson` looks at: `raw`, the pixels, or `semantic`, equal spots at the
        positions of the columns.
    patterson_model : how `patterson` compares: `one-class-svm` as published, or `mahalanobis`, a robust
        distance.
    planar : look for boundaries, faults and dislocations, and map the strain.
    self_check : plant known defects in the image and say what would have been missed.
    seed : of everything random.

    Raises
    ------
    InputError
        A value is out of range; one sentence says which.

    Examples
    --------
    >>> Settings(fdr=0.01).fdr, Settings().method
    (0.01, 'deviation')
    """

    method: Method = "deviation"
    fdr: float = 0.05
    min_dark: float = 0.20
    min_bright: float = 0.30
    patterson_input: PattersonInput = "semantic"
    patterson_model: PattersonModel = "mahalanobis"
    planar: bool = True
    self_check: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            BY_FIELD[field.name].check(getattr(self, field.name))


def pick(noun: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values those that are fields of a dataclass, to build it with."""
    return {field.name: values[field.name] for field in fields(noun) if field.name in values}


DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Settings)}
"""Every setting that has a default; what is not among them is open unless it is given."""
