"""What the options of `antisite simulate` say together."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .options import UsageError, refused_as_usage

if TYPE_CHECKING:
    from ..conditions import Detector
    from ..run.simulation import Simulation

# the option's parameter, and the field of `PointDefects`
FORMS = {
    "vacancy": "vacancies",
    "column_vacancy": "column_vacancies",
    "dopant": "substitutions",
    "antisite": "antisites",
    "adatom": "adatoms",
    "interstitial": "interstitials",
    "complexes": "complexes",
}
BEAM = ("beam_energy", "convergence", "detector", "defocus", "cs", "static", "bright_field")
"""What an image to be matched does not tell of itself, or tells in its notes."""
_OPTICS = tuple(name for name in (*BEAM, "source_size") if name != "detector")
_CONDITIONS = ("beam_energy", "convergence", "detectors")
_SCAN = ("drift", "jitter", "flyback")
_READOUT = ("gain", "offset", "read_noise", "bits")
_FRAME = ("specimen", "size", "shape")
FOR_PERIODIC = {"periodic", *_FRAME, *BEAM, "source_size", "noiseless"}
"""What a structure's image may be told."""
FOR_LIKE = {"like", *_FRAME, *BEAM, *FORMS, "zone_axis", "thickness", "seed", "lattice_constant"}
"""What may be said beside an image that is to be matched."""
FOR_FIELDS = ("count", "layout", "patch", "scheduler")
"""What only many fields may be told."""


def join_pairs(arguments: list[str], flag: str = "--detector") -> list[str]:
    """Arguments in which the numbers after a flag are one word: Typer repeats no options of two.

    Examples
    --------
    >>> join_pairs(["WSe2", "--detector", "70", "200", "--seed", "1"])
    ['WSe2', '--detector', '70 200', '--seed', '1']
    """
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        joined.append(rest.pop(0))
        name, equals, _ = joined[-1].partition("=")
        numbers = list(takewhile(_is_number, rest)) if name == flag else []
        del rest[: len(numbers)]
        if numbers:
            told = [joined.pop()] if equals else []
            joined.append(" ".join([*told, *numbers]))
    return joined


def given_options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of the parameters of the command those that were given.

    Examples
    --------
    >>> given_options({"dose": 0.0, "static": None, "noiseless": False})
    {'dose': 0.0}
    """
    return {name: value for name, value in parameters.items() if not (value is None or value is False)}


def refuse_others(given: Mapping[str, Any], allowed: Collection[str], where: str) -> None:
    """Refuse options that mean nothing beside, or without, another one."""
    others = [name for name in given if name not in allowed]
    if others:
        raise UsageError(f"--{_flag(others[0])} means nothing {where} (leave it out)")


@contextmanager
def usage_unless_unreadable(specimen: str) -> Iterator[None]:
    """Turn what is refused into an error of usage, unless the specimen's file cannot be read: it failed."""
    from ..io.structures import read_structure
    from ..simulate.crystals.library import names_file

    try:
        yield
    except InputError as error:
        if names_file(specimen):
            read_structure(Path(specimen))
        raise UsageError(str(error)) from error


def chosen_simulation(given: Mapping[str, Any]) -> Simulation:
    """What the options ask for; the rest is as `Simulation` has it by default.

    Raises
    ------
    UsageError
        A value out of range, or two that exclude each other.
    """
    from ..run.simulation import Simulation
    from ..simulate.point_defects.planting import PointDefects
    from ..simulate.recording.recording import Contamination, Readout, Recording, Scan
    from ..simulate.scattering.optics import Optics

    def part(noun: Any, names: tuple[str, ...]) -> Any:
        return noun(**{name: given[name] for name in names if name in given})

    if "size" in given and "shape" in given:
        raise UsageError("--size and --shape exclude each other (give one of them)")
    if "noiseless" in given and math.isfinite(given.get("dose", math.inf)):
        raise UsageError("--noiseless and --dose exclude each other (give one of them)")
    with refused_as_usage():
        shares: Any = {form: _shares(flag, given[flag]) for flag, form in FORMS.items() if flag in given}
        recorded: Any = {"scan": part(Scan, _SCAN), "readout": part(Readout, _READOUT)}
        if "dose" in given:
            recorded["dose"] = given["dose"]
        if "contamination" in given:
            recorded["contamination"] = Contamination(strength=given["contamination"])
        told: Any = {field.name: given[field.name] for field in fields(Simulation) if field.name in given}
        if "size" in given:
            told["shape"] = (given["size"], given["size"])
        if "rotation" in given:
            told["rotation"] = math.radians(given["rotation"])
        optics = Optics(**chosen_beam(given))
        return Simulation(
            **told, defects=PointDefects(**shares), optics=optics, recording=Recording(**recorded)
        )


