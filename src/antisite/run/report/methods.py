"""A paragraph on the methods, of what was really done, to be pasted into a paper."""

from __future__ import annotations

import math
from typing import Any

from ... import __version__
from ...detect.point_defects import MIN_SHIFT
from ...plot.defects import pixel_scale
from ...result import Result
from .markup import prose
from .numbers import SPACE, counted, listed, number, percent
from .planar import planar_words
from .recall import check_of, missed_words, realised_words
from .strain import floor_words
from .words import method_of, n_tested, scale_source

_REFERENCES = {
    "Benjamini & Hochberg 1995": "Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57, 289 (1995), "
    "doi:10.1111/j.2517-6161.1995.tb02031.x",
    "Benjamini & Bogomolov 2014": "Y. Benjamini, M. Bogomolov, J. R. Stat. Soc. B 76, 297 (2014), "
    "doi:10.1111/rssb.12028",
    "Efron 2004": "B. Efron, J. Am. Stat. Assoc. 99, 96 (2004), doi:10.1198/016214504000000089",
    "Garwood 1936": "F. Garwood, Biometrika 28, 437 (1936), doi:10.1093/biomet/28.3-4.437",
    "Guo et al. 2021": "Y. Guo et al., npj Comput. Mater. 7, 180 (2021), doi:10.1038/s41524-021-00642-1",
    "Harris et al. 2020": "C. R. Harris et al., Nature 585, 357 (2020), doi:10.1038/s41586-020-2649-2",
    "Horvitz & Thompson 1952": "D. G. Horvitz, D. J. Thompson, J. Am. Stat. Assoc. 47, 663 (1952), "
    "doi:10.1080/01621459.1952.10483446",
    "Hÿtch et al. 1998": "M. J. Hÿtch, E. Snoeck, R. Kilaas, Ultramicroscopy 74, 131 (1998), "
    "doi:10.1016/S0304-3991(98)00035-7",
    "McCarthy & Smyth 2009": "D. J. McCarthy, G. K. Smyth, Bioinformatics 25, 765 (2009), "
    "doi:10.1093/bioinformatics/btp053",
    "Pedregosa et al. 2011": "F. Pedregosa et al., J. Mach. Learn. Res. 12, 2825 (2011)",
    "Schölkopf et al. 2001": "B. Schölkopf et al., Neural Comput. 13, 1443 (2001), "
    "doi:10.1162/089976601750264965",
    "van der Walt et al. 2014": "S. van der Walt et al., PeerJ 2, e453 (2014), doi:10.7717/peerj.453",
    "Virtanen et al. 2020": "P. Virtanen et al., Nat. Methods 17, 261 (2020), doi:10.1038/s41592-019-0686-2",
}
_LIBRARIES = {
    "numpy": ("NumPy", "Harris et al. 2020"),
    "scipy": ("SciPy", "Virtanen et al. 2020"),
    "scikit-learn": ("scikit-learn", "Pedregosa et al. 2011"),
    "scikit-image": ("scikit-image", "van der Walt et al. 2014"),
}


def methods_html(result: Result) -> str:
    """The paragraph and its references, with a button that copies both."""
    text = methods_text(result)
    references = "".join(f"<li>{prose(line)}</li>" for line in references_of(text))
    return (
        f'<div id="methods-text"><p>{prose(text)}</p><ul class="references">{references}</ul></div>'
        '<p class="buttons live"><button type="button" data-copy="methods-text">copy</button></p>'
    )


def references_of(text: str) -> list[str]:
    """The software itself, and every work that the text names, in the order of their names."""
    own = f"The antisite developers, antisite {__version__}, software, GPL-3.0-or-later"
    return [own, *(line for name, line in _REFERENCES.items() if name in text)]


def methods_text(result: Result) -> str:
    """What was done, as a paper would say it: no clock time, no place."""
    s = result.summary
    sentences = [_image(result), _crystal(s), *_extended(result), *_scoring(result)]
    if s.get("area") or s.get("densities"):
        sentences.append("Intervals of densities are exact 95 % Poisson intervals (Garwood 1936).")
    return " ".join(filter(None, [*sentences, *_self_check(result), _software(result)]))


def _image(result: Result) -> str:
    ny, nx = result.image.shape
    n, size, energy = result.image.n_channels, pixel_scale(result), result.image.conditions.beam_energy
    known = [f"{ny} × {nx} px"]
    known += [f"{n} detectors"] * (n > 1)
    known += [] if math.isnan(energy) else [f"{number(energy / 1e3)} kV"]
    if math.isnan(size):
        known.append("pixel size unknown")
    else:
        constant = result.summary.get("lattice_constant")
        source = (
            f"from the lattice constant of {number(constant, 4)} Å"
            if constant
            else scale_source(result.summary)
        )
        known.append(f"pixel size {number(size, 4)} Å, {source}")
    return (
        f"Point defects were located with antisite {__version__}, which learns the perfect crystal from the "
        f"image itself and needs no training data. The image ({'; '.join(known)}) was analysed as recorded."
    )


