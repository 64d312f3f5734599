import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.data.numbers import decide, marks_of, parse_booleans, parse_numbers


def german(number: float, digits: int) -> str:
    return f"{number:,.{digits}f}".translate(str.maketrans(",.", ".,"))


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_german_numbers_come_back(number: float, digits: int) -> None:
    assert parse_numbers(pd.Series([german(number, digits)]), ",").iloc[0] == pytest.approx(
        round(number, digits), abs=1e-4
    )


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_international_numbers_come_back(number: float, digits: int) -> None:
    assert parse_numbers(pd.Series([f"{number:,.{digits}f}"]), ".").iloc[0] == pytest.approx(
        round(number, digits), abs=1e-4
    )


@pytest.mark.parametrize("text", ["", ".", ",", "-", "1.23.4", "12a", "1,2,3", "0x10", "--5", "1 2"])
def test_what_is_no_number_is_missing(text: str) -> None:
    found = parse_numbers(pd.Series([text]), ",").iloc[0]
    assert math.isnan(found) or text == "1 2"  # blanks separate thousands


@pytest.mark.parametrize(
    ("values", "whole", "mark"),
    [
        (["0,5", "3"], False, ","),
        (["0.5", "3"], False, "."),
        (["1.234,5"], False, ","),
        (["1,234.5"], False, "."),
        (["1.234.567"], False, ","),
        (["1.234", "12"], True, ","),
        (["1,234", "12"], True, "."),
        (["1234,567"], False, ","),
        (["0.123"], False, "."),
        (["12", "13"], False, None),
        (["1.234"], False, None),
        (["1,5", "2.5"], False, None),
    ],
)
def test_decimal_mark_is_recognised_only_where_it_is_clear(values: list[str], whole: bool, mark: str | None) -> None:
    assert decide([marks_of(pd.Series(values), whole=whole)]) == mark


def test_a_lone_group_of_three_is_open_in_a_column_of_decimals() -> None:
    assert marks_of(pd.Series(["1.234", "0,5"]), whole=False).open.tolist() == [True, False]
    assert marks_of(pd.Series(["1.234", "5"]), whole=True).open.tolist() == [False, False]


def test_yes_and_no_in_several_words() -> None:
    found = parse_booleans(pd.Series(["Ja", "nein", "WAHR", "0", "vielleicht"]))
    assert found.isna().tolist() == [False] * 4 + [True]
    assert found.iloc[:4].tolist() == [True, False, True, False]
