import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.cells import MARKS, Cell, mark_of, read_cell


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("1234", 1234),
        ("1.234", 1234),
        ("1 234", 1234),
        ("1\u202f234\u00a0567", 1234567),
        ("0", 0),
        ("12.0", 12),
        ("1.000", 1000),
        ("1234.0", 1234),
        (1234, 1234),
        (1234.0, 1234),
        ("1.234.567", 1234567),
    ],
)
def test_whole_numbers(written, count):
    assert read_cell(written) == Cell(count)


@pytest.mark.parametrize("written", ["12,5", "1,234", "-3", "12.5", "abc", "1.23", 12.5, -3, "3-1", "<", True])
def test_what_is_no_count_is_told(written):
    assert read_cell(written) is None


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        (".", Cell(None, "suppressed", 0)),
        ("x", Cell(None, "suppressed", 0)),
        ("X", Cell(None, "suppressed", 0)),
        ("-", Cell(None, "unknown", 0)),
        ("–", Cell(None, "unknown", 0)),
        ("/", Cell(None, "unknown", 0)),
        ("…", Cell(None, "not_delivered", 0)),
        ("...", Cell(None, "not_delivered", 0)),
        ("", Cell(None, "not_delivered", 0)),
        (None, Cell(None, "not_delivered", 0)),
        (float("nan"), Cell(None, "not_delivered", 0)),
        ("<3", Cell(None, "suppressed", 0, 2)),
        ("< 3", Cell(None, "suppressed", 0, 2)),
        ("unter 5", Cell(None, "suppressed", 0, 4)),
        ("weniger als 5", Cell(None, "suppressed", 0, 4)),
        ("≤2", Cell(None, "suppressed", 0, 2)),
        ("<=2", Cell(None, "suppressed", 0, 2)),
        ("1-2", Cell(None, "suppressed", 1, 2)),
        ("1 – 4", Cell(None, "suppressed", 1, 4)),
    ],
)
def test_marks_are_missing_with_reason_and_bounds(written, cell):
    assert read_cell(written) == cell


def test_no_mark_is_ever_zero_unless_declared():
    assert [read_cell(mark).count for mark in MARKS] == [None] * len(MARKS)
    assert read_cell(" – ", {"-": "zero"}) == Cell(0)
    assert read_cell("(g)", {"(g)": "suppressed"}) == Cell(None, "suppressed", 0)


@given(st.integers(min_value=0, max_value=10**9))
def test_german_thousands_read_back(count):
    assert read_cell(f"{count:,}".replace(",", ".")) == Cell(count)
    assert read_cell(f"{count:,}".replace(",", "\u202f")) == Cell(count)
    assert read_cell(str(count)) == Cell(count)


def test_mark_of_unifies_dashes_and_blanks():
    assert [mark_of(value) for value in ("—", " K. A. ", "−", 3)] == ["-", "k.a.", "-", "3"]
