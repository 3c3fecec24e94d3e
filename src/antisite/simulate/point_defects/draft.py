"""A scene while point defects are put into it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ...defects import KINDS
from ...errors import InputError
from ..crystals.column_atoms import EMPTY, ColumnAtoms
from ..crystals.crystal import sublattice_name
from ..crystals.scene import Scene
from .column_changes import ways_to_change
from .hollow_places import find_hollows
from .words import DefectWord

Ints = NDArray[np.int_]
Floats = NDArray[np.float64]
_NEIGHBOUR = 1.2  # times the distance of the nearest


class Draft:
    """The sites of a scene as arrays, its hollows behind them once they are asked for.

    Parameters
    ----------
    scene : of a crystal whose columns hold atoms.
    n_depths : the depths that may change in a thick column, evenly chosen.

    Raises
    ------
    InputError
        No column holds an atom.
    """

    def __init__(self, scene: Scene, *, n_depths: int) -> None:
        if all(atoms == EMPTY for atoms in scene.atoms):
            raise InputError(
                f"point defects need columns that hold atoms, got {scene.crystal.name}, which is a sketch"
            )
        sites, columns = scene.sites, scene.crystal.columns
        self._start, self._n_depths, self._n = scene, n_depths, len(sites)
        self._columns = list(scene.atoms)
        self._number = {atoms: i for i, atoms in enumerate(self._columns)}
        self._names = ["", *dict.fromkeys(column.species for column in columns)]
        self._atoms: Ints = sites["atoms" if "atoms" in sites else "index"].to_numpy(copy=True)
        if "kind" in sites:
            self._kind: Ints = pd.Index(KINDS).get_indexer(pd.Index(sites["kind"]))
            self._species: Ints = self._numbered_names(sites["species"])
        else:
            self._kind = np.zeros(self._n, dtype=int)
            own = [self._names.index(column.species) for column in columns]
            self._species = np.array([*own, 0])[sites["index"]]
        self.places = scene.positions

    def candidates(self, word: DefectWord) -> Ints:
        """Rows of the sites that can hold a defect, or could were no other there."""
        if word.form == "interstitials":
            if len(self.places) == self._n:
                self._open_hollows()
            return np.arange(self._n, len(self.places))
        wanted = word.host if word.host or word.form == "adatoms" else word.atom
        # a column that another defect has changed is asked for what it held before
        perfect = self._start.sites["atoms" if "atoms" in self._start.sites else "index"].to_numpy()
        held = [
            bool(atoms.symbols) and (not wanted or wanted in atoms.symbols) for atoms in self._start.atoms
        ]
        return np.flatnonzero(np.array(held)[perfect])

    def put(self, word: DefectWord, order: Ints, n: int, rng: Generator) -> int:
        """Put a defect on the first n sites of an order that are still perfect; how many those were."""
        chance = rng.random((3, len(order)))  # for every site, so that one taken moves no other
        free = self._kind[order] == 0
        rows, chance = order[free], chance[:, free]
        if word.beside:
            kept, partners = self._partners(word.beside, rows, n, chance[1])
            rows, chance = rows[kept], chance[:, kept]
            self._change(partners, chance[2], DefectWord("vacancies", word.beside))
        self._change(rows[:n], chance[0, :n], word)
        return len(rows[:n])

    def scene(self) -> Scene:
        """The scene as it is now."""
        start = self._start
        filled = self._n + np.flatnonzero(self._kind[self._n :])
        kept = np.append(np.arange(self._n), filled)
        sites = start.sites.reset_index(drop=True)
        if len(filled):
            new = pd.DataFrame(self.places[filled], columns=["y", "x"]).assign(
                index=-1, grain=self._grains(filled)
            )
            sites = pd.concat([sites, new], ignore_index=True)
        sublattices = [sublattice_name(i) for i in (*range(len(start.crystal.columns)), -1)]
        sites = sites.assign(
            atoms=self._atoms[kept],
            kind=_texts(KINDS, self._kind[kept]),
            species=_texts(self._names, self._species[kept]),
            sublattice=_texts(sublattices, sites["index"].to_numpy() % len(sublattices)),
        )
        return replace(start, sites=sites, atoms=tuple(self._columns))

    def _change(self, rows: Ints, chance: Floats, word: DefectWord) -> None:
        """Change columns, one way or another as chance (0 to 1) has it."""
        perfect = self._columns[: len(self._start.crystal.columns)]
        present, which = np.unique(self._atoms[rows], return_inverse=True)
        for i, number in enumerate(present):
            ways = ways_to_change(self._columns[number], word, perfect=perfect, n_depths=self._n_depths)
            atoms = np.array([self._number_of(column) for column, _ in ways])
            kinds = np.array([KINDS.index(kind) for _, kind in ways])
            own = which == i
            way = (chance[own] * len(ways)).astype(int)
            self._atoms[rows[own]], self._kind[rows[own]] = atoms[way], kinds[way]
        self._species[rows] = self._number_of_name("" if "vacancies" in word.form else word.atom)

    def _partners(self, element: str, rows: Ints, n: int, chance: Floats) -> tuple[Ints, Ints]:
        """Which of the rows have a neighbour to lose an atom, the first n of them, and those neighbours."""
        from scipy.spatial import cKDTree

        asked = rows[: 2 * n + 16]  # more than n, as the neighbour of some is taken
        others = self.candidates(DefectWord("vacancies", element))
        if not len(asked) or not len(others):
            return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
        found = cKDTree(self.places[others]).query(self.places[asked], k=range(1, min(len(others), 9) + 1))
        distance, near = np.asarray(found[0]), others[found[1]]
        distance[near == asked[:, None]] = np.inf
        fits = distance <= _NEIGHBOUR * distance.min(axis=1, keepdims=True)
        count = np.cumsum(fits, axis=1)
        drawn = np.argmax(count > (chance[: len(asked)] * count[:, -1]).astype(int)[:, None], axis=1)
        chosen = near[np.arange(len(asked)), drawn]
        first = np.zeros(len(asked), dtype=bool)
        first[np.unique(chosen, return_index=True)[1]] = True
        good = np.flatnonzero(first & (self._kind[chosen] == 0) & ~np.isin(chosen, asked))[:n]
        return good, chosen[good]

    def _open_hollows(self) -> None:
        hollows = find_hollows(self._start)
        n = len(hollows)
        self.places = np.vstack([self.places, hollows])
        self._atoms = np.append(self._atoms, np.full(n, self._number_of(EMPTY)))
        self._kind = np.append(self._kind, np.zeros(n, dtype=int))
        self._species = np.append(self._species, np.zeros(n, dtype=int))

    def _grains(self, rows: Ints) -> Ints:
        """Of the columns nearest to the rows."""
        grains = self._start.sites["grain"].to_numpy()
        if grains.min() == grains.max():
            return np.full(len(rows), grains[0])
        from scipy.spatial import cKDTree

        return np.asarray(grains[cKDTree(self.places[: self._n]).query(self.places[rows])[1]])

    def _number_of(self, atoms: ColumnAtoms) -> int:
        if atoms not in self._number:
            self._number[atoms] = len(self._columns)
            self._columns.append(atoms)
        return self._number[atoms]

    def _number_of_name(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def _numbered_names(self, names: pd.Series) -> Ints:
        codes, present = pd.factorize(names)
        return np.array([self._number_of_name(str(name)) for name in present], dtype=int)[codes]


def _texts(words: tuple[str, ...] | list[str], which: Ints) -> pd.api.extensions.ExtensionArray:
    return pd.array(list(words), dtype="str").take(which)
