import numpy as np
import pytest

from antisite.defects import KINDS
from antisite.detect.kinds import EMPTY, point_kinds


@pytest.mark.parametrize(
    ("ratio", "hollow", "kind"),
    [
        (-0.3, False, "vacancy"),
        (EMPTY - 0.01, False, "vacancy"),
        (EMPTY + 0.01, False, "dim_site"),
        (0.99, False, "dim_site"),
        (1.01, False, "bright_site"),
        (1.4, True, "interstitial"),
        (0.1, True, "interstitial"),
    ],
)
def test_kind_follows_from_brightness_and_place(ratio, hollow, kind):
    assert point_kinds(np.array([ratio]), np.array([hollow])).tolist() == [kind]
    assert kind in KINDS


def test_no_sites_have_no_kinds():
    assert point_kinds(np.zeros(0), np.zeros(0, dtype=bool)).shape == (0,)
