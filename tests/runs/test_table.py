from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.runs.sheet import number, table

CASES = [
    (0.0, "0"), (200.0, "200"), (0.49052857, "0.49053"), (13.83333, "13.833"), (1.25e-14, "1.25e-14"), (1e-6, "1e-6"),
    (2.5e8, "2.5e8"), (-3.0e-5, "-3e-5"), (float("nan"), "nan"), (None, ""), (True, "yes"), (7, "7"), ("x", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), CASES)
def test_numbers_are_short_and_keep_their_size(value: object, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_printed_number_is_within_half_a_percent(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=6e-3, abs=0)


@given(
    st.lists(st.dictionaries(st.sampled_from(["value/a", "b", "c/d", "e"]), st.integers(0, 10**9)), min_size=1),
    st.integers(10, 60),
)
def test_a_narrow_terminal_loses_nothing(rows: list[dict[str, int]], width: int) -> None:
    records = [{"name": f"row{index}", **row} for index, row in enumerate(rows)]
    text = table(records, keep=1, width=width)
    for record in records:
        for name, value in record.items():
            assert name.rpartition("/")[2] in text
            assert str(value) in text.split()
    assert max(map(len, text.splitlines())) <= max(width, 10 + len("row99") + 2)


def test_groups_become_the_upper_line_of_the_header() -> None:
    text = table([{"seed": 0, "value/heat": 0.2, "value/cold": 1.0}], keep=1, width=80)
    assert text.splitlines() == ["      value  value", "seed   heat   cold", "   0    0.2      1"]
