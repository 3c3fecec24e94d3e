import numpy as np
import pytest

from antisite.defects import KINDS
from antisite.detect.kinds import EMPTY, point_kinds


@pytest.mark.parametrize(
    ("ratio", "hollow", "shifted", "kind"),
    [
        (-0.3, False, False, "vacancy"),
        (EMPTY - 0.01, False, False, "vacancy"),
        (EMPTY + 0.01, False, False, "dim_site"),
        (0.99, False, False, "dim_site"),
        (1.01, False, False, "bright_site"),
        (0.9, False, True, "other"),
        (1.4, True, False, "interstitial"),
        (0.1, True, False, "interstitial"),
    ],
)
def test_kind_follows_from_brightness_and_place(ratio, hollow, shifted, kind):
    assert point_kinds(np.array([ratio]), np.array([hollow]), np.array([shifted])).tolist() == [kind]
    assert kind in KINDS


def test_no_sites_have_no_kinds():
    assert point_kinds(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)).shape == (0,)
