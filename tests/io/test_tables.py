from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antisite.defects import FIELDS, defect_table
from antisite.errors import InputError, OutputError
from antisite.io.tables import read_table, round_numbers, to_json, write_json, write_table

SUFFIXES = (".csv", ".parquet")
NUMBERS = [name for name, (dtype, _) in FIELDS.items() if dtype == "float64"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=8)
ROW = st.fixed_dictionaries(
    {
        "image": TEXTS,
        "path": st.sampled_from(["", "LINESTRING (1 2, 3 4.5)"]),
        "frame": st.integers(-(2**40), 2**40),
        "ratio": st.floats(allow_subnormal=False),
        "p_value": st.floats(0, 1, allow_subnormal=False),
        "mirror": st.sampled_from([True, False, pd.NA]),
    }
)


def table_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    return defect_table({name: [row[name] for row in rows] for name in rows[0]}) if rows else defect_table()


def several_rows(n_channels: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = {"y": rng.normal(size=40) * 100, "image": 'a, "b".dm4', "kind": "vacancy", "z": -3.25}
    return defect_table(columns, n_channels=n_channels)


@given(rows=st.lists(ROW, max_size=4))
@settings(max_examples=40, deadline=None)
def test_both_formats_give_back_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    table, folder = table_of(rows), tmp_path_factory.mktemp("tables")
    back = []
    for suffix in SUFFIXES:
        write_table(table, folder / f"t{suffix}")
        back.append(read_table(folder / f"t{suffix}"))
    pd.testing.assert_frame_equal(*back)
    pd.testing.assert_frame_equal(back[0], table, rtol=1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_table_keeps_every_field_and_type(tmp_path: Path, suffix: str) -> None:
    write_table(defect_table(), tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"t{suffix}"), defect_table())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_channels_keep_their_ratios(tmp_path: Path, suffix: str) -> None:
    table = several_rows(n_channels=2).assign(ratio_1=0.5, ratio_2=0.25)
    write_table(table, tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}")["ratio_2"].tolist() == [0.25] * 40


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_table_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    write_table(several_rows(), tmp_path / f"a{suffix}")
    write_table(several_rows().copy(), tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_writing_what_was_read_changes_nothing(tmp_path: Path, suffix: str) -> None:
    write_table(several_rows(), tmp_path / f"a{suffix}")
    write_table(read_table(tmp_path / f"a{suffix}"), tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_csv_is_plain_utf8_with_unknown_numbers_empty(tmp_path: Path) -> None:
    write_table(defect_table({"y": [1 / 3, math.nan], "image": "é.tif"}), tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_bytes().decode().split("\n")
    assert lines[0] == ",".join(FIELDS)
    assert lines[1].startswith("0,é.tif,0,none,,0.3333333,,")
    assert lines[2].startswith("1,é.tif,0,none,,,,")
    assert lines[3:] == [""]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_lacking_field_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        several_rows().drop(columns="z").to_csv(path, index=False)
    else:
        several_rows().drop(columns="z").to_parquet(path, index=False)
    with pytest.raises(InputError, match=r"must hold every field of docs/table\.md, and lacks z$"):
        read_table(path)


def test_an_unknown_field_is_named_with_the_nearest(tmp_path: Path) -> None:
    several_rows().rename(columns={"sublattice": "sublatice"}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match=r"got sublatice \(did you mean sublattice\?\)$"):
        read_table(tmp_path / "t.csv")


def test_a_table_that_lacks_a_field_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks z"):
        write_table(several_rows().drop(columns="z"), tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_table_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"t{suffix}").write_text("x")
    with pytest.raises(InputError, match=r"^t\."):
        read_table(tmp_path / f"t{suffix}")
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / f"none{suffix}")


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    write_table(several_rows(), tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text().replace("-3.25", "dark")
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=r"^t\.csv cannot be read as a table of defects: .*dark"):
        read_table(tmp_path / "t.csv")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a table must end in \.csv or \.parquet, got t\.xlsx"):
        write_table(defect_table(), tmp_path / "t.xlsx")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    for write in (lambda p: write_table(defect_table(), p), lambda p: write_json({}, p)):
        with pytest.raises(
            OutputError, match=r"cannot be written: no such file or directory \(choose another"
        ):
            write(tmp_path / "none" / "t.csv")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_rounding_gives_the_double_nearest_to_seven_digits(value: float) -> None:
    (rounded,) = round_numbers(np.array([value])).tolist()
    if math.isnan(value):
        assert math.isnan(rounded)
    else:
        assert rounded == pytest.approx(value, rel=5.1e-7, abs=0)
        assert rounded == float(f"{rounded:.6e}")
        assert round_numbers(np.array([rounded])).tolist() == [rounded]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4), part, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_comes_back_as_it_was_written(data: object) -> None:
    assert json.loads(to_json(data)) == data


def test_json_takes_numbers_of_numpy_and_has_null_for_unknown() -> None:
    data = {
        "a": np.float32(0.5),
        "b": [np.int64(3), math.nan, math.inf],
        "c": np.eye(2),
        "d": (np.True_, pd.NA),
    }
    assert json.loads(to_json(data)) == {
        "a": 0.5,
        "b": [3, None, None],
        "c": [[1, 0], [0, 1]],
        "d": [True, None],
    }


def test_json_keeps_the_order_of_its_keys(tmp_path: Path) -> None:
    write_json({"b": 1, "a": "Å"}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == '{\n  "b": 1,\n  "a": "Å"\n}\n'.encode()
