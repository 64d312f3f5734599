"""Periods as text: ``2018``, ``2018-H1``, ``2018-Q4``, ``2018-11``. Text sorts in time within one length."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Literal

Frequency = Literal["year", "half_year", "quarter", "month"]
FREQUENCIES: tuple[Frequency, ...] = ("year", "half_year", "quarter", "month")
PER_YEAR: dict[Frequency, int] = {"year": 1, "half_year": 2, "quarter": 4, "month": 12}
_FORMS: dict[Frequency, re.Pattern[str]] = {
    "year": re.compile(r"(\d{4})()"),
    "half_year": re.compile(r"(\d{4})-H([12])"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "month": re.compile(r"(\d{4})-(0[1-9]|1[0-2])"),
}


def frequency_of(period: str) -> Frequency | None:
    """Return the length of a period label, or None where it is none.

    Examples
    --------
    >>> frequency_of("2018-11"), frequency_of("2018"), frequency_of("11/2018")
    ('month', 'year', None)
    """
    return next((name for name, form in _FORMS.items() if form.fullmatch(period)), None)


def ordinal(period: str) -> int:
    """Return the running number of a period: consecutive periods differ by one.

    Raises
    ------
    ValueError
        The label has none of the four forms.
    """
    frequency = frequency_of(period)
    if frequency is None:
        raise ValueError(f"{period!r} is no period; give 2018, 2018-H1, 2018-Q1 or 2018-11")
    match = _FORMS[frequency].fullmatch(period)
    assert match is not None  # noqa: S101 - frequency_of has just matched
    return int(match[1]) * PER_YEAR[frequency] + int(match[2] or 1) - 1


def label(number: int, frequency: Frequency) -> str:
    """Return the label of a running number, the inverse of :func:`ordinal`."""
    year, part = divmod(number, PER_YEAR[frequency])
    form = {"year": f"{year}", "half_year": f"{year}-H{part + 1}", "quarter": f"{year}-Q{part + 1}"}
    return form.get(frequency, f"{year}-{part + 1:02d}")


def span(first: str, last: str) -> tuple[str, ...]:
    """Return all periods from `first` to `last`, both included.

    Examples
    --------
    >>> span("2018-11", "2019-01")
    ('2018-11', '2018-12', '2019-01')
    """
    frequency = frequency_of(first)
    if frequency is None or frequency != frequency_of(last):
        raise ValueError(f"{first!r} and {last!r} are not periods of one length")
    return tuple(label(number, frequency) for number in range(ordinal(first), ordinal(last) + 1))


def start_date(period: str) -> dt.date:
    """Return the first day of a period."""
    frequency = frequency_of(period)
    number = ordinal(period)
    assert frequency is not None  # noqa: S101 - ordinal has raised otherwise
    year, part = divmod(number, PER_YEAR[frequency])
    return dt.date(year, part * 12 // PER_YEAR[frequency] + 1, 1)


def convert(period: str, frequency: Frequency) -> tuple[str, bool]:
    """Return the period of another length that contains the start of `period`, and whether it starts there.

    Examples
    --------
    >>> convert("2018-11", "year"), convert("2019", "month")
    (('2018', False), ('2019-01', True))
    """
    day = start_date(period)
    part = (day.month - 1) * PER_YEAR[frequency] // 12
    found = label(day.year * PER_YEAR[frequency] + part, frequency)
    return found, start_date(found) == day


def month_codes(periods: Sequence[str]) -> list[int]:
    """Return months as ``year * 100 + month``, the form in which data engines aggregate them."""
    return [int(period[:4]) * 100 + int(period[5:]) for period in periods]
