"""Crystals whose columns have a brightness given by hand: for tests, not for physics."""

from __future__ import annotations

import math

from ...errors import InputError
from ..crystals.crystal import Column, Crystal


def _vectors(a: float, b: float, gamma: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two vectors (y, x) Å of length a and b, `a` along +x, with the angle gamma [degrees] between them."""
    angle = math.radians(gamma)
    return (0.0, a), (b * math.sin(angle), b * math.cos(angle))


def _sheet(name: str, a: float, first: Column, second: Column, width: float) -> Crystal:
    """Two columns on the corners of a honeycomb."""
    cell_a, cell_b = _vectors(a, a, 120)
    return Crystal(name=name, a=cell_a, b=cell_b, columns=(first, second), width=width)


_THIRD, _TWO_THIRDS = (1 / 3, 2 / 3), (2 / 3, 1 / 3)


def _tmd(name: str, a: float, metal: str, chalcogen: str, brightness: float) -> Crystal:
    return _sheet(
        name,
        a,
        Column(fraction=_THIRD, brightness=1.0, species=metal),
        Column(fraction=_TWO_THIRDS, brightness=brightness, species=chalcogen, pair=True),
        0.45,
    )


def _single(name: str, a: tuple[float, float], b: tuple[float, float], species: str) -> Crystal:
    columns = (Column(fraction=(0.0, 0.0), brightness=1.0, species=species),)
    return Crystal(name=name, a=a, b=b, columns=columns, width=0.4)


def _known() -> dict[str, Crystal]:
    gold, iron, root = 4.08, 2.866, math.sqrt(2)
    square = _vectors(3.905, 3.905, 90)
    crystals = (
        _tmd("wse2", 3.32, "W", "Se", 0.6),
        _tmd("mos2", 3.16, "Mo", "S", 0.35),
        _sheet(
            "graphene",
            2.46,
            Column(fraction=_THIRD, brightness=1.0, species="C"),
            Column(fraction=_TWO_THIRDS, brightness=1.0, species="C"),
            0.35,
        ),
        Crystal(
            name="srtio3",
            a=square[0],
            b=square[1],
            columns=(
                Column(fraction=(0.0, 0.0), brightness=1.0, species="Sr"),
                Column(fraction=(0.5, 0.5), brightness=0.6, species="Ti"),
            ),
        ),
        _single("au100", *_vectors(gold / root, gold / root, 90), "Au"),
        _single("au110", (0.0, gold / root), (gold / 2, gold / root / 2), "Au"),
        _single("fe100", *_vectors(iron, iron, 90), "Fe"),
        Crystal(
            name="cdte110",
            a=(0.0, 6.48 / root),
            b=(6.48 / 2, 6.48 / root / 2),
            # the second column of a dumbbell lies a quarter of 6.48 Å below the first: 1.62 Å
            columns=(
                Column(fraction=(0.75, 0.5), brightness=1.0, species="Te"),
                Column(fraction=(0.0, 0.0), brightness=0.8, species="Cd"),
            ),
            width=0.4,
        ),
        Crystal(
            name="monoclinic",
            a=_vectors(7.4, 5.8, 99)[0],
            b=_vectors(7.4, 5.8, 99)[1],
            columns=(
                Column(fraction=(0.02, 0.03), brightness=1.0, species="Bi"),
                Column(fraction=(0.48, 0.12), brightness=0.8, species="Sb"),
                Column(fraction=(0.21, 0.44), brightness=0.65, species="Sn"),
                Column(fraction=(0.73, 0.52), brightness=0.55, species="Zr"),
                Column(fraction=(0.45, 0.74), brightness=0.45, species="Se"),
            ),
        ),
    )
    return {crystal.name: crystal for crystal in crystals}


SKETCHES = _known()


def _for_domains() -> dict[str, Crystal]:
    lobe = 0.9  # Å from the centre of the dumbbell to each of its columns, 30° from `a`
    x, y = 0.5 * lobe * math.sqrt(3) / 4.4, 0.5 * lobe / 4.4
    triclinic = _vectors(9.6, 8.1, 103)
    motif = (
        (0.05, 0.06, 1.0, "Bi"),
        (0.52, 0.1, 0.95, "Bi"),
        (0.28, 0.27, 0.8, "Sb"),
        (0.8, 0.3, 0.75, "Sb"),
        (0.04, 0.38, 0.65, "Sn"),
        (0.55, 0.42, 0.6, "Sn"),
        (0.3, 0.6, 0.55, "Zr"),
        (0.81, 0.63, 0.5, "Zr"),
        (0.07, 0.72, 0.45, "Se"),
        (0.56, 0.75, 0.42, "Se"),
        (0.32, 0.9, 0.4, "S"),
    )
    crystals = (
        Crystal(
            name="square_dumbbell",
            a=_vectors(4.4, 4.4, 90)[0],
            b=_vectors(4.4, 4.4, 90)[1],
            columns=(
                Column(fraction=(x, y), brightness=1.0, species="Ga"),
                Column(fraction=(-x, -y), brightness=0.9, species="As"),
            ),
            width=0.4,
        ),
        Crystal(
            name="triclinic",
            a=triclinic[0],
            b=triclinic[1],
            columns=tuple(
                Column(fraction=(a, b), brightness=light, species=species) for a, b, light, species in motif
            ),
        ),
    )
    return {crystal.name: crystal for crystal in crystals}


# Low symmetry: their domains differ by what stands in the cell, not only by its direction.
DOMAIN_SKETCHES = _for_domains()


def find_sketch(name: str | Crystal) -> Crystal:
    """The crystal of that name, upper and lower case alike; a crystal is handed back as it is.

    Raises
    ------
    InputError
        No crystal bears that name.

    Examples
    --------
    >>> [column.species for column in find_sketch("WSe2").columns]
    ['W', 'Se']
    """
    if isinstance(name, Crystal):
        return name
    known = SKETCHES | DOMAIN_SKETCHES
    if name.lower() not in known:
        raise InputError(f"sketch must be one of {', '.join(sorted(known))}, got {name!r}")
    return known[name.lower()]
