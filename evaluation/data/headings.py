"""Headings of columns that name a period, as statistical tables write them."""

import re

import pandas as pd

_MONTHS = (
    *("januar", "februar", "märz", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "dezember"),
)
_YEAR = re.compile(r"(?:jahr |31\.12\.)?((?:19|20)\d\d)(?:\.0)?")
# In a spreadsheet a month is often a date, its first day.
_ISO_MONTH = re.compile(r"((?:19|20)\d\d-(?:0[1-9]|1[0-2]))(?:-01(?: 00:00:00)?)?")
_NUMBER_MONTH = re.compile(r"(0?[1-9]|1[0-2])[./]((?:19|20)\d\d)")
_NAMED_MONTH = re.compile(r"([a-zä]{3,9})\.? ((?:19|20)\d\d)")
_FOOTNOTE = re.compile(r"(\s*(\d\)|\*+|[¹²³⁴⁵]))+$")


def period_of(heading: object) -> str | None:
    """Return the period that a column heading names, or None.

    Examples
    --------
    >>> [period_of(heading) for heading in ("2018 1)", "Jahr 2018", "11/2018", "November 2018", "2018-11", "Anzahl")]
    ['2018', '2018', '2018-11', '2018-11', '2018-11', None]
    """
    written = " ".join(_FOOTNOTE.sub("", str(heading).strip()).casefold().split())
    if found := _YEAR.fullmatch(written):
        return found[1]
    if found := _ISO_MONTH.fullmatch(written):
        return found[1]
    if found := _NUMBER_MONTH.fullmatch(written):
        return f"{found[2]}-{int(found[1]):02d}"
    if found := _NAMED_MONTH.fullmatch(written):
        numbers = [n for n, name in enumerate(_MONTHS, 1) if name.startswith(found[1].replace("mrz", "mär"))]
        return f"{found[2]}-{numbers[0]:02d}" if len(numbers) == 1 else None
    return None


def is_wide(raw: pd.DataFrame) -> bool:
    """Tell whether a sheet without header has periods as columns: at least two in one of its first rows."""
    return any(sum(period_of(cell) is not None for cell in row) > 1 for row in raw.head(30).itertuples(index=False))
