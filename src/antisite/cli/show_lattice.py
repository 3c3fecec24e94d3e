"""What `antisite inspect` prints: the file's own words, then the lattice that is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..conditions import Conditions
from ..run.batch import Outcome
from ..run.grain import place_name
from .show import area_line, lattice_lines, line, warning_lines

if TYPE_CHECKING:
    from ..io.images import SignalInfo


def inspect_text(outcomes: Sequence[Outcome]) -> str:
    """One block for each input."""
    return "\n\n".join(outcome_text(outcome) for outcome in outcomes if outcome.signals)


def outcome_text(outcome: Outcome) -> str:
    """What one file says, and what lattice is seen in it."""
    lines = [outcome.path.name, *(signal_line(signal) for signal in outcome.signals)]
    if outcome.status == "no_lattice":
        lines.append(line("lattice", "none found"))
    elif outcome.status == "done":
        s = outcome.summary
        lines += [*lattice_lines(s), *comparison_lines(s), *drift_lines(s), area_line(s)]
        lines += [*sublattice_lines(s), *warning_lines(s)]
        lines.append(line("picture", f"{outcome.folder}/inspect.png"))
    return "\n".join(lines)


def signal_line(signal: SignalInfo) -> str:
    """Title, shape, type, scale and conditions of one signal, or why it is no image."""
    shape = " × ".join(str(n) for n in signal.shape)
    parts = [f"{shape} {signal.dtype}"]
    parts += [f"{signal.n_frames} frames"] if signal.n_frames > 1 else []
    if signal.is_image:
        known = not math.isnan(signal.pixel_size)
        parts.append(f"{signal.pixel_size:.4g} Å/px" if known else "no scale")
        parts += conditions_parts(signal.conditions)
    else:
        parts.append(f"no image: {signal.reason}")
    name = f"'{signal.title}': " if signal.title else ""
    return line("signal", name + " · ".join(parts))


def conditions_parts(conditions: Conditions) -> list[str]:
    """The microscope's settings that are known."""
    parts = []
    if not math.isnan(conditions.beam_energy):
        parts.append(f"{conditions.beam_energy / 1e3:g} keV")
    if not math.isnan(conditions.convergence):
        parts.append(f"probe {conditions.convergence:g} mrad")
    return parts + [
        f"detector {detector.inner:g} to {detector.outer:g} mrad"
        for detector in conditions.detectors
        if not math.isnan(detector.inner + detector.outer)
    ]


def comparison_lines(s: dict[str, Any]) -> list[str]:
    """How well the recorded scale agrees with the lattice constant; where it does not, a warning says so."""
    recorded, constant = s["pixel_size_recorded"], s["lattice_constant"]
    warned = any("lattice constant" in text for text in s["warnings"])
    if recorded is None or constant is None or warned:
        return []
    apart = abs(s["pixel_size"] / recorded - 1)
    return [
        line(
            "",
            f"recorded {recorded:#.3g} Å/px, {100 * apart:.1f} % apart from lattice constant {constant:g} Å",
        )
    ]


def drift_lines(s: dict[str, Any]) -> list[str]:
    """How far the lattice wanders from straight lines, where that was measured."""
    drifts = [f"{math.hypot(*grain['drift_rms']):.2f}" for grain in s["grains"] if grain["drift_rms"]]
    return [line("drift", f"{', '.join(drifts)} px rms")] if drifts else []


def sublattice_lines(s: dict[str, Any]) -> list[str]:
    """Each sublattice of each grain with its place in the cell and its share of the brightness."""
    several = len(s["grains"]) > 1
    return [text for grain in s["grains"] for text in _grain_lines(grain, several=several)]


def _grain_lines(grain: dict[str, Any], *, several: bool) -> list[str]:
    atoms = [sub for sub in grain["sublattices"] if not sub["hollow"]]
    total = sum(len(sub["fractions"]) * max(sub["level"], 0.0) for sub in atoms) or 1.0
    return [
        line(
            "sublattice",
            f"{place_name(sub['name'], grain['grain'] if several else None)} at "
            f"{_places(sub['fractions'])}, {sub['n_sites']} sites, "
            f"{100 * len(sub['fractions']) * max(sub['level'], 0.0) / total:.0f} % of the brightness",
        )
        for sub in atoms
    ]


def _places(fractions: Sequence[Sequence[float]]) -> str:
    return ", ".join(f"({a:.2f}, {b:.2f})" for a, b in fractions)
