"""What a file's own notes say about scale and microscope; anything doubtful is left unknown."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..conditions import Conditions, Detector

Tree = Mapping[str, Any]

_ANGSTROM = {
    "å": 1.0,
    "a": 1.0,
    "angstrom": 1.0,
    "ångstrom": 1.0,
    "ångström": 1.0,
    "nm": 10.0,
    "nanometer": 10.0,
    "nanometre": 10.0,
    "pm": 0.01,
    "picometer": 0.01,
    "picometre": 0.01,
    "μm": 1e4,
    "um": 1e4,
    "micron": 1e4,
    "micrometer": 1e4,
    "micrometre": 1e4,
    "mm": 1e7,
    "m": 1e10,
    "meter": 1e10,
    "metre": 1e10,
}
_ENERGY_UNITS = {"ev", "kev", "mev"}
_SMALLEST, _LARGEST = 1e-3, 50.0  # Å/px; outside lies a wrong unit, not a lattice image

# where a number stands, and what makes it eV or mrad
_BEAM_ENERGY = (
    (("Acquisition_instrument", "TEM", "beam_energy"), 1e3),
    (("Microscope Info", "Voltage"), 1.0),
    (("Optics", "AccelerationVoltage"), 1.0),
    (("ElectronGun", "AccelerationVoltage"), 1.0),
)
_CONVERGENCE = (
    (("Acquisition_instrument", "TEM", "convergence_angle"), 1.0),
    (("Optics", "BeamConvergence"), 1e3),
    (("Convergence semi-angle (mrad)",), 1.0),
)


def scale_of(axis: Tree) -> float:
    """Å/px of one axis, NaN when it has no unit of length or is absurd for a lattice image.

    Examples
    --------
    >>> scale_of({"scale": 0.02, "units": "nm"}), scale_of({"scale": 1.0, "units": None})
    (0.2, nan)
    """
    factor = _ANGSTROM.get(_plain_unit(axis), math.nan)
    scale = abs(_number(axis.get("scale"))) * factor
    return scale if _SMALLEST <= scale <= _LARGEST else math.nan


def is_energy(axis: Tree) -> bool:
    """Whether an axis counts eV: then it belongs to a spectrum."""
    return _plain_unit(axis) in _ENERGY_UNITS


def has_length(axis: Tree) -> bool:
    """Whether an axis is measured in a unit of length."""
    return _plain_unit(axis) in _ANGSTROM


def conditions_of(metadata: Tree, original: Tree) -> Conditions:
    """Beam energy, convergence and the detector's angles, as far as the file has them.

    Parameters
    ----------
    metadata : RosettaSciIO's own tree, as in .hspy files (keV, mrad).
    original : the maker's tree (Gatan: V, mrad; Velox: V, rad).
    """
    trees = (metadata, original)
    return Conditions(
        beam_energy=_first(trees, _BEAM_ENERGY, 1e3, 3e6),
        convergence=_first(trees, _CONVERGENCE, 0.1, 200),
        detectors=_own_detector(metadata) or _detectors(original),
    )


def find(tree: Any, path: Sequence[str]) -> Any:
    """The first entry of a nested tree whose keys end with `path`; None when there is none."""
    return next(_matches(tree, tuple(path)), None)


def _matches(tree: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not isinstance(tree, Mapping):
        return
    entry: Any = tree
    for key in path:
        entry = entry.get(key) if isinstance(entry, Mapping) else None
    if entry is not None:
        yield entry
    for branch in tree.values():
        yield from _matches(branch, path)


def _first(
    trees: Sequence[Tree], places: Sequence[tuple[tuple[str, ...], float]], low: float, high: float
) -> float:
    for path, factor in places:
        for tree in trees:
            value = _number(find(tree, path)) * factor
            if low <= value <= high:
                return value
    return math.nan


def _own_detector(metadata: Tree) -> tuple[Detector, ...]:
    """As `antisite.io.image_files` writes it."""
    ring = find(metadata, ("TEM", "Detector"))
    return _ring(_number(find(ring, ("inner_angle",))), _number(find(ring, ("outer_angle",))))


def _detectors(original: Tree) -> tuple[Detector, ...]:
    detector = find(original, ("DetectorMetadata",))
    if detector is None:
        number = find(original, ("BinaryResult", "DetectorIndex"))
        detector = find(original, ("Detectors", f"Detector-{number}"))
    inner = _number(find(detector, ("CollectionAngleRange", "begin"))) * 1e3
    outer = _number(find(detector, ("CollectionAngleRange", "end"))) * 1e3
    return _ring(inner, outer)


def _ring(inner: float, outer: float) -> tuple[Detector, ...]:
    return (Detector(inner=inner, outer=outer),) if 0 <= inner < outer <= 1000 else ()


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _plain_unit(axis: Tree) -> str:
    unit = axis.get("units")
    plain = unicodedata.normalize("NFKC", unit).strip().casefold() if isinstance(unit, str) else ""
    return plain.removesuffix("s") if len(plain) > 3 else plain
