"""Numbers, dates and lists as a German or English reader writes them (CLDR through Babel).

Formats: ``int`` 1.234 · ``num0`` … ``num4`` 1.234,5 · ``snum1`` +1,5 · ``pct0`` … ``pct2`` 12,3 % (of 0.123) ·
``spct1`` −12,3 % · ``pp1`` 1,2 Prozentpunkte (of 0.012) · ``date`` 31.12.2024 · ``month`` November 2018 ·
``list`` "A, B und C" · no format: text as it is, whole numbers as ``int``.
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

MINUS = "−"
_LOCALES = {"de": "de_DE", "en": "en_GB"}
_AND = {"de": " und ", "en": " and "}
_POINTS = {"de": "Prozentpunkte", "en": "percentage points"}
MISSING = "–"


@cache
def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _decimal(value: float, digits: int, language: str, *, signed: bool = False) -> str:
    from babel.numbers import format_decimal

    if not math.isfinite(value):
        return MISSING
    rounded = round(float(value), digits) + 0.0  # + 0.0 turns a negative zero into zero
    body: str = format_decimal(abs(rounded), format=_pattern(digits), locale=_LOCALES[language])
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + body


def _percent(value: float, digits: int, language: str, *, signed: bool = False) -> str:
    number = _decimal(100 * value, digits, language, signed=signed)
    return number if number == MISSING else number + ("\N{NO-BREAK SPACE}%" if language == "de" else "%")


def _date(value: dt.date | str, language: str) -> str:
    day = dt.date.fromisoformat(value[:10]) if isinstance(value, str) else value
    if language == "de":
        return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"
    return f"{day.day} {_month_name(day, language)}"


def _month_name(value: dt.date, language: str) -> str:
    from babel.dates import format_date

    return str(format_date(value, format="MMMM yyyy", locale=_LOCALES[language]))


def join_list(items: Iterable[object], language: str) -> str:
    """Join words as in "A, B und C"."""
    words = [str(item) for item in items]
    return _AND[language].join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def format_value(value: Any, spec: str, language: str) -> str:
    """Write `value` in `language`; see the formats in the module's docstring.

    Examples
    --------
    >>> format_value(1234.5, "num1", "de"), format_value(-0.123, "spct1", "en")
    ('1.234,5', '−12.3%')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if spec == "":
        return str(value)
    if spec == "int":
        return _decimal(float(value), 0, language)
    if spec == "list":
        several = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str)
        return join_list(value if several else [value], language)
    if spec == "date":
        return _date(value, language)
    if spec == "month":
        day = dt.date.fromisoformat(f"{value}-01") if isinstance(value, str) else value
        return _month_name(day, language)
    kind, digits = spec.rstrip("0123456789"), spec.lstrip("snumpct")
    if kind in {"num", "snum"} and digits.isdigit():
        return _decimal(float(value), int(digits), language, signed=kind == "snum")
    if kind in {"pct", "spct"} and digits.isdigit():
        return _percent(float(value), int(digits), language, signed=kind == "spct")
    if kind in {"pp", "spp"} and digits.isdigit():
        number = _decimal(100 * float(value), int(digits), language, signed=kind == "spp")
        return number if number == MISSING else f"{number}\N{NO-BREAK SPACE}{_POINTS[language]}"
    raise ValueError(f"unknown format {spec!r} for a value in a text")