def _crystal(s: dict[str, Any]) -> str:
    grains = s["grains"]
    largest, lattice = grains[0], grains[0]["lattice"]

    def length(name: str) -> str:
        known = lattice.get(f"{name}_A")
        return f"{number(lattice[name], 4)} px" + (f" ({number(known, 4)} Å)" if known else "")

    columns = [one for one in largest["sublattices"] if not one["hollow"]]
    hollows = len(largest["sublattices"]) - len(columns)
    hollow = f" and {counted(hollows, 'kind of hollow site', 'kinds of hollow sites')}" if hollows else ""
    drift = largest["drift_rms"]
    followed = (
        f"; smooth distortion ({number(math.hypot(*drift), 2)} px rms) was followed by demodulation of two "
        "reflections"
        if drift
        else ""
    )
    several = (
        f" The image shows {len(grains)} grains, told apart by their local spectra; the numbers are those of "
        "the largest, and each grain was compared with its own lattice and average cell."
        if len(grains) > 1
        else ""
    )
    return (
        f"Its autocorrelation and Bragg spots gave a lattice with a{SPACE}={SPACE}{length('a')}, "
        f"b{SPACE}={SPACE}{length('b')} and γ{SPACE}={SPACE}{math.degrees(lattice['gamma']):.1f}°{followed}. "
        f"The average cell showed "
        f"{counted(len(columns), 'sublattice')} of columns{hollow}.{several}"
    )


def _extended(result: Result) -> list[str]:
    """What was done about boundaries, dislocations and strain."""
    told = []
    if result.summary.get("planar") is not None:
        told.append(
            "Boundaries, faults and dislocations were sought in the local spectra and in the phases of the "
            "reflections of each grain: steps along lines are displacements, windings around points "
            f"Burgers vectors. {planar_words(result)}"
        )
    if result.summary.get("strain"):
        told.append(
            "Strain and rotation came from the phase gradients of all clear reflections (Hÿtch et al. 1998), "
            f"joined by least squares. {floor_words(result)}"
        )
    return told


def _scoring(result: Result) -> list[str]:
    s, n, method = result.summary, f"{n_tested(result):,}", method_of(result)
    rate = f"at a false-discovery rate of {percent(_level(result), 3)} (Benjamini & Hochberg 1995)"
    null = "a normal null distribution estimated from the ordinary sites (Efron 2004)"
    selected = "corrected for the selection among them (Benjamini & Bogomolov 2014)"
    if method == "patterson":
        return [
            _patterson(result, n),
            f"Scores became p-values under {null} and were called {rate} in each sublattice, {selected}, "
            f"where the column itself was at least {percent(s['min_dark'])} darker or "
            f"{percent(s['min_bright'])} brighter than its equals, or displaced.",
        ]
    if method != "deviation":
        return [f"{n} sites were scored by the method {method} and called {rate}."]
    return [
        f"The brightness of {n} sites that the lattice predicts was compared with that of the nearest sites "
        f"of the same sublattice. Departures were called under {null} {rate} in each sublattice and on each "
        f"side, {selected}. Dark sites had to be at least {percent(s['min_dark'])} darker than their equals, "
        f"bright ones significantly more than {percent(s['min_bright'])} brighter (McCarthy & Smyth 2009). "
        f"Columns at least {number(MIN_SHIFT)} nearest distances off their place were tested in the same way."
    ]


def _patterson(result: Result, n: str) -> str:
    told = (result.provenance.get("settings") or {}).get("patterson") or {}
    seen = "equal spots at the positions of the columns" if told.get("input") == "semantic" else "the pixels"
    model = {
        "one-class-svm": "a one-class support vector machine (Schölkopf et al. 2001)",
        "mahalanobis": "a robust Mahalanobis distance",
    }.get(str(told.get("model")), "a one-class model")
    return (
        f"The surroundings of {n} sites that the lattice predicts were described by the Patterson function "
        f"of {seen} (Guo et al. 2021) and compared with those of the same sublattice by {model}."
    )


def _level(result: Result) -> float:
    check = check_of(result)
    return float(check["fdr_used"] if check else result.summary["fdr"])


def _self_check(result: Result) -> list[str]:
    check = check_of(result)
    if check is None:
        return []
    return [
        f"To measure what was missed, {check['n_planted']:,} defects of known strength were planted into the "
        f"same image in {counted(check['n_rounds'], 'round')}, on {percent(check['share'])} of the sites of "
        f"each sublattice at a time; one counted as found when it passed the limits of the image itself.",
        realised_words(result),
        *missed_words(result),
        "Densities were corrected by the recall of defects of the same strength (Horvitz & Thompson 1952); "
        "their intervals take the ends of both, of count and recall."
        if any(row.get("corrected") is not None for row in result.summary.get("densities") or ())
        else "",
    ]


def _software(result: Result) -> str:
    told = result.provenance.get("libraries") or {}
    used = [f"{name} {told[key]} ({cited})" for key, (name, cited) in _LIBRARIES.items() if key in told]
    seed = result.provenance.get("seed")
    words = f"Computed with {listed(used)}" if used else "Computed"
    return words + (f"; seed {seed}." if seed is not None else ".") if used or seed is not None else ""
