"""Point defects put into the columns of a scene. They come last, after lines and dislocations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from ...errors import InputError
from ..crystals.scene import Scene
from .draft import Draft
from .words import FORMS, DefectWord, read_defect

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefects:
    """How many of the sites hold which defect. Every number is a share of the sites that could hold it.

    In a crystal many atoms thick this is a share of columns, not of atoms: each has one atom missing or
    exchanged, at a depth drawn at random.

    Parameters
    ----------
    vacancies : by element, one atom missing from a column: kind `vacancy` where it was the only one, else
        `partial_vacancy`.
    column_vacancies : by element, all its atoms missing from a column (both chalcogens, half a dumbbell).
    substitutions : one atom exchanged: `V` (for the crystal's metal) or `V@Se`; kind `antisite` where both
        elements are the crystal's.
    antisites : `W@Se`, W in the place of Se.
    adatoms : an atom 2 Å above a column, towards the source: `W` on any, `W@Se` on those with Se; kind
        `bright_site`.
    interstitials : by element, an atom in a hollow between the columns.
    complexes : `V+Se` or `V@W+Se`, V in the place of the metal and one Se missing from a neighbouring column;
        kind `complex` at the dopant, while the neighbour is a `partial_vacancy` (or `vacancy`) of its own.
    n_depths : the depths in a thick column that may change, evenly chosen: every distinct column costs a
        table.
    """

    vacancies: Shares = field(default_factory=dict)
    column_vacancies: Shares = field(default_factory=dict)
    substitutions: Shares = field(default_factory=dict)
    antisites: Shares = field(default_factory=dict)
    adatoms: Shares = field(default_factory=dict)
    interstitials: Shares = field(default_factory=dict)
    complexes: Shares = field(default_factory=dict)
    n_depths: int = 8

    def __post_init__(self) -> None:
        if self.n_depths < 1:
            raise InputError(f"n_depths must be 1 or more, got {self.n_depths}")
        for form, text, share in self.shares:
            if not 0 <= share <= 1:
                hint = f" (did you mean {share / 100:g}?)" if 1 < share <= 100 else ""
                raise InputError(f"the share of {form} {text} must be 0 to 1, got {share:g}{hint}")

    @property
    def shares(self) -> list[tuple[str, str, float]]:
        """Form, text and share of each defect."""
        return [(form, text, share) for form in FORMS for text, share in getattr(self, form).items()]


def plant_defects(scene: Scene, defects: PointDefects, *, rng: int | Generator | None = None) -> Scene:
    """The scene with defects at random sites, each site at most one.

    How many there are is drawn from a binomial distribution. Every defect has its own draws: adding another
    moves those already there only where both want the same site.

    Parameters
    ----------
    scene : of a crystal whose columns hold atoms.

    Returns
    -------
    Scene
        Its `sites` have `atoms` (index into the scene's, which grows; an empty column is `EMPTY`), `kind`,
        `species` (the element that does not belong there, empty where one is missing, the column's own where
        nothing is wrong) and `sublattice`; interstitials are new rows of index −1.

    Raises
    ------
    InputError
        An element that is none or that the crystal has not, or columns that hold no atoms.

    Examples
    --------
    >>> from antisite.simulate.crystals.column_atoms import ColumnAtoms
    >>> from antisite.simulate.crystals.crystal import Column, Crystal
    >>> from antisite.simulate.crystals.scene import perfect_scene
    >>> iron = Column(fraction=(0, 0), brightness=1, species="Fe", atoms=ColumnAtoms(("Fe",), (0.0,)))
    >>> crystal = Crystal(name="fe100", a=(0, 2.866), b=(2.866, 0), columns=(iron,))
    >>> scene = perfect_scene(crystal, shape=(99, 99), rng=1)
    >>> planted = plant_defects(scene, PointDefects(substitutions={"Au": 0.1}), rng=1)
    >>> sorted(set(planted.sites["species"]))
    ['Au', 'Fe']
    """
    draft = Draft(scene, n_depths=defects.n_depths)
    words = {_read(scene, form, text): share for form, text, share in defects.shares}
    if len(words) < len(defects.shares):
        raise InputError("every point defect must be given once, got one in two ways of writing")
    entropy = int(np.random.default_rng(rng).integers(2**63))
    for word, share in words.items():
        generator = np.random.default_rng([entropy, crc32(word.text.encode())])
        could = draft.candidates(word)
        order = could[np.argsort(generator.random(len(could)), kind="stable")]
        draft.put(word, order, int(generator.binomial(len(could), share)), generator)
    return draft.scene()


def plant_at(
    scene: Scene,
    form: str,
    text: str,
    at: ArrayLike,
    *,
    n_depths: int = 8,
    rng: int | Generator | None = None,
) -> Scene:
    """The scene with one defect at the site nearest to a place that could hold it and is perfect.

    Parameters
    ----------
    form, text : as in `PointDefects`, e.g. `"substitutions", "V@W"`.
    at : (y, x) px
    n_depths : as in `PointDefects`.
    rng : draws the depth, and the neighbour of a complex.
    """
    draft = Draft(scene, n_depths=n_depths)
    word = _read(scene, form, text)
    could = draft.candidates(word)
    order = could[np.argsort(((draft.places[could] - np.asarray(at)) ** 2).sum(axis=1), kind="stable")]
    if not draft.put(word, order, 1, np.random.default_rng(rng)):
        raise InputError(f"{form} {text} need a perfect site that can hold them, and the scene has none")
    return draft.scene()


def _read(scene: Scene, form: str, text: str) -> DefectWord:
    own = [symbol for i in range(len(scene.crystal.columns)) for symbol in scene.atoms[i].symbols]
    return read_defect(form, text, elements=own, crystal=scene.crystal.name)
