"""``results.csv``: every number of the report, once, with an id that is the same next year."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from evaluation.errors import Problem, ReportError

COLUMNS = ("id", "measure", "outcome", "unit", "period", "value", "conf_low", "conf_high", "p_value", "n", "note")
_FORMULA = ("=", "+", "-", "@")


def merged(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return each value once, in order of appearance.

    Raises
    ------
    ReportError
        Two places of the report show different values under one id and period.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    problems = []
    for row in rows:
        key = (str(row["id"]), str(row["period"]))
        first = found.setdefault(key, row)
        if dict(first) != dict(row):
            differing = [name for name in COLUMNS if first[name] != row[name]]
            problems.append(Problem("runner.two_values", given=key[0], period=key[1] or "-", columns=differing))
    if problems:
        raise ReportError(*problems)
    return list(found.values())


def safe_text(words: str) -> str:
    r"""Return `words` on one line, and so that no spreadsheet takes them for a formula.

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("street\tcrime")
    ("'=1+1", 'street crime')
    """
    line = " ".join(words.split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    return safe_text(value) if isinstance(value, str) else str(value)


def to_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return `rows` as UTF-8 CSV: commas, decimal points, 10 significant digits, line feeds."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([[_cell(row[name]) for name in COLUMNS] for row in rows])
    return buffer.getvalue().encode("utf-8")
