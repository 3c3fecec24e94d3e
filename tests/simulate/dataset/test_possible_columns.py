import numpy as np
import pytest

from antisite.simulate.crystals.library import find_specimen
from antisite.simulate.dataset.field_layout import lay_out_field
from antisite.simulate.dataset.possible_columns import possible_columns
from antisite.simulate.point_defects.planting import PointDefects, plant_defects

SHEET = PointDefects(
    vacancies={"Se": 0.05, "W": 0.05},
    column_vacancies={"Se": 0.05},
    substitutions={"V": 0.05, "S@Se": 0.05},
    antisites={"W@Se": 0.05},
    adatoms={"W": 0.05, "Pt@Se": 0.05},
    interstitials={"Se": 0.05},
    complexes={"V+Se": 0.05},
)
BULK = PointDefects(
    vacancies={"Te": 0.2}, substitutions={"Se@Te": 0.2}, interstitials={"Cd": 0.1}, n_depths=3
)


@pytest.mark.parametrize(("name", "defects"), [("WSe2", SHEET), ("CdTe_110", BULK)])
def test_are_the_columns_that_planting_makes(name, defects):
    crystal = find_specimen(name)
    made = set()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        field = lay_out_field(crystal, shape=(300, 300), pixel_size=0.25, margin=10, rng=rng)
        made |= set(plant_defects(field, defects, rng=rng).atoms)
    assert made == set(possible_columns(crystal, defects))


def test_begin_with_the_crystals_own():
    crystal = find_specimen("SrTiO3")
    own = tuple(dict.fromkeys(column.atoms for column in crystal.columns))
    assert possible_columns(crystal, PointDefects(vacancies={"O": 0.1}))[: len(own)] == own
