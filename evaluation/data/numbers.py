"""Numbers and yes/no as files hold them: decimal comma or point is recognised by column, never guessed in silence."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from evaluation.data.place import Place
from evaluation.errors import Problem

_SIGN = r"[+-]?"
# Each form is written for one decimal mark D and its thousands mark T.
_CLEAR = (
    rf"{_SIGN}\d*D\d{{1,2}}",  # 0,5 · 12,75
    rf"{_SIGN}\d*D\d{{4,}}",  # 1,2345
    rf"{_SIGN}(?:0|0\d+|\d{{4,}})?D\d{{3}}",  # 0,123 · 1234,567
    rf"{_SIGN}\d{{1,3}}(?:T\d{{3}})+D\d*",  # 1.234,5
    rf"{_SIGN}\d{{1,3}}(?:T\d{{3}}){{2,}}",  # 1.234.567
)
_GROUPED = rf"{_SIGN}[1-9]\d{{0,2}}T\d{{3}}"  # 1.234: thousands of a whole number, or a decimal number
_VALID = rf"{_SIGN}(?:\d{{1,3}}(?:T\d{{3}})+|\d*)(?:D\d*)?(?:[eE][+-]?\d+)?"
_BLANKS = "[\\s\u00a0\u2009\u202f'’]"
_MINUS = "−"
YES = ("ja", "j", "yes", "y", "true", "wahr", "1", "x")
NO = ("nein", "n", "no", "false", "falsch", "0")


@dataclass(frozen=True)
class Marks:
    """Which values of a column show a decimal comma, which a decimal point, and which could be both."""

    comma: pd.Series
    point: pd.Series
    open: pd.Series


def marks_of(values: pd.Series, *, whole: bool) -> Marks:
    """Look for decimal marks in texts.

    Parameters
    ----------
    values
        Texts, none missing.
    whole
        Whether the column holds whole numbers: then ``1.234`` has a thousands point.
    """
    plain = values.str.replace(_BLANKS, "", regex=True)
    comma, point = (plain.str.fullmatch("|".join(_with(form, mark) for form in _CLEAR)) for mark in ",.")
    groups = {mark: plain.str.fullmatch(_with(_GROUPED, mark)) for mark in ",."}
    if whole:
        return Marks(comma | groups[","], point | groups["."], comma & point)
    return Marks(comma, point, groups[","] | groups["."])


def _with(form: str, decimal: str) -> str:
    thousands = "." if decimal == "," else ","
    return f"(?:{form.replace('D', '[' + decimal + ']').replace('T', '[' + thousands + ']')})"


def parse_numbers(values: pd.Series, decimal: str) -> pd.Series:
    """Return texts as numbers (float), missing where a text is none.

    Examples
    --------
    >>> parse_numbers(pd.Series(["1.234,5", "−3", "zwölf"]), ",").tolist()
    [1234.5, -3.0, nan]
    """
    thousands = "." if decimal == "," else ","
    plain = values.str.replace(_BLANKS, "", regex=True).str.replace(_MINUS, "-", regex=False)
    valid = plain.str.fullmatch(_with(_VALID, decimal)) & plain.str.contains(r"\d", regex=True)
    plain = plain.str.replace(thousands, "", regex=False).str.replace(decimal, ".", regex=False)
    return pd.to_numeric(plain.where(valid), errors="coerce").astype("float64")


def parse_booleans(values: pd.Series) -> pd.Series:
    """Return texts as ``boolean``, missing where a text is neither a yes nor a no."""
    words = values.str.casefold()
    answers = words.isin(YES).astype("boolean")
    return answers.mask(~words.isin([*YES, *NO]), pd.NA)


def decide(marks: Iterable[Marks]) -> str | None:
    """Return the decimal mark that other columns of a table show, None where they show none or both."""
    seen = list(marks)
    comma, point = any(m.comma.any() for m in seen), any(m.point.any() for m in seen)
    return None if comma == point else "," if comma else "."


def two_marks(marks: Marks, column: str, place: Place) -> Problem:
    """Return the problem of a column with both decimal marks, with rows of both."""
    rows = {name: [str(row) for row in values.index[values][:3]] for name, values in vars(marks).items()}
    return place.problem("data.two_decimals", column, comma=rows["comma"], point=rows["point"])
