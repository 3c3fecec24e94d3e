import pytest

from antisite.simulate.sketch.image import sketch_image


def scene(crystal="wse2", **shares):
    return sketch_image(crystal, shape=(400, 400), rng=7, **shares)[1].sites


@pytest.mark.parametrize(
    ("share", "kind", "sublattice"),
    [
        ("vacancies", "vacancy", {"A", "B"}),
        ("partial_vacancies", "partial_vacancy", {"B"}),
        ("dim_sites", "substitution", {"A"}),
        ("bright_sites", "substitution", {"A"}),
        ("interstitials", "interstitial", {"hollow"}),
    ],
)
def test_share_of_sites_is_planted_where_it_can_be(share, kind, sublattice):
    sites = scene(**{share: 0.1})
    planted = sites[sites["kind"] == kind]
    assert set(planted["sublattice"]) == sublattice
    eligible = len(sites) / 2 if share != "vacancies" else len(sites)
    assert len(planted) / eligible == pytest.approx(0.1, abs=0.03)
    assert set(sites["kind"]) == {"none", kind}


def test_perfect_crystal_has_no_defect_and_no_hollow():
    sites = scene()
    assert set(sites["kind"]) == {"none"}
    assert set(sites["sublattice"]) == {"A", "B"}


def test_species_is_empty_where_the_atom_is_gone_or_unknown():
    sites = scene(vacancies=0.02, partial_vacancies=0.02, dim_sites=0.02, interstitials=0.02)
    species = sites.groupby("kind")["species"].agg(set)
    assert species["none"] == {"W", "Se"}
    assert species["partial_vacancy"] == {"Se"}
    assert species["vacancy"] == species["substitution"] == species["interstitial"] == {""}


def test_crystal_without_pairs_has_no_partial_vacancy():
    assert set(scene("srtio3", partial_vacancies=0.5)["kind"]) == {"none"}


def test_shares_that_exceed_the_sites_fill_them_once():
    sites = scene("au100", vacancies=0.7, dim_sites=0.7)
    counts = sites["kind"].value_counts(normalize=True)
    assert counts["vacancy"] == pytest.approx(0.7, abs=0.03)
    assert counts["substitution"] == pytest.approx(0.3, abs=0.03)
