from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antisite.defects import FIELDS, KINDS, defect_table, path_text, table_fields

FIELD = st.sampled_from([name for name, (dtype, _) in FIELDS.items() if dtype == "float64"])


@given(st.sets(FIELD), st.integers(0, 5), st.integers(1, 3))
def test_a_table_has_every_field_in_its_order_and_of_its_type(
    known: set[str], n: int, n_channels: int
) -> None:
    table = defect_table({name: np.arange(n) for name in known}, n_channels=n_channels)
    fields = table_fields(n_channels)
    assert list(table.columns) == list(fields)
    for name, (dtype, default) in fields.items():
        assert table[name].dtype == pd.Series([default], dtype=dtype).dtype
    assert len(table) == (n if known else 0)
    assert all(table[name].tolist() == list(range(n)) for name in known)


def test_rows_are_numbered_unless_they_have_a_number() -> None:
    assert defect_table({"y": [1.0, 2.0]})["id"].tolist() == [0, 1]
    assert defect_table({"y": [1.0, 2.0], "id": [7, 3]})["id"].tolist() == [7, 3]


def test_a_scalar_fills_its_column_and_the_rest_is_unknown() -> None:
    table = defect_table({"x": [1.0, 2.0], "kind": "vacancy"})
    assert table["kind"].tolist() == ["vacancy", "vacancy"]
    assert table["z"].isna().all()
    assert table["mirror"].isna().all()
    assert table["species"].tolist() == ["", ""]


def test_several_channels_add_their_ratios_after_their_mean() -> None:
    assert list(table_fields(1)) == list(FIELDS)
    names = list(table_fields(2))
    at = names.index("ratio")
    assert names[at : at + 4] == ["ratio", "ratio_1", "ratio_2", "z"]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(KeyError, match=r"not fields of the defect table: .*'zscore'"):
        defect_table({"zscore": [1.0]})


def test_two_tables_never_share_memory() -> None:
    y = np.array([1.0, 2.0])
    table = defect_table({"y": y})
    table.loc[0, "y"] = 9.0
    assert y.tolist() == [1.0, 2.0]


def test_no_kind_is_listed_twice() -> None:
    assert len(set(KINDS)) == len(KINDS)
    assert KINDS[0] == FIELDS["kind"][1] == "none"


def test_a_path_is_written_x_first_with_ten_digits() -> None:
    path = np.array([[10.0, 0.0], [1234.5, 1 / 3]])
    assert path_text(path) == "LINESTRING (0 10, 0.3333333333 1234.5)"
