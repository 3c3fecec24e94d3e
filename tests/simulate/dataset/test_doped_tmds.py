from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.dataset.doped_tmds import doped_tmd_cases


def dopant(case):
    return next(iter(case.defects.substitutions)).split("@")[0]


def test_are_96_doped_sheets_under_six_conditions():
    cases = doped_tmd_cases()
    assert len({(case.specimen, dopant(case)) for case in cases}) == 96
    assert len({(case.optics.beam_energy, case.optics.detectors) for case in cases}) == 6
    assert len(cases) == 576


def test_no_host_is_its_own_dopant():
    for case in doped_tmd_cases():
        own = {column.species for column in find_specimen(case.specimen).columns}
        assert dopant(case) not in own


def test_every_case_has_every_kind_of_site():
    for case in doped_tmd_cases():
        forms = {form for form, _, share in case.defects.shares if share > 0}
        assert forms == {"vacancies", "column_vacancies", "substitutions", "complexes"}
        assert len(case.defects.vacancies) == 2
