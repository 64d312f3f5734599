"""Cells of statistical tables: whole numbers as Germans write them, and the marks that stand for a missing one.

A mark never becomes 0. In German official statistics ``-`` may mean exactly zero; whoever knows that it does says so
in the source's ``marks``.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Reason = Literal["suppressed", "unknown", "not_delivered"]
MEANINGS = ("zero", "suppressed", "unknown", "not_delivered")
# Explanation of signs of the statistical offices, where they have one.
MARKS: dict[str, Reason] = {
    ".": "suppressed",
    "·": "suppressed",
    "•": "suppressed",
    "*": "suppressed",
    "x": "suppressed",
    "-": "unknown",
    "/": "unknown",
    "?": "unknown",
    "k.a.": "unknown",
    "n.v.": "unknown",
    "…": "not_delivered",
    "": "not_delivered",
}
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_WHOLE = re.compile(r"\d+(\.0+)?|\d{1,3}(\.\d{3})+")
_BELOW = re.compile(r"(?:<|unter|wenigerals)(\d+)")
_AT_MOST = re.compile(r"(?:<=|≤|höchstens|bis)(\d+)")
_RANGE = re.compile(r"(\d+)(?:-|bis)(\d+)")


@dataclass(frozen=True)
class Cell:
    """A count, or why there is none and within which bounds it lies."""

    count: int | None
    reason: Reason | None = None
    lower: int | None = None
    upper: int | None = None


def read_cell(value: object, marks: Mapping[str, str] | None = None) -> Cell | None:
    """Read one cell that should hold a count.

    Parameters
    ----------
    value
        Text as in the file, or a number.
    marks
        What marks mean in this source, ``{"-": "zero"}``: one of ``zero``, ``suppressed``, ``unknown``,
        ``not_delivered``.

    Returns
    -------
    Cell or None
        None where the cell is neither a whole number nor a known mark.

    Examples
    --------
    >>> read_cell("1.234").count, read_cell("<3"), read_cell("12,5")
    (1234, Cell(count=None, reason='suppressed', lower=0, upper=2), None)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(value))
    written = mark_of(value)
    meaning = (marks or {}).get(written, MARKS.get(written))
    if meaning is not None:
        return Cell(0) if meaning == "zero" else Cell(None, meaning, 0)  # type: ignore[arg-type]
    if _WHOLE.fullmatch(written):
        decimals = re.fullmatch(r"(\d+)\.0+", written)
        grouped = re.fullmatch(r"\d{1,3}(\.000)+", written)  # 1.000 is a thousand, 12.0 is twelve
        return Cell(int(decimals[1]) if decimals and not grouped else int(written.replace(".", "")))
    if found := _BELOW.fullmatch(written):
        return Cell(None, "suppressed", 0, max(int(found[1]) - 1, 0))
    if found := _AT_MOST.fullmatch(written):
        return Cell(None, "suppressed", 0, int(found[1]))
    if (found := _RANGE.fullmatch(written)) and int(found[1]) <= int(found[2]):
        return Cell(None, "suppressed", int(found[1]), int(found[2]))
    return None


def mark_of(value: object) -> str:
    """Return a cell without blanks, dashes unified, lower case: the form in which marks are declared.

    Examples
    --------
    >>> mark_of(" – "), mark_of("K. A."), mark_of("...")
    ('-', 'k.a.', '…')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    written = _BLANKS.sub("", str(value)).translate(_DASHES).casefold()
    return "…" if written == "..." else written


def _number(value: float) -> Cell | None:
    if math.isnan(value):
        return Cell(None, "not_delivered", 0)
    return Cell(int(value)) if value >= 0 and value.is_integer() else None
