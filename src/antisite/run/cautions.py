"""What a reader must know before believing the numbers of a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ..image import Image
from .crystal_search import Specimen
from .grain import place_name

SAME_REPEAT = 0.03  # grains of one crystal differ by less
_DISAGREE = 0.02  # of the scale; more is said
_FEW_SITES = 100
_SEEN = 0.9  # of strong defects; fewer are worth a warning
_FEW_PLANTED = 20
_FAINT = 0.16  # persistence of a sublattice that may be noise
_LOST = 0.01  # of the image; more is said
_SPECK = 10.0  # cells; less may be cut off from a larger area, and is none by itself
_MOST_SIZES = 3


def cautions(
    image: Image,
    specimen: Specimen,
    scale: dict[str, Any],
    grains: Sequence[dict[str, Any]],
    *,
    compared: bool,
) -> list[str]:
    """What the image and its crystals leave in doubt.

    Parameters
    ----------
    scale, grains : as the summary tells them.
    compared : whether sites were scored at all.
    """
    several = len(grains) > 1
    said = [
        f"a grain of {one.where.mean():.1%} of the image could not be analysed: {one.reason}"
        for one in specimen.refused
    ]
    size, recorded = scale["pixel_size"], scale["pixel_size_recorded"]
    if scale["lattice_constant"] and recorded and abs(size / recorded - 1) > _DISAGREE:
        who = "the file says" if image.pixel_size_from == "file" else "--pixel-size says"
        said.append(
            f"{who} {recorded:.4g} Å/px, the lattice constant {scale['lattice_constant']:g} Å implies "
            f"{size:.4g} Å/px: {abs(size / recorded - 1):.1%} apart; the lattice constant is used"
        )
    said += _other_repeats(scale["lattice_constant"], grains)
    masked = float(image.mask.mean())
    if masked:
        said.append(f"{masked:.1%} of the pixels are masked")
    said += _left_out(specimen)
    for grain in grains if compared else ():
        of = f" of grain {grain['grain']}" if several else ""
        if grain["n_sites"] < _FEW_SITES:
            said.append(
                f"only {grain['n_sites']} columns{of} could be compared with each other: "
                "rare defects need more"
            )
    said += [
        f"sublattice {place_name(s['name'], grain['grain'] if several else None)} is faint: its columns may "
        "be noise or an artefact"
        for grain in grains
        for s in grain["sublattices"]
        if not s["hollow"] and 0 < s["persistence"] < _FAINT
    ]
    return said


def _left_out(specimen: Specimen) -> list[str]:
    """What of the image was not analysed, but for grains that were refused, and why."""
    lost = (specimen.domains == -1) & ~specimen.mask
    for one in specimen.refused:
        lost &= ~one.where
    patches, said = specimen.foreign, []
    if patches is not None and patches.any():
        n = int(ndimage.label(patches)[1])
        what = "a patch" if n == 1 else f"{n} patches"
        said.append(
            f"{what} of {_share(patches.mean())} of the image {'shows' if n == 1 else 'show'} something else "
            "than the lattice around, such as a grain too small to be resolved: not analysed there"
        )
        lost &= ~patches
    cell = specimen.crystal.lattice.cell_area
    areas, reasons = [], []
    for one in specimen.dropped:
        pieces, n = ndimage.label(one.where & lost)
        own = np.bincount(pieces.ravel(), minlength=n + 1)[1:]
        own = own[own > _SPECK * cell]
        areas += own.tolist()
        reasons += [one.reason] if len(own) else []
    if areas:
        share = _share(sum(areas) / lost.size)
        which = _areas(share, [area / cell for area in areas])
        said.append(f"{which} left out: {', or '.join(dict.fromkeys(reasons))}")
    rest = (float(lost.sum()) - sum(areas)) / lost.size
    if rest > _LOST:
        share = f"a further {rest:.0%}" if said else f"{rest:.0%}"
        said.append(f"{share} of the image shows no lattice, or too weak a one, and was not analysed")
    return said


def _areas(share: str, cells: Sequence[float]) -> str:
    """How many areas without a lattice there are, and how large."""
    n, sizes = len(cells), [f"{one:.0f}" for one in sorted(cells, reverse=True)]
    room = " and ".join([", ".join(sizes[:-1]), sizes[-1]] if n > 1 else sizes)
    room = room if n <= _MOST_SIZES else f"{sizes[-1]} to {sizes[0]}"
    size = f"({share} of the image, as large as {room} cells)"
    if n == 1:
        return f"1 area {size} holds no lattice that could be measured and is"
    return f"{n} areas {size} hold no lattice that could be measured and are"


def _share(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


def _other_repeats(lattice_constant: float | None, grains: Sequence[dict[str, Any]]) -> list[str]:
    """The grains to which the lattice constant does not fit, where one sets the scale."""
    if lattice_constant is None:
        return []
    first = grains[0]["lattice"]["repeat"]
    apart = {grain["grain"]: grain["lattice"]["repeat"] / first - 1 for grain in grains}
    return [
        f"the lattice constant is taken for that of grain 0; the shortest repeat of grain {k} is "
        f"{abs(share):.0%} {'longer' if share > 0 else 'shorter'}"
        for k, share in apart.items()
        if abs(share) > SAME_REPEAT
    ]


def check_cautions(told: dict[str, Any], *, several: bool) -> list[str]:
    """Where the self-check says that the result is not to be believed.

    Parameters
    ----------
    told : of the self-check.
    several : whether there are several grains to be told apart.
    """
    said = []
    for entry in told["recall"]:
        gone = next((p["recall"] for p in entry["points"] if p["change"] == -1 and p["n"] >= _FEW_PLANTED), 1)
        if gone < _SEEN:
            place = place_name(entry["sublattice"], entry["grain"] if several else None)
            said.append(
                f"of missing columns on sublattice {place} only {gone:.0%} would be found: "
                f"that few are reported there says little"
            )
    rate, kept = told["realised"]["rate"], told["kept"]
    if rate is not None and rate > told["fdr_nominal"]:
        said.append(
            f"{rate:.0%} of the discoveries were false when defects were planted, more than the "
            f"{told['fdr_nominal']:.0%} asked for, however tight the limits: look at each defect"
        )
    if kept is not None and kept < _SEEN:
        said.append(
            f"planted defects hid others: only {kept:.0%} of the defects stayed found, so that recall is "
            f"told too low"
        )
    return said