def chosen_beam(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about the beam, as fields of `Optics`."""
    told = {name: given[name] for name in _OPTICS if name in given}
    if "detector" in given:
        with refused_as_usage():
            told["detectors"] = tuple(map(_ring, given["detector"]))
    return told


def chosen_structure(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about the image of a structure, as `run_structure` takes it."""
    from ..simulate.crystals.library import names_file

    if not names_file(given["specimen"]):
        raise UsageError(
            f"--periodic images a structure file, got the name {given['specimen']!r} "
            f"(write one cell of it to a file, or leave out --periodic)"
        )
    if not {"size", "shape"} & set(given):
        raise UsageError("--periodic needs the number of pixels (give --shape NY NX)")
    chosen = chosen_simulation(given)
    return {"path": Path(chosen.specimen), "optics": chosen.optics, "shape": chosen.shape}


def chosen_twin(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about the twin of an image, as `run_twin` takes it; the rest is the image's."""
    from ..conditions import Conditions
    from ..simulate.scattering.optics import Optics

    chosen = chosen_simulation({name: value for name, value in given.items() if name not in BEAM})
    with usage_unless_unreadable(chosen.specimen):
        chosen.check(chosen.find_crystal())
    beam = chosen_beam(given)
    with refused_as_usage():
        Conditions(**{name: beam[name] for name in _CONDITIONS if name in beam})
        if {"convergence", "detectors"} <= set(beam):
            Optics(**beam)
    told: dict[str, Any] = {"chosen": chosen, "like": given["like"], "beam": beam}
    if {"size", "shape"} & set(given):
        told["shape"] = chosen.shape
    if "lattice_constant" in given:
        told["lattice_constant"] = given["lattice_constant"]
    return told


def chosen_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say about many fields, as `run_fields` takes it."""
    from ..run.simulated_fields import SHARDS, check_fields

    told = {"layout": "tiff"} | {name: given[name] for name in FOR_FIELDS if name in given}
    if "rotation" in given:
        raise UsageError("--rotation means nothing with --count, which turns every field (leave it out)")
    if told.get("scheduler") == "":
        raise UsageError("--scheduler must be an address such as tcp://HOST:8786, got nothing")
    with refused_as_usage():
        check_fields(count=told["count"], layout=told["layout"])
    if told["layout"] != SHARDS:
        refuse_others(told, {"count", "layout"}, f"without --format {SHARDS}")
    return told


def _shares(flag: str, words: list[str]) -> dict[str, float]:
    """Elements and shares of `V:0.02`."""
    name = _flag(flag)
    shares: dict[str, float] = {}
    for word in words:
        text, _, number = word.rpartition(":")
        percent = number.endswith("%") and _is_number(number[:-1])
        if not text or not _is_number(number) or math.isnan(float(number)):
            hint = (
                f"{text}:{float(number[:-1]) / 100:g}" if text and percent else "V:0.02 is 2 % of the sites"
            )
            raise UsageError(f"--{name} must be written WORDS:SHARE, got {word!r} ({hint})")
        if text in shares:
            raise UsageError(f"--{name} must name every defect once, got {text} twice")
        shares[text] = float(number)
    return shares


def _ring(text: str) -> Detector:
    """The detector of two angles in one word."""
    from ..conditions import Detector

    words = text.replace(",", " ").split()
    if len(words) != 2 or not all(_is_number(word) for word in words):
        raise UsageError(
            f"--detector must be followed by two angles in mrad, INNER OUTER, got {text!r} "
            "(each further detector has a --detector of its own)"
        )
    return Detector(inner=float(words[0]), outer=float(words[1]))


def _flag(name: str) -> str:
    """As the option of a parameter is written."""
    return name.replace("complexes", "complex").replace("layout", "format").replace("_", "-")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
