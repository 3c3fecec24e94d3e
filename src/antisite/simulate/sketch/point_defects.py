"""Point defects on random sites of a perfect crystal."""

from __future__ import annotations

import pandas as pd
from numpy.random import Generator

from ...errors import InputError
from ..crystals.crystal import Crystal, sublattice_name

# Brightness, that of the perfect column being 1 (of the brightest column for an interstitial).
PARTIAL_VACANCY = 0.5
DIM_SUBSTITUTION = 0.4
BRIGHT_SUBSTITUTION = 1.6
INTERSTITIAL = 0.8


def plant_defects(
    sites: pd.DataFrame,
    crystal: Crystal,
    *,
    vacancies: float = 0.0,
    partial_vacancies: float = 0.0,
    dim_sites: float = 0.0,
    bright_sites: float = 0.0,
    interstitials: float = 0.0,
    rng: Generator,
) -> pd.DataFrame:
    """Sites with defects put on some of them, each site at most one; hollows left empty are dropped.

    Parameters
    ----------
    sites : columns `index` (of the crystal's column, −1 for a hollow), `brightness`, `kind`, `species`.
    vacancies : share of all columns that are empty.
    partial_vacancies : share of the paired columns that keep one atom, half as bright.
    dim_sites, bright_sites : share of the unpaired columns whose brightness is 0.4 and 1.6 times
        the perfect one (`substitution`).
    interstitials : share of the hollows that hold an atom 0.8 times as bright as the brightest column.

    Returns
    -------
    DataFrame
        The same columns and `sublattice`, without `index`.
    """
    sites = sites.copy()
    pairs = [i for i, column in enumerate(crystal.columns) if column.pair]
    column = sites["index"] >= 0
    paired = sites["index"].isin(pairs)
    hollow = ~column
    plan = [
        ("vacancy", vacancies, column, 0.0),
        ("partial_vacancy", partial_vacancies, paired, PARTIAL_VACANCY),
        ("substitution", dim_sites, column & ~paired, DIM_SUBSTITUTION),
        ("substitution", bright_sites, column & ~paired, BRIGHT_SUBSTITUTION),
        ("interstitial", interstitials, hollow, INTERSTITIAL),
    ]
    for kind, share, eligible, factor in plan:
        _plant(sites, eligible, kind, share, factor, rng)
    sites["sublattice"] = sites["index"].map(sublattice_name).astype("str")
    kept = sites[column | (sites["kind"] == "interstitial")]
    return kept.drop(columns="index").reset_index(drop=True)


def _plant(
    sites: pd.DataFrame, eligible: pd.Series, kind: str, share: float, factor: float, rng: Generator
) -> None:
    """Put one kind of defect on a share of the eligible sites that are still perfect."""
    if not 0 <= share <= 1:
        raise InputError(f"the share of {kind} sites must be 0 to 1, got {share:g}")
    free = sites.index[eligible & (sites["kind"] == "none")].to_numpy()
    n = min(round(share * int(eligible.sum())), len(free))
    chosen = rng.choice(free, n, replace=False)
    sites.loc[chosen, "kind"] = kind
    sites.loc[chosen, "brightness"] *= factor
    if kind != "partial_vacancy":
        sites.loc[chosen, "species"] = ""
