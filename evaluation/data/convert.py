"""Cells of a file become values of a contract: text stays text, numbers and dates are read as they were recognised.

A cell that is not what its column asks for is missing afterwards, and is reported with its row.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evaluation.data.contracts import Column
from evaluation.data.dates import format_code, parse_dates, parse_periods
from evaluation.data.dialect import normal
from evaluation.data.numbers import Marks, decide, marks_of, parse_booleans, parse_numbers, two_marks
from evaluation.data.place import SHOWN, Place
from evaluation.errors import Problem, nearest

_SPACES = "[\\s\u00a0\u2007\u2009\u202f]+"
_ODD_SPACES = "[\u00a0\u2007\u2009\u202f\\t\\r\\n]|  "
_DTYPES = {"date": "datetime64[us]", "datetime": "datetime64[us]", "float": "float64"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Converted:
    """Typed columns, what was recognised, what is wrong, and the rows of each column that could not be read."""

    frame: pd.DataFrame
    facts: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failed: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of one column by what they are; together they are all that are not empty."""

    texts: pd.Series
    numbers: pd.Series
    dates: pd.Series


def convert(
    raw: pd.DataFrame,
    columns: Sequence[Column],
    place: Place,
    *,
    decimal: str | None = None,
    date_format: str | None = None,
) -> Converted:
    """Turn the cells of a file into typed columns.

    Parameters
    ----------
    raw
        Columns with our names, cells as the file has them (text, numbers or dates); the index holds the rows of the
        file.
    columns
        What the columns hold; a column that `raw` does not have is left out.
    place
        Names for messages.
    decimal, date_format
        Declared values; without them the decimal mark and the order of day and month are recognised by column.
    """
    here = [column for column in columns if column.name in raw.columns]
    cells = {column.name: _cells(raw[column.name]) for column in here}
    made = Converted(frame=pd.DataFrame(index=raw.index))
    decimals = _decimals(here, cells, place, made) if decimal is None else {column.name: decimal for column in here}
    for column in here:
        given = cells[column.name]
        if column.kind in {"int", "float"}:
            values = _numbers(given, column, decimals.get(column.name), place, made)
        elif column.kind in {"date", "datetime"}:
            values = _dates(given, column, date_format, place, made)
        elif column.kind == "period":
            values = _periods(given, column, place, made)
        elif column.kind == "bool":
            values = _booleans(given, column, place, made)
        else:
            values = _texts(given, column, place, made)
        made.frame[column.name] = typed(values.reindex(raw.index), column)
    return made


def _cells(values: pd.Series) -> _Cells:
    """Split a column into texts, numbers and dates; empty cells and blanks are in none of them."""
    nothing = values.iloc[:0]
    if pd.api.types.is_bool_dtype(values.dtype):
        return _Cells(values.dropna().map({True: "true", False: "false"}).astype("str"), nothing, nothing)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _Cells(nothing.astype("str"), values.dropna(), nothing)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _Cells(nothing.astype("str"), nothing, values.dropna())
    if isinstance(values.dtype, pd.StringDtype):
        return _Cells(_tidy(values.dropna()), nothing, nothing)
    given = values.dropna().astype(object)
    is_date = given.map(lambda cell: isinstance(cell, dt.date)).astype(bool)
    is_number = given.map(_is_number).astype(bool)
    texts = given[~is_date & ~is_number].map(str).astype("str")
    return _Cells(_tidy(texts), given[is_number], given[is_date])


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def _is_day_of_eight_digits(number: float) -> bool:
    return 19_000_000 < number < 21_000_000 and float(number).is_integer()


def _tidy(texts: pd.Series) -> pd.Series:
    """Trim texts and make every run of blanks one; leave out what is empty then."""
    tidy = texts.astype("str").str.strip()
    odd = tidy.str.contains(_ODD_SPACES, regex=True)
    if odd.any():  # rare, and replacing is slow
        tidy[odd] = tidy[odd].str.replace(_SPACES, " ", regex=True).str.strip()
    return tidy[tidy != ""]


def typed(values: pd.Series, column: Column) -> pd.Series:
    """Return values with the type of their column; of whole numbers and answers, one with room for missing ones."""
    if column.kind == "int":
        whole = values.astype("Int64")
        return whole if column.nullable or whole.hasnans else whole.astype("int64")
    if column.kind == "bool":
        answers = values.astype("boolean")
        return answers if column.nullable or answers.hasnans else answers.astype("bool")
    return values.astype(_DTYPES.get(column.kind, "str"))


# --- kinds ---


def _decimals(
    columns: Sequence[Column], cells: Mapping[str, _Cells], place: Place, made: Converted
) -> dict[str, str | None]:
    """Return the decimal mark of every column of numbers, and report it."""
    kinds = {column.name: column.kind for column in columns if column.kind in {"int", "float"}}
    marks = {name: marks_of(cells[name].texts, whole=kind == "int") for name, kind in kinds.items()}
    common = decide(marks.values())
    found = {name: _decimal(mark, name, common, place, made) for name, mark in marks.items()}
    if common is not None:
        made.facts.append(place.problem("data.found_decimal", given=common))
    return found


