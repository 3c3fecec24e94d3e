from dataclasses import replace

import numpy as np

from antisite.conditions import Detector
from antisite.simulate.dataset.case_tables import prepare_cases, tables_checksum
from antisite.simulate.dataset.cases import Case
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.scattering.responses import compute_responses

NARROW, WIDE = Detector(inner=50, outer=120), Detector(inner=70, outer=200)
OPTICS = Optics(beam_energy=60e3, static=True, detectors=(WIDE,))


def case(dopant, detector=WIDE):
    defects = PointDefects(substitutions={dopant: 0.1})
    return Case(specimen="graphene", defects=defects, optics=replace(OPTICS, detectors=(detector,)))


def test_columns_and_detectors_of_one_beam_are_computed_once():
    computed = []

    def count(columns):
        for column in columns:
            computed.append(column)
            yield column

    cases = [case("N"), case("N", NARROW), case("B"), case("B", NARROW)]
    tables = prepare_cases(cases, pixel_size=0.2, progress=count)
    assert len(computed) == 3  # C, N, B
    assert tables[0].render is tables[2].render
    assert tables[0].render is not tables[1].render


def test_tables_are_those_of_the_case_alone():
    cases = [case("N", NARROW), case("B")]
    last = prepare_cases(cases, pixel_size=0.2)[1]
    columns = tuple(last.rows)
    alone = compute_responses(columns, cases[1].optics)
    # detectors are summed together or apart: float32 keeps seven digits
    np.testing.assert_allclose(last.render.responses.values, alone.values, rtol=1e-5, atol=1e-12)


def test_checksum_tells_tables_apart():
    one, same = (prepare_cases([case("N")], pixel_size=0.2) for _ in range(2))
    other = prepare_cases([case("B")], pixel_size=0.2)
    assert tables_checksum(one) == tables_checksum(same) != tables_checksum(other)
