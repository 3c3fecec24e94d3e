"""Everything that a run may be told, once: for Python, the command line and settings files alike."""

from __future__ import annotations

from math import inf
from typing import Literal, get_args

from .choice import Choice

Method = Literal["deviation", "patterson"]
PattersonInput = Literal["raw", "semantic"]
PattersonModel = Literal["one-class-svm", "mahalanobis"]


def _nanometres(value: float) -> str:
    return f" (did you mean {10 * value:g}?)" if 0.1 <= value < 1 else ""


def _percent(value: float) -> str:
    return f" (did you mean {value / 100:g}?)" if 1 < value <= 100 else " (30 % is 0.3)"


def _from_zero(value: float) -> bool:
    return 0 <= value < inf


CHOICES = (
    Choice(
        field="seed",
        table="",
        key="seed",
        takes="a whole number",
        about="Of the random numbers: same seed, same bytes.",
        must="be 0 or more",
        holds=_from_zero,
    ),
    Choice(
        field="signal",
        table="read",
        key="signal",
        takes="text",
        about="Signal to use when a file holds several ('antisite inspect' lists them).",
        example='"HAADF"',
    ),
    Choice(
        field="frame",
        table="read",
        key="frame",
        takes="a whole number",
        about="Frame of a stack, from 0.",
        must="be 0 or more",
        holds=_from_zero,
        example="0",
    ),
    Choice(
        field="sum_frames",
        table="read",
        key="sum",
        takes="true or false",
        about="Add all frames of a stack (they must be aligned).",
        example="true",
    ),
    Choice(
        field="also",
        table="read",
        key="also",
        takes="a file",
        about="Second detector of the same scan; exactly one FILE before it. Of several signals it gives "
        "the one called --signal; the same FILE gives the other one of its two.",
        example='"ADF2.dm4"',
    ),
    Choice(
        field="region",
        table="read",
        key="region",
        takes="a region",
        about="Look only here, in px from the top left; coordinates stay those of the whole image.",
        example='"0:512,100:400"',
    ),
    Choice(
        field="mask",
        table="read",
        key="mask",
        takes="a file",
        about="Image of the same shape; pixels that are not 0 in it are ignored.",
        example='"mask.png"',
    ),
    Choice(
        field="pixel_size",
        table="read",
        key="pixel_size",
        takes="a number",
        about="Å per pixel, instead of what the file says.",
        must="be a positive number of Å per pixel",
        holds=lambda value: 0 < value < inf,
        example="0.2",
    ),
    Choice(
        field="lattice_constant",
        table="read",
        key="lattice_constant",
        takes="a number",
        about="Length of the shortest lattice vector in Å; gives the scale, or checks that of the file.",
        must="be 1 to 100 Å",
        holds=lambda value: 1 <= value <= 100,
        hint=_nanometres,
        example="3.32",
    ),
    Choice(
        field="method",
        table="detect",
        key="method",
        takes="text",
        about="deviation: every site against its own sublattice nearby; "
        "patterson: Patterson functions of whole cells against each other.",
        words=get_args(Method),
    ),
    Choice(
        field="fdr",
        table="detect",
        key="fdr",
        takes="a number",
        about="Share of false discoveries accepted among the defects, 0 to 1.",
        must="lie between 0 and 1",
        holds=lambda value: 0 < value < 1,
        hint=lambda _: " (5 % is 0.05)",
    ),
    Choice(
        field="min_dark",
        table="detect",
        key="min_dark",
        takes="a number",
        about="Least loss of brightness that counts, as a share of the column's.",
        must="be 0 to 1",
        holds=lambda value: 0 <= value <= 1,
        hint=_percent,
    ),
    Choice(
        field="min_bright",
        table="detect",
        key="min_bright",
        takes="a number",
        about="Least gain of brightness that counts, as a share of the column's.",
        must="be 0 to 5",
        holds=lambda value: 0 <= value <= 5,
        hint=_percent,
    ),
    Choice(
        field="patterson_input",
        table="patterson",
        key="input",
        takes="text",
        about="What the Patterson functions are taken of: raw, the pixels; "
        "semantic, equal spots at the positions of the columns.",
        words=get_args(PattersonInput),
    ),
    Choice(
        field="patterson_model",
        table="patterson",
        key="model",
        takes="text",
        about="How cells are compared: one-class-svm, as published; mahalanobis, a robust distance.",
        words=get_args(PattersonModel),
    ),
    Choice(
        field="planar",
        table="planar",
        key="run",
        takes="true or false",
        about="Look for boundaries, faults and dislocations, and map the strain.",
    ),
    Choice(
        field="self_check",
        table="self_check",
        key="run",
        takes="true or false",
        about="Plant known defects in the image and say what would have been missed.",
    ),
)
"""In the order of a settings file; a further step adds its choices here, and a dataclass of these fields."""

BY_FIELD = {choice.field: choice for choice in CHOICES}
TABLES = tuple(dict.fromkeys(choice.table for choice in CHOICES))
ABOUT_TABLES = {
    "read": "Every FILE is read in the same way.",
    "detect": "What counts as a defect.",
    "patterson": 'Used when the method of [detect] is "patterson".',
    "planar": "Boundaries, faults, dislocations and strain.",
    "self_check": "What would have been missed.",
}