def _decimal(marks: Marks, name: str, common: str | None, place: Place, made: Converted) -> str | None:
    if marks.comma.any() and marks.point.any():
        made.problems.append(two_marks(marks, name, place))
        return None
    own = decide([marks]) or common
    if marks.open.any() and own is None:
        made.problems.append(place.problem("data.comma_or_point", name, rows=_rows(marks.open[marks.open])))
        return None
    return own or "."


def _numbers(cells: _Cells, column: Column, decimal: str | None, place: Place, made: Converted) -> pd.Series:
    native = pd.to_numeric(cells.numbers, errors="coerce").astype("float64")
    if decimal is None:  # reported already
        made.failed[column.name] = cells.texts.index.tolist()
        return native
    parsed = parse_numbers(cells.texts, decimal)
    bad = pd.concat([cells.texts[parsed.isna()], cells.dates.astype("str")])
    _fail("data.not_a_number", bad, column, place, made)
    values = pd.concat([native, parsed.dropna()])
    if column.kind == "int":
        broken = values[values % 1 != 0]
        given = pd.concat([cells.texts, cells.numbers.astype("str")]).loc[broken.index]
        _fail("data.not_whole", given, column, place, made)
        values = values.drop(broken.index)
    return values


def _dates(cells: _Cells, column: Column, declared: str | None, place: Place, made: Converted) -> pd.Series:
    native = pd.to_datetime(cells.dates).astype("datetime64[us]")
    compact = cells.numbers[cells.numbers.map(_is_day_of_eight_digits).astype(bool)]
    texts = pd.concat([cells.texts, compact.map(_plain).astype("str")])
    if len(native) and len(texts):
        made.problems.append(
            place.problem("data.dates_and_texts", column.name, first_rows=_rows(native), second_rows=_rows(texts))
        )
        made.failed[column.name] = texts.index.tolist()
        return native
    dates, found, problems = parse_dates(texts, column.name, place, declared=declared)
    if problems:
        made.problems.extend(problems)
        made.failed[column.name] = texts.index.tolist()
    else:
        bad = pd.concat([texts[dates.isna()], cells.numbers.drop(compact.index).astype("str")])
        _fail("data.not_a_date", bad, column, place, made)
        if found and len(texts):
            made.facts.append(place.problem(format_code(found), column.name, given=found))
    values = pd.concat([native, dates.dropna()])
    return values.dt.normalize() if column.kind == "date" else values


def _periods(cells: _Cells, column: Column, place: Place, made: Converted) -> pd.Series:
    """Read period labels; a date cell that is the first of a month is that month."""
    first_days = cells.dates.map(lambda day: day.day == 1).astype(bool)
    months = cells.dates[first_days].map(lambda day: f"{day.year}-{day.month:02d}").astype("str")
    texts = pd.concat([cells.texts, cells.numbers.map(_plain).astype("str"), months])
    labels = parse_periods(texts)
    bad = pd.concat([texts[labels.isna()], cells.dates[~first_days].astype("str")])
    _fail("data.not_a_period", bad, column, place, made)
    return labels.dropna()


def _booleans(cells: _Cells, column: Column, place: Place, made: Converted) -> pd.Series:
    texts = pd.concat([cells.texts, cells.numbers.map(_plain).astype("str"), cells.dates.astype("str")])
    answers = parse_booleans(texts)
    _fail("data.not_yes_or_no", texts[answers.isna()], column, place, made)
    return answers.dropna()


def _texts(cells: _Cells, column: Column, place: Place, made: Converted) -> pd.Series:
    """Keep text as it is, ``00`` too; a number is the text of its digits, a date cell was something else once."""
    _fail("data.date_in_text", cells.dates.astype("str"), column, place, made)
    texts = pd.concat([cells.texts, cells.numbers.map(_plain).astype("str")])
    if column.kind == "texts":
        return texts.str.replace(r"[\s,;]+", " ", regex=True).str.strip()
    return _codes(texts, column, place, made) if column.allowed else texts


def _codes(texts: pd.Series, column: Column, place: Place, made: Converted) -> pd.Series:
    known = {normal(word): code for code, label in column.allowed.items() for word in (code, *label.values())}
    codes = {value: known.get(normal(value)) for value in texts.unique()}
    translated = texts.map(codes).astype("str")
    valid = list(dict.fromkeys(word for code, label in column.allowed.items() for word in (label["de"], code)))
    for value in (value for value, code in codes.items() if code is None):
        rows = texts.index[texts == value]
        guess = nearest(value, valid) or valid[0]
        made.problems.append(
            place.problem(
                "data.not_allowed", column.name, row=int(rows[0]), value=value, n=len(rows), nearest=guess, valid=valid
            )
        )
    made.failed[column.name] = texts.index[translated.isna()].tolist()
    return translated.dropna()


def _rows(values: pd.Series) -> list[str]:
    return [str(row) for row in values.index[:3]]


def _plain(number: float) -> str:
    """Return a number as the text that was meant: 20 and 20.0 are ``20``."""
    return str(int(number)) if float(number).is_integer() else str(number)


def _fail(code: str, bad: pd.Series, column: Column, place: Place, made: Converted) -> None:
    if bad.empty:
        return
    bad = bad.sort_index()
    made.failed.setdefault(column.name, []).extend(bad.index.tolist())
    made.problems.extend(place.listed(code, column.name, dict(bad.head(SHOWN)), len(bad)))
