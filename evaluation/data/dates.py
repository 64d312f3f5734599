"""Dates and periods as files hold them; the order of day, month and year is recognised by column.

Two formats in one column are an error: after one round through the wrong program the fifth of November is the
eleventh of May, and nobody sees it.
"""

from dataclasses import dataclass

import pandas as pd

from evaluation.data.periods import frequency_of
from evaluation.data.place import Place
from evaluation.errors import Problem

_TIMES = {
    "": "",
    " %H:%M": r" \d{1,2}:\d{2}",
    " %H:%M:%S": r" \d{1,2}:\d{2}:\d{2}",
    " %H:%M:%S.%f": r" \d{1,2}:\d{2}:\d{2}\.\d{1,6}",
}


@dataclass(frozen=True)
class _Format:
    """A way to write a date: its German name, its form and pattern for parsing, and the text key that words it."""

    name: str
    form: str
    pattern: str
    key: str


_FORMATS = (
    _Format("TT.MM.JJJJ", r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y", "dots"),
    _Format("TT.MM.JJ", r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y", "dots_short"),
    _Format("JJJJ-MM-TT", r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "year_first"),
    _Format("JJJJMMTT", r"(?:19|20)\d{6}", "%Y%m%d", "eight_digits"),
)
_SLASH = r"\d{1,2}/\d{1,2}/\d{4}"
_DAY_FIRST = _Format("TT/MM/JJJJ", _SLASH, "%d/%m/%Y", "day_first")
_MONTH_FIRST = _Format("MM/TT/JJJJ", _SLASH, "%m/%d/%Y", "month_first")
_OPEN = _Format("", _SLASH, "", "")  # 05/11/2018: the fifth of November or the eleventh of May
_BY_NAME = {form.name: form for form in (*_FORMATS, _DAY_FIRST, _MONTH_FIRST)}
DATE_FORMATS = tuple(_BY_NAME)
_GERMAN = str.maketrans("DY", "TJ")


def parse_dates(
    values: pd.Series, column: str, place: Place, *, declared: str | None = None
) -> tuple[pd.Series, str | None, list[Problem]]:
    """Return texts as dates.

    Parameters
    ----------
    values
        Texts, none missing; the index holds the rows of the file.
    column
        Our name of the column.
    place
        Names for messages.
    declared
        One of `DATE_FORMATS`, also as ``DD.MM.YYYY``, or a pattern such as ``%d.%m.%Y %H:%M``.

    Returns
    -------
    dates
        ``datetime64[us]``, missing where a text is no date.
    found
        Name of the format; None where none fits.
    problems
        Two formats in the column, or an order of day and month that the values leave open.

    Examples
    --------
    >>> dates, found, problems = parse_dates(
    ...     pd.Series(["31.12.2023", "1.1.2024 06:30"]), "recorded", Place(table="incidents", file="incidents.csv"))
    >>> found, dates.dt.strftime("%Y-%m-%d %H:%M").tolist()
    ('TT.MM.JJJJ', ['2023-12-31 00:00', '2024-01-01 06:30'])
    """
    if declared is not None and declared.translate(_GERMAN) in _BY_NAME:
        declared = declared.translate(_GERMAN)
    elif declared is not None:
        return _as_time(values, declared), declared, []
    plain = values.astype("str").copy()
    for unusual, instead in ((r"T", " "), (r" ?Uhr$", "")):
        with_it = plain.str.contains(unusual, regex=True)
        if with_it.any():  # replacing is slow
            plain[with_it] = plain[with_it].str.replace(unusual, instead, n=1, regex=True)
    found = [(_BY_NAME[declared], plain == plain)] if declared else _formats_of(plain)
    nothing = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    if not found:
        return nothing, None, []
    if len(found) > 1:
        (_, first_in), (_, second_in) = found[:2]
        problem = place.problem(
            "data.two_dates",
            column,
            first=str(plain[first_in].iloc[0]),
            second=str(plain[second_in].iloc[0]),
            first_rows=_rows(first_in),
            second_rows=_rows(second_in),
        )
        return nothing, None, [problem]
    form, fits = found[0]
    if form is _OPEN:
        return nothing, None, [place.problem("data.day_or_month", column, rows=_rows(fits))]
    return _parsed(plain, form), form.name, []


def format_code(found: str) -> str:
    """Return the text key that says which format was found, a declared pattern included.

    Examples
    --------
    >>> format_code("TT.MM.JJJJ"), format_code("%d.%m.%Y")
    ('data.found_dates.dots', 'data.found_dates.pattern')
    """
    return f"data.found_dates.{_BY_NAME[found].key if found in _BY_NAME else 'pattern'}"


def _formats_of(plain: pd.Series) -> list[tuple[_Format, pd.Series]]:
    """Return the formats in a column, each with the values that have it."""
    found = [(form, plain.str.match(f"{form.form}(?: |$)")) for form in _FORMATS]
    slashed = plain.str.match(f"{_SLASH}(?: |$)")
    if slashed.any():
        parts = plain.where(slashed).str.extract(r"^(\d+)/(\d+)/").apply(pd.to_numeric)
        day_first, month_first = parts[0] > 12, parts[1] > 12
        if day_first.any() and month_first.any():
            found += [(_DAY_FIRST, day_first), (_MONTH_FIRST, month_first)]
        else:
            found.append((_DAY_FIRST if day_first.any() else _MONTH_FIRST if month_first.any() else _OPEN, slashed))
    return [(form, fits) for form, fits in found if fits.any()]


def _rows(fits: pd.Series) -> list[str]:
    return [str(row) for row in fits.index[fits][:3]]


def _parsed(plain: pd.Series, form: _Format) -> pd.Series:
    dates = pd.Series(pd.NaT, index=plain.index, dtype="datetime64[us]")
    for time, time_form in _TIMES.items():
        fits = plain.str.fullmatch(form.form + time_form)
        if fits.any():
            dates[fits] = _as_time(plain[fits], form.pattern + time)
    return dates


def _as_time(texts: pd.Series, pattern: str) -> pd.Series:
    return pd.to_datetime(texts, format=pattern, errors="coerce").astype("datetime64[us]")


def parse_periods(values: pd.Series) -> pd.Series:
    """Return texts as period labels, missing where a text is none.

    Examples
    --------
    >>> parse_periods(pd.Series(["2018", "11/2018", "2018-Q1", "Nov"])).tolist()
    ['2018', '2018-11', '2018-Q1', nan]
    """
    labels = {value: _period(value) for value in values.unique()}
    return values.map(labels).astype("str")


def _period(value: str) -> str | None:
    if frequency_of(value) is not None:
        return value
    for mark in "./":
        month, _, year = value.partition(mark)
        if month.isdigit() and len(year) == 4 and year.isdigit() and 1 <= int(month) <= 12:
            return f"{year}-{int(month):02d}"
    return None
