from __future__ import annotations

from dataclasses import replace

from antisite.run.report.densities import densities_html, density_rows, density_words
from antisite.run.report.numbers import number


def _row(kind, sublattice="all", per="site"):
    known = {"per": per, "density": 0.0122, "low": 0.00551, "high": 0.0199}
    return {"kind": kind, "sublattice": sublattice, "n": 2, **known}


def test_densities_follow_the_order_of_the_kinds_whole_before_parts(make_result):
    rows = [_row("dim_site"), _row("dim_site", "A"), _row("interstitial"), _row("vacancy"), _row("hole")]
    result = make_result(n_each=0)
    told = density_rows(replace(result, summary={**result.summary, "densities": rows}))
    assert [(row["kind"], row["sublattice"]) for row in told] == [
        ("vacancy", "all"),
        ("interstitial", "all"),
        ("dim_site", "all"),
        ("dim_site", "A"),
        ("hole", "all"),
    ]


def test_a_kind_that_is_only_counted_has_no_density(make_result):
    result = make_result(n_each=0)
    summary = {**result.summary, "counts": {"hole": 3, "vacancy": 2}, "densities": [_row("vacancy")]}
    vacancy, hole = density_rows(replace(result, summary=summary))
    assert vacancy["density"] == 0.0122
    assert (hole["kind"], hole["n"], hole["density"]) == ("hole", 3, None)


def test_no_defects_have_no_densities(make_result):
    bare = make_result(n_each=0)
    assert (density_rows(bare), densities_html(bare), density_words(bare)) == ([], "", "")


def test_densities_per_site_are_told_as_they_are(make_result):
    result = make_result(n_each=0)
    told = replace(result, summary={**result.summary, "densities": [_row("dim_site")]})
    assert density_words(told) == "Defects per site, with 95 % intervals: dim sites 0.012 (0.0055 to 0.02)."
    html = densities_html(told)
    assert "density [per site]" in html
    assert "0.00551 to 0.0199" in html
    assert "corrected" not in html


def test_a_known_recall_corrects_the_density(make_result, checked):
    result = checked(make_result(n_each=2))
    html = densities_html(result)
    for words in (number(2 / result.summary["area"]), "80\N{NO-BREAK SPACE}%", "0.125", "0.031 to 0.4"):
        assert words in html
    words = density_words(result)
    assert "vacancies 0.12 (0.031 to 0.4)" in words
    assert words.endswith("They are corrected for those that were missed.")


def test_what_could_not_be_corrected_is_told_as_it_was_observed(make_result):
    result = make_result(n_each=0)
    known = {"corrected": 0.02, "corrected_low": 0.01, "corrected_high": 0.03}
    rows = [_row("vacancy") | known, _row("hole")]
    words = density_words(replace(result, summary={**result.summary, "densities": rows}))
    assert "vacancies 0.02 (0.01 to 0.03) and holes 0.012 (0.0055 to 0.02)" in words
    assert words.endswith("corrected for those that were missed, but for holes.")
