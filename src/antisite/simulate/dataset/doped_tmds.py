"""Doped 1H dichalcogenides under six conditions: the cases on which context was tried."""

from __future__ import annotations

from itertools import product

from ...conditions import Detector
from ..point_defects.planting import PointDefects
from ..recording.recording import Recording
from ..scattering.optics import Optics
from .cases import Case

METALS = ("Mo", "W")
CHALCOGENS = ("S", "Se", "Te")
DOPANTS = ("Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Zr", "Nb", "Ru", "Rh", "Hf", "Ta", "Re", "Pt")
"""Transition metals that have been put in the place of Mo and W; each host also takes the other's metal."""
BEAM_ENERGIES = (60e3, 80e3, 200e3)  # eV
DETECTORS = (Detector(inner=50, outer=120), Detector(inner=70, outer=200))


def doped_tmd_cases(*, doses: tuple[float, float] = (1e4, 1e5), static: bool = False) -> tuple[Case, ...]:
    """96 sheets, each with one of 16 dopants, times 6 conditions with a probe of 30 mrad.

    Each has the dopant on the metal, missing metals, one or both chalcogens missing, and the dopant beside a
    missing chalcogen.

    Parameters
    ----------
    doses : e/Å², lowest and highest; each field has its own, even in the logarithm.
    static : atoms stand still.

    Examples
    --------
    >>> cases = doped_tmd_cases()
    >>> len(cases), cases[0].specimen, sorted(cases[0].defects.substitutions)
    (576, 'MoS2', ['Ti@Mo'])
    """
    cases = []
    for metal, chalcogen in product(METALS, CHALCOGENS):
        other = next(one for one in METALS if one != metal)
        for dopant, energy, detector in product((*DOPANTS, other), BEAM_ENERGIES, DETECTORS):
            optics = Optics(beam_energy=energy, convergence=30.0, detectors=(detector,), static=static)
            cases.append(
                Case(
                    specimen=f"{metal}{chalcogen}2",
                    defects=doped_defects(metal, chalcogen, dopant),
                    optics=optics,
                    recording=Recording(dose=doses[1]),
                    doses=doses,
                )
            )
    return tuple(cases)


def doped_defects(metal: str, chalcogen: str, dopant: str) -> PointDefects:
    """Enough of each kind of site to learn it from few fields."""
    return PointDefects(
        vacancies={metal: 0.02, chalcogen: 0.06},
        column_vacancies={chalcogen: 0.03},
        substitutions={f"{dopant}@{metal}": 0.08},
        complexes={f"{dopant}@{metal}+{chalcogen}": 0.03},
    )
