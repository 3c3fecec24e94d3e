"""What the columns of an image usually look like: the yardstick for planted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..crystal.column_shape import light_of_column, share_light
from ..crystal.contrast import Floats
from ..crystal.perfect_crystal import PerfectCrystal
from ..crystal.sublattices import bin_fractions, sample_cell

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_REACH = 4.0  # widths of a column; beyond it there is none of its light
_STEP = 0.25  # px of the table of a column's light
_SHARPER = 2.0  # bins of the cell, blur that is undone
_ENOUGH = 300  # sites to know what a column of a sublattice usually looks like


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Pixels around sites, each on a row.

    Parameters
    ----------
    owner : (n,) sublattice of the site.
    strength : (n,) of the lattice there.
    offsets : (n, pixels, 2) px, from where the column stands.
    flat : (n, pixels) index of each pixel in the image.
    inside : (n, pixels) whether it lies in the image and is not masked.
    """

    owner: NDArray[np.int_]
    strength: Array
    offsets: Array
    flat: NDArray[np.int_]
    inside: Flags


class UsualColumns:
    """What the columns of one channel usually look like, and what the image holds beside that.

    Parameters
    ----------
    pixels : (y, x), standardised.
    perfect : (n,) sites that look perfect.
    number : of the channel.
    """

    def __init__(self, pixels: Floats, crystal: PerfectCrystal, perfect: Flags, number: int) -> None:
        self._pixels, self._crystal, self._shape = pixels, crystal, crystal.shapes[number]
        self._reach = int(np.ceil(_REACH * self._shape.sigma))
        self._cell = crystal.cells[number]
        owner = np.where(perfect, crystal.sites.sublattice, -1)
        members = [np.flatnonzero(owner == k) for k in range(len(crystal.sublattices))]
        some = [self.around(own[:: len(own) // _ENOUGH + 1]) for own in members]
        self._cell = self._usual_cell(some[: len(crystal.columns)])
        self._lights = self._tables()
        self._residue = [
            np.mean(self._split(patches)[1], axis=0) if len(patches.owner) else np.zeros(1)
            for patches in some
        ]

    def around(self, sites: NDArray[np.int_]) -> Patches:
        """The pixels around sites, as far as the light of a column reaches."""
        crystal, shape = self._crystal, self._pixels.shape
        window = np.arange(-self._reach, self._reach + 1)
        square = np.stack(np.meshgrid(window, window, indexing="ij"), axis=-1).reshape(-1, 2)
        place = crystal.sites.positions[sites] + np.nan_to_num(crystal.offsets[sites])
        pixels = np.round(place).astype(int)[:, None] + square
        inside = ((pixels >= 0) & (pixels < np.array(shape))).all(axis=2)
        flat = np.ravel_multi_index(tuple(np.moveaxis(pixels, 2, 0)), shape, mode="clip")
        return Patches(
            owner=crystal.sites.sublattice[sites],
            strength=crystal.distortion.strength_at(crystal.sites.positions[sites]),
            offsets=pixels - place[:, None],
            flat=flat,
            inside=inside & ~crystal.mask.ravel()[flat],
        )

    def compare(self, patches: Patches) -> tuple[Array, Array]:
        """What is expected (n, pixels) around the sites, and the noise that the pixels hold beside it."""
        expected, left = self._split(patches)
        for k, usual in enumerate(self._residue):
            left[patches.owner == k] -= usual
        return expected, left

    def _usual_cell(self, some: Sequence[Patches]) -> Floats:
        """The mean cell made that of the usual columns: it holds the defects, too, and is a little blurred.

        The median over patches (one batch for each sublattice of columns) of a fit of the light of
        each sublattice and of what a blur takes away.
        """
        cell, columns = self._cell, self._crystal.columns
        shares = share_light(bin_fractions(cell.shape), self._shape, self._crystal.lattice, columns)
        parts = [(cell - self._shape.background) * share.reshape(cell.shape) for share in shares.T]
        parts.append(cell - ndimage.gaussian_filter(cell, _SHARPER, mode="wrap"))
        gains = np.zeros((len(columns), len(parts)))
        for k, patches in enumerate(some):
            maps = np.stack([self._sample(part, patches) for part in parts], axis=-1)
            maps -= maps.mean(axis=1, keepdims=True)
            left = self._split(patches)[1]
            normal = np.einsum("npi,npj->nij", maps, maps)
            size = np.maximum(np.trace(normal, axis1=1, axis2=2), 1e-9)  # nothing is seen under a mask
            normal += 1e-3 * size[:, None, None] * np.eye(len(parts))
            fit = np.linalg.solve(normal, np.einsum("npi,np->ni", maps, left)[..., None])[..., 0]
            gains[k] = np.median(fit, axis=0) if len(fit) else 0
        gain = np.append(np.diag(gains), gains[:, -1].mean())
        return np.asarray(cell + np.tensordot(gain, np.array(parts), axes=1), dtype=np.float32)

    def _tables(self) -> list[Floats]:
        """The light of a column of each sublattice on a fine grid around it; of a hollow a mean column's."""
        crystal, columns = self._crystal, self._crystal.columns
        span = np.arange(-self._reach - 1, self._reach + 1 + _STEP / 2, _STEP)
        offsets = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 2)
        tables = [
            light_of_column(self._cell, self._shape, crystal.lattice, columns, k, offsets)
            for k in range(len(columns))
        ]
        tables += [np.mean(tables, axis=0)] * (len(crystal.sublattices) - len(columns))
        return [np.asarray(t.reshape(len(span), -1), dtype=np.float32) for t in tables]

    def light(self, patches: Patches) -> Array:
        """What the columns of the sites add to the pixels around them."""
        light = np.zeros(patches.flat.shape)
        for k, table in enumerate(self._lights):
            own = patches.owner == k
            at = (patches.offsets[own] + self._reach + 1) / _STEP
            light[own] = ndimage.map_coordinates(table, np.moveaxis(at, 2, 0), order=1, mode="constant")
        return light * patches.strength[:, None]

    def _sample(self, cell: Floats, patches: Patches) -> Array:
        """A periodic map (nb, na) on the pixels around sites."""
        home = np.array([s.fraction for s in self._crystal.sublattices])[patches.owner]
        fractions = home[:, None] + patches.offsets @ self._crystal.lattice.reciprocal.T
        seen = sample_cell(cell, fractions.reshape(-1, 2)).reshape(patches.flat.shape)
        return np.where(patches.inside, patches.strength[:, None] * seen, 0)

    def _split(self, patches: Patches) -> tuple[Array, Array]:
        """The perfect crystal around the sites on the local background, and what it leaves unexplained."""
        expected = self._sample(self._cell, patches)
        left = np.where(patches.inside, self._pixels.ravel()[patches.flat] - expected, 0)
        offset = left.sum(axis=1, keepdims=True) / np.maximum(patches.inside.sum(axis=1, keepdims=True), 1)
        return expected + offset, np.where(patches.inside, left - offset, 0)
