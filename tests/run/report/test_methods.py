from __future__ import annotations

import math
from dataclasses import replace

import pytest

from antisite import __version__
from antisite.conditions import Conditions
from antisite.run.report.methods import methods_text, references_of


def _told(result):
    return methods_text(result).replace("\N{NO-BREAK SPACE}", " ")


def test_the_paragraph_says_what_was_done(make_result):
    text = _told(make_result(n_each=1))
    for words in (
        f"located with antisite {__version__}",
        "160 × 200 px; pixel size 0.25 Å, as given",
        "a = 14 px (3.5 Å)",
        "353 sites",
        "a false-discovery rate of 5 % (Benjamini & Hochberg 1995)",
        "at least 25 % darker",
        "more than 30 % brighter",
        "2 sublattices of columns and 1 kind of hollow site",
    ):
        assert words in text


def test_what_is_not_known_is_not_claimed(make_result):
    text = _told(make_result(n_each=1, pixel_size=math.nan))
    assert "pixel size unknown" in text
    assert " kV" not in text
    assert "planted" not in text
    assert "Computed" not in text


def test_conditions_scale_and_libraries_are_told_where_known(make_result):
    bare = make_result(n_each=1)
    told = replace(
        bare,
        image=replace(bare.image, conditions=Conditions(beam_energy=80e3)),
        summary={**bare.summary, "lattice_constant": 3.32},
        provenance={"libraries": {"numpy": "2.9", "scipy": "1.99", "matplotlib": "3"}, "seed": 7},
    )
    text = _told(told)
    assert "80 kV" in text
    assert "from the lattice constant of 3.32 Å" in text
    assert text.endswith(
        "Computed with NumPy 2.9 (Harris et al. 2020) and SciPy 1.99 (Virtanen et al. 2020); seed 7."
    )


def test_the_self_check_and_the_level_it_set_are_told(make_result, checked):
    text = _told(checked(make_result(n_each=1), tightened=True))
    assert "1,234 defects of known strength were planted into the same image in 8 rounds" in text
    assert "a false-discovery rate of 1 %" in text
    assert "tightened to 1 % on this image" in text


@pytest.mark.parametrize(
    ("patterson", "words", "cited"),
    [
        ({"input": "semantic", "model": "one-class-svm"}, "equal spots", "Schölkopf"),
        ({"input": "raw", "model": "mahalanobis"}, "the Patterson function of the pixels", "Guo"),
    ],
)
def test_the_published_method_is_told_and_cited(make_result, patterson, words, cited):
    bare = make_result(n_each=1)
    settings = {"detect": {"method": "patterson"}, "patterson": patterson}
    told = replace(bare, sites=bare.sites.assign(method="patterson"), provenance={"settings": settings})
    text = _told(told)
    assert words in text
    assert "The brightness of" not in text
    assert "or displaced" in text
    assert any(cited in line for line in references_of(text))


def test_what_is_cited_is_listed_and_nothing_else(make_result):
    references = references_of(_told(make_result(n_each=1)))
    assert references[0].startswith("The antisite developers")
    assert [line.split(",")[0] for line in references[1:]] == [
        "Y. Benjamini",
        "Y. Benjamini",
        "B. Efron",
        "F. Garwood",
        "D. J. McCarthy",
    ]
