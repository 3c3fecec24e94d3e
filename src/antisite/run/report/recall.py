"""What the self-check says, read off its numbers: recall at a strength, and the rates that were realised."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from ..grain import place_name
from .numbers import SPACE, chance, interval, listed, percent
from .words import has_lattice, place_words

NOTHING_PLANTED = (
    "What would have been missed could not be measured: no site looks perfect enough to plant a defect."
)
_MANY = 3  # curves that a sentence can name one by one
NOT_CHECKED = (
    "What would have been missed was not measured: the self-check was left out. Run antisite detect without "
    "--no-self-check to plant known defects into this image and count how many of them are found."
)


def check_of(result: Result) -> dict[str, Any] | None:
    """The self-check of a result, None where it was skipped or there is no lattice."""
    return result.summary.get("self_check") or None


def recall_at(entry: dict[str, Any], change: float) -> tuple[float, float, float]:
    """Recall and its 95 % limits at a change of either sign, between the points of the fitted curve."""
    curve = sorted(entry["curve"], key=lambda point: abs(point["change"]))
    at = [abs(point["change"]) for point in curve]

    def between(key: str) -> float:
        return float(np.interp(abs(change), at, [point[key] for point in curve]))

    return between("recall"), between("low"), between("high")


def entry_name(entry: dict[str, Any], *, several: bool) -> str:
    """The sublattice of a curve, and its grain where there are several."""
    return place_name(str(entry["sublattice"]), entry["grain"] if several else None)


def realised_words(result: Result) -> str:
    """Which share of the discoveries was false when the truth was known."""
    check = check_of(result)
    if check is None or not check["recall"]:
        return ""
    now, nominal, used = check["realised"], check["fdr_nominal"], check["fdr_used"]
    if not now["n_discoveries"]:
        return "With known defects planted into this image nothing was called, true or false."
    if used < nominal:
        return (
            f"With known defects planted into this image, at the {percent(nominal)} asked for, "
            f"{_rate(check['realised_nominal'])}. The level was therefore tightened to {percent(used)} on "
            f"this image, where {_rate(now)}."
        )
    return f"With known defects planted into this image, {_rate(now)}."


def _rate(realised: dict[str, Any]) -> str:
    reach = interval(100 * realised["low"], 100 * realised["high"], 2)
    return (
        f"{realised['n_false']:,} of {realised['n_discoveries']:,} discoveries were false: "
        f"{percent(realised['rate'])} (95{SPACE}% interval {reach}{SPACE}%, that of one round, for all have "
        "the same noise)"
    )


def missed_words(result: Result) -> list[str]:
    """What would have been found, and so what missed, in sentences; one that says so where not measured."""
    if not has_lattice(result):
        return []
    check = check_of(result)
    if check is None:
        return [NOT_CHECKED]
    if not check["recall"]:
        return [NOTHING_PLANTED]
    several = len(result.grains) > 1
    named = [entry | {"sublattice": entry_name(entry, several=several)} for entry in check["recall"]]
    columns = [entry for entry in named if not entry["hollow"]]
    dark = [entry for entry in columns if entry["side"] == "dark"]
    bright = [entry for entry in columns if entry["side"] == "bright"]
    hollow = [entry for entry in named if entry["hollow"]]
    words = []
    if dark:
        words.append(
            f"A column 30 % dimmer than its equals is found with probability {_chances(dark, -0.3)}; "
            f"of missing columns {_of_hundred(dark, -1.0)} are found."
        )
    if bright:
        words.append(
            f"A column 50 % brighter than its equals is found with probability {_chances(bright, 0.5)}."
        )
    if hollow:
        words.append(
            f"An extra atom in a hollow with half the light of a column is found with probability "
            f"{_chances(hollow, 0.5)}."
        )
    return words


def _chances(entries: list[dict[str, Any]], change: float) -> str:
    return _each(entries, [chance(recall_at(entry, change)[0]) for entry in entries], change)


def _of_hundred(entries: list[dict[str, Any]], change: float) -> str:
    return _each(entries, [_hundred(recall_at(entry, change)[0]) for entry in entries], change)


def _hundred(recall: float) -> str:
    return "nearly all" if recall >= 0.995 else f"{round(100 * recall)} of 100"


def _each(entries: list[dict[str, Any]], words: list[str], change: float) -> str:
    """The words once where all agree, each with its place where there are few, else from worst to best."""
    if len(set(words)) == 1:
        return words[0]
    places = [place_words(str(entry["sublattice"])).replace(" ", SPACE) for entry in entries]
    told = [f"{word} ({place})" for word, place in zip(words, places, strict=True)]
    if len(told) <= _MANY:
        return listed(told)
    order = np.argsort([recall_at(entry, change)[0] for entry in entries], kind="stable")
    return f"{told[order[0]]} to {told[order[-1]]}"


def limit_words(entry: dict[str, Any]) -> str:
    """From which change on defects are found with the stated probability; a dash where none is."""
    limit = entry["limit"]
    if limit is None:
        return "–"
    sign = "+" if limit["change"] > 0 else ""
    weak, strong = sorted((100 * limit["low"], 100 * limit["high"]), key=abs)
    reach = f"({sign}{interval(weak, strong, 2)}{SPACE}%)"
    return f"{sign}{percent(limit['change'])} {reach}".replace(" ", SPACE)


def full_run_words(result: Result) -> str:
    """Whether a whole run from the pixels on found as many as scoring alone."""
    check = check_of(result)
    run = check and check.get("full_run")
    if not run:
        return ""
    return (
        f"A whole run from the pixels on, lattice and all, found {run['n_found']:,} of {run['n_planted']:,} "
        f"planted defects, weak ones among them; scoring alone found {run['n_scored']:,}."
    )
